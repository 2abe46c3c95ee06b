# Neither Terraform's state nor its plans hold the password.
ephemeral "aws_secretsmanager_random_password" "this" {
  password_length = 40
  # RDS forbids some, and each client's connection string has its own meaning for others.
  exclude_punctuation = true
}

locals {
  # The random end of the ARN makes another number of it when the secret was lost: both sides then get a new password.
  password_version = parseint(substr(sha256("${aws_secretsmanager_secret.database.arn} ${var.password_version}"), 0, 7), 16)
}

resource "aws_secretsmanager_secret" "database" {
  #checkov:skip=CKV2_AWS_57:renewed with password_version, in the database and here at once; a rotation behind Terraform's back would be undone
  name        = var.secret
  description = "MySQL of ${var.cluster_name}: host, port, username, password and its version"
  kms_key_id  = var.key_arn
  # AWS keeps the name for that long, and no apply could make the secret anew; there is nothing in it to recover.
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id = aws_secretsmanager_secret.database.id
  secret_string_wo = jsonencode({
    host     = aws_db_instance.this.address
    port     = aws_db_instance.this.port
    username = aws_db_instance.this.username
    password = ephemeral.aws_secretsmanager_random_password.this.random_password
    # Whoever made users with the password before waits until it reads this number.
    version = tostring(var.password_version)
  })
  secret_string_wo_version = local.password_version

  lifecycle {
    # Another database has another password.
    replace_triggered_by = [aws_db_instance.this.resource_id]
  }
}
