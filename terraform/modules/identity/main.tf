resource "aws_iam_role" "this" {
  for_each = var.identities

  name        = each.key
  description = "${each.value.app}: ServiceAccount ${each.value.namespace}/${each.value.service_account}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.oidc_provider_arn }
      Condition = {
        StringEquals = {
          "${var.oidc_issuer}:aud" = "sts.amazonaws.com"
          "${var.oidc_issuer}:sub" = "system:serviceaccount:${each.value.namespace}:${each.value.service_account}"
        }
      }
    }]
  })

  tags = { app = each.value.app }
}

resource "aws_iam_role_policy" "this" {
  for_each = var.identities

  name = each.value.app
  role = aws_iam_role.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    # IAM refuses a Condition of null.
    Statement = [
      for statement in each.value.statements : { for key, value in statement : key => value if value != null }
    ]
  })
}
