resource "aws_budgets_budget" "month" {
  count = var.budget_usd == null ? 0 : 1

  name         = "${var.name}-month"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.budget_usd)
  limit_unit   = "USD"

  # Sees nothing before the tag was activated, once in each organization: docs/how-to/watch-a-cluster.md.
  cost_filter {
    name = "TagKeyValue"
    # Written in one string, the dollar before the brace would turn off the template.
    values = [format("user:cluster$%s", var.name)]
  }

  dynamic "notification" {
    for_each = [
      { type = "ACTUAL", percent = 80 },
      { type = "ACTUAL", percent = 100 },
      { type = "FORECASTED", percent = 100 },
    ]
    content {
      notification_type         = notification.value.type
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value.percent
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }

  # Budgets sends a test message first and refuses a topic that it cannot reach.
  depends_on = [aws_sns_topic_policy.alarms]
}
