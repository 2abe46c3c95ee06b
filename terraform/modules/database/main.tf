locals {
  log_types = ["error", "slowquery"]
}

resource "aws_db_subnet_group" "this" {
  name        = var.identifier
  description = "Private subnets of ${var.cluster_name}"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "database" {
  name        = "${var.identifier}-database"
  description = "MySQL from the nodes of ${var.cluster_name}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.identifier}-database" }
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  description                  = "MySQL from nodes and pods"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.identifier}-mysql84"
  family      = "mysql8.4"
  description = "What ML Metadata needs of MySQL 8.4"

  # ML Metadata's client knows no other plugin (google/ml-metadata issue 178). Users get the plugin that is the
  # default when they are made, so it must be set before the database is.
  parameter {
    name         = "authentication_policy"
    value        = "*:mysql_native_password"
    apply_method = "pending-reboot"
  }

  # ML Metadata's flags know no TLS; only members of one security group come this far.
  parameter {
    name         = "require_secure_transport"
    value        = "0"
    apply_method = "pending-reboot"
  }

  parameter {
    name         = "slow_query_log"
    value        = "1"
    apply_method = "pending-reboot"
  }

  # RDS writes it to a table otherwise, and sends CloudWatch Logs what is in files only.
  parameter {
    name         = "log_output"
    value        = "FILE"
    apply_method = "pending-reboot"
  }
}

resource "aws_cloudwatch_log_group" "database" {
  #checkov:skip=CKV_AWS_158:CloudWatch's own key encrypts it; a key of ours keeps nobody out whom IAM lets at the logs
  #checkov:skip=CKV_AWS_338:how long is the team's choice; a year of a fleet's logs costs more than it tells
  for_each = toset(local.log_types)

  # RDS writes to these names, and would make the groups itself, without an end to their logs.
  name              = "/aws/rds/instance/${var.identifier}/${each.value}"
  retention_in_days = var.log_retention_days
}

# The time of creation makes the final snapshot's name unique: a second database of the same name needs another.
resource "terraform_data" "created" {
  input = formatdate("YYYYMMDDhhmmss", plantimestamp())

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_118:metrics of each minute and the slow query log tell enough of a database this small
  #checkov:skip=CKV_AWS_161:ML Metadata knows no tokens of IAM, only passwords
  #checkov:skip=CKV_AWS_293:on, unless the cluster file says that it may go
  #checkov:skip=CKV_AWS_353:RDS does not offer it for every class that a team may choose
  #checkov:skip=CKV2_AWS_69:ML Metadata's flags know no TLS; one security group alone reaches the port
  identifier     = var.identifier
  engine         = "mysql"
  engine_version = "8.4"
  instance_class = var.instance_class
  multi_az       = var.multi_az

  storage_type      = "gp3"
  allocated_storage = var.storage_gb
  # RDS asks for a tenth more than there is.
  max_allocated_storage = var.storage_gb * 1.1 > 65536 ? null : min(var.storage_gb * 2, 65536)
  storage_encrypted     = true
  kms_key_id            = var.key_arn

  username            = "pipelines"
  password_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  password_wo_version = local.password_version

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  parameter_group_name   = aws_db_parameter_group.this.name

  auto_minor_version_upgrade      = true
  backup_retention_period         = 14
  copy_tags_to_snapshot           = true
  enabled_cloudwatch_logs_exports = local.log_types

  deletion_protection       = !var.deletable
  skip_final_snapshot       = var.deletable && var.discard_data
  final_snapshot_identifier = "${var.identifier}-final-${terraform_data.created.output}"

  depends_on = [aws_cloudwatch_log_group.database]
}
