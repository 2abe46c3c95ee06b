resource "aws_kms_key" "this" {
  count = var.encryption == "kms" ? 1 : 0

  description             = "Bucket, database and database secret of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TheAccountAdministers"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
        # Whom it lets at the key, the account decides by IAM.
        Action = "kms:*"
        # In a key's policy this means the key itself.
        Resource = "*"
      },
      {
        Sid    = "WhoeverMayUseTheData"
        Effect = "Allow"
        # As AWS's own keys do it: whom S3 or Secrets Manager lets at the data needs no other permission for the
        # key, so that a workload's policy names the bucket only.
        Principal = { AWS = "*" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        # In a key's policy this means the key itself.
        Resource = "*"
        Condition = {
          StringEquals = {
            "kms:CallerAccount" = var.account_id
            "kms:ViaService"    = ["s3.${var.region}.amazonaws.com", "secretsmanager.${var.region}.amazonaws.com"]
          }
        }
      },
    ]
  })

  tags = { Name = "${var.name}-storage" }
}

resource "aws_kms_alias" "this" {
  count = var.encryption == "kms" ? 1 : 0

  name          = "alias/${var.name}-storage"
  target_key_id = aws_kms_key.this[0].key_id
}

locals {
  key_arn = one(aws_kms_key.this[*].arn)
}
