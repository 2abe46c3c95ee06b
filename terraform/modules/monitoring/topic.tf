locals {
  # Who may publish, and on behalf of what in this account.
  publishers = {
    cloudwatch = "arn:aws:cloudwatch:${var.region}:${var.account_id}:alarm:${var.name}-*"
    budgets    = "arn:aws:budgets::${var.account_id}:*"
  }
}

# The key that AWS keeps for SNS lets neither CloudWatch nor Budgets publish, and its policy cannot be changed.
resource "aws_kms_key" "alarms" {
  description             = "Topic of alarms of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TheAccountAdministers"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
        # Whom it lets at the key, the account decides by IAM.
        Action = "kms:*"
        # In a key's policy this means the key itself.
        Resource = "*"
      }],
      [for service, source in local.publishers : {
        Sid       = "Publishing${title(service)}"
        Effect    = "Allow"
        Principal = { Service = "${service}.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        # In a key's policy this means the key itself.
        Resource = "*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = source }
        }
      }],
    )
  })

  tags = { Name = "${var.name}-alarms" }
}

resource "aws_kms_alias" "alarms" {
  name          = "alias/${var.name}-alarms"
  target_key_id = aws_kms_key.alarms.key_id
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = aws_kms_key.alarms.arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for service, source in local.publishers : {
      Sid       = title(service)
      Effect    = "Allow"
      Principal = { Service = "${service}.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      # Without it, another account's alarm could borrow this topic (the confused deputy).
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = source }
      }
    }]
  })
}

# Nothing arrives before the person behind the address has confirmed.
resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}
