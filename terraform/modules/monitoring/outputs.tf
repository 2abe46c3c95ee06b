output "log_groups" {
  description = "Names of Container Insights' log groups. Known once they are there."
  value       = [for group in aws_cloudwatch_log_group.container_insights : group.name]
}

output "topic_arn" {
  description = "ARN of the SNS topic of alarms and budget; others may subscribe, for example a chat or a pager."
  value       = aws_sns_topic.alarms.arn
}

output "alarm_names" {
  description = "Names of all alarms, sorted."
  value = sort(concat(
    [for alarm in aws_cloudwatch_metric_alarm.metric : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.expression : alarm.alarm_name],
  ))
}
