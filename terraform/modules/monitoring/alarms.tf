# What each alarm is: terraform/dashboards/alarms.jsonnet. Here it gets the names that only Terraform knows.
locals {
  # Not a template: while one name is unknown, the whole text would be, and with it how many alarms there are.
  alarms = jsondecode(file(var.alarms))
  places = merge(
    { for group, name in var.auto_scaling_groups : "$${auto_scaling_groups.${group}}" => name },
    { for zone, id in var.nat_gateway_ids : "$${nat_gateways.${zone}}" => id },
    merge([for it in var.load_balancer[*] : merge(
      { "$${load_balancer}" = it.arn_suffix },
      { for app, suffix in it.target_groups : "$${target_groups.${app}}" => suffix },
    )]...),
  )
  dimensions = {
    for name, alarm in merge(local.alarms.metric, local.alarms.expression) : name => {
      for key, value in alarm.dimensions : key => lookup(local.places, value, value)
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  for_each = local.alarms.metric

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = local.dimensions[each.key]
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.ofThem
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "expression" {
  for_each = local.alarms.expression

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.ofThem
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "result"
    expression  = each.value.expression
    label       = each.key
    return_data = true
    # That of its metrics, where there are some.
    period = length(each.value.metrics) == 0 ? each.value.period : null
  }

  dynamic "metric_query" {
    for_each = each.value.metrics
    content {
      id = metric_query.key
      metric {
        namespace   = each.value.namespace
        metric_name = metric_query.value
        dimensions  = local.dimensions[each.key]
        stat        = each.value.statistic
        period      = each.value.period
      }
    }
  }
}
