resource "aws_cloudwatch_log_group" "container_insights" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts them with a key of its own; another key would guard against the same people
  #checkov:skip=CKV_AWS_338:how long they are needed is the cluster file's decision; a year of pod logs costs more than it tells
  for_each = var.log_groups

  # Fluent Bit and the CloudWatch agent write to these names, and would make the groups without an end to their logs.
  name              = each.value
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = templatefile(var.dashboard, {
    auto_scaling_groups = var.auto_scaling_groups
    nat_gateways        = var.nat_gateway_ids
    # A dashboard without a load balancer does not name it.
    load_balancer = try(var.load_balancer.arn_suffix, "none")
  })
}
