# Terraform cannot mock an ephemeral password, so this provider is a real one that plans only. Planning asks Secrets
# Manager for a random password: tests/test_terraform.py answers in AWS's stead, at AWS_ENDPOINT_URL.
provider "aws" {
  region                      = "ap-northeast-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  cluster_name             = "demo"
  identifier               = "demo-pipelines"
  instance_class           = "db.t4g.medium"
  storage_gb               = 50
  multi_az                 = true
  secret                   = "demo/kubeflow-pipelines/database"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-a", "subnet-c"]
  client_security_group_id = "sg-1"
}

run "what_ml_metadata_needs" {
  command = plan
  assert {
    condition     = aws_db_parameter_group.this.family == "mysql8.4" && aws_db_instance.this.engine_version == "8.4"
    error_message = "MySQL 8.4"
  }
  assert {
    condition = contains([
      for parameter in aws_db_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"
    ], "authentication_policy=*:mysql_native_password")
    error_message = "users must be made with the plugin that ML Metadata knows"
  }
  assert {
    condition = length(setsubtract(["log_output=FILE", "slow_query_log=1"], [
      for parameter in aws_db_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"
    ])) == 0 && aws_db_instance.this.enabled_cloudwatch_logs_exports == toset(["error", "slowquery"])
    error_message = "slow queries must reach CloudWatch Logs, which gets what is in files"
  }
  assert {
    condition     = aws_db_instance.this.parameter_group_name == aws_db_parameter_group.this.name
    error_message = "the database must be made with the parameter group"
  }
}

run "closed_and_kept" {
  command = plan
  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "encrypted, private"
  }
  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.max_allocated_storage == 100
    error_message = "as asked for, and room to grow"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.database.referenced_security_group_id == "sg-1"
    error_message = "from nodes only"
  }
  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "protected unless told"
  }
  assert {
    condition     = aws_secretsmanager_secret.database.name == "demo/kubeflow-pipelines/database"
    error_message = "external-secrets finds the secret by its name"
  }
}

run "told_once" {
  command = plan
  variables {
    deletable = true
  }
  assert {
    condition     = !aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "told once, a final snapshot stays"
  }
}

run "told_twice" {
  command = plan
  variables {
    deletable    = true
    discard_data = true
  }
  assert {
    condition     = !aws_db_instance.this.deletion_protection && aws_db_instance.this.skip_final_snapshot
    error_message = "told twice, nothing stays"
  }
}

run "database_and_secret_get_one_password" {
  command = plan
  override_resource {
    target          = aws_secretsmanager_secret.database
    override_during = plan
    values          = { arn = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:demo-abcdef" }
  }
  assert {
    condition     = aws_db_instance.this.password_wo_version == aws_secretsmanager_secret_version.database.secret_string_wo_version
    error_message = "database and secret must change together"
  }
  assert {
    condition     = aws_db_instance.this.password_wo_version == parseint(substr(sha256("arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:demo-abcdef 1"), 0, 7), 16)
    error_message = "the number must follow from the secret and the version asked for"
  }
}

run "refuses_what_cannot_be" {
  command = plan
  variables {
    instance_class = "m6i.large"
    storage_gb     = 10
    discard_data   = true
  }
  expect_failures = [var.instance_class, var.storage_gb, var.discard_data]
}

run "refuses_names_and_numbers_that_aws_does_not_take" {
  command = plan
  variables {
    identifier       = "demo--pipelines"
    secret           = "demo database"
    password_version = 0
    subnet_ids       = ["subnet-a"]
  }
  expect_failures = [var.identifier, var.secret, var.password_version, var.subnet_ids]
}

run "no_growth_where_there_is_no_room" {
  command = plan
  variables {
    storage_gb = 65000
  }
  assert {
    condition     = coalesce(aws_db_instance.this.max_allocated_storage, 0) == 0
    error_message = "RDS takes no limit that is not a tenth above the size"
  }
}
