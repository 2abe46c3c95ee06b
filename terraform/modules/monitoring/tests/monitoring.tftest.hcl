mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-northeast-1:123456789012:key/1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:ap-northeast-1:123456789012:demo-alarms" }
  }
}

variables {
  name       = "demo"
  account_id = "123456789012"
  region     = "ap-northeast-1"
  log_groups = ["/aws/containerinsights/demo/application", "/aws/containerinsights/demo/performance"]
  dashboard  = "tests/dashboard.json"
  alarms     = "tests/alarms.json"

  auto_scaling_groups = { gpu-t4 = "eks-gpu-t4-1", workers = "eks-workers-1" }
  nat_gateway_ids     = { ap-northeast-1a = "nat-a", ap-northeast-1c = "nat-c" }
  load_balancer = {
    arn_suffix    = "app/demo/1"
    target_groups = { argo-cd = "targetgroup/argo-cd/2" }
  }
}

run "logs_have_an_end" {
  assert {
    condition     = keys(aws_cloudwatch_log_group.container_insights) == ["/aws/containerinsights/demo/application", "/aws/containerinsights/demo/performance"]
    error_message = "each group that the agents write to"
  }
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.container_insights : group.retention_in_days == 30])
    error_message = "kept a month unless told otherwise"
  }
}

run "the_dashboard_is_filled_in" {
  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.metrics == [
      ["AWS/AutoScaling", "GroupInServiceInstances", "AutoScalingGroupName", "eks-gpu-t4-1"],
      ["AWS/NATGateway", "ErrorPortAllocation", "NatGatewayId", "nat-c"],
      ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", "app/demo/1"],
    ]
    error_message = "names that only Terraform knows"
  }
}

run "only_this_account_publishes" {
  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.alarms.arn
    error_message = "a key of ours: AWS's own lets nobody publish"
  }
  assert {
    condition = jsondecode(aws_sns_topic_policy.alarms.policy).Statement == [
      {
        Sid       = "Budgets"
        Effect    = "Allow"
        Principal = { Service = "budgets.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:ap-northeast-1:123456789012:demo-alarms"
        Condition = {
          StringEquals = { "aws:SourceAccount" = "123456789012" }
          ArnLike      = { "aws:SourceArn" = "arn:aws:budgets::123456789012:*" }
        }
      },
      {
        Sid       = "Cloudwatch"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:ap-northeast-1:123456789012:demo-alarms"
        Condition = {
          StringEquals = { "aws:SourceAccount" = "123456789012" }
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm:demo-*" }
        }
      },
    ]
    error_message = "two services, for this account's budgets and this cluster's alarms"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_kms_key.alarms.policy).Statement : try(statement.Condition.StringEquals["aws:SourceAccount"], "")
    ] == ["", "123456789012", "123456789012"]
    error_message = "the key as well, besides for the account's administrators"
  }
}

run "alarms_are_as_they_were_written" {
  assert {
    condition = output.alarm_names == tolist([
      "demo-agent-silent", "demo-nat-ports-ap-northeast-1c", "demo-nodes-missing-gpu-t4", "demo-pages-down-argo-cd",
      "demo-restarts",
    ])
    error_message = "each under the cluster's name"
  }
  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.metric), values(aws_cloudwatch_metric_alarm.expression)) :
      alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn])
    ])
    error_message = "all reach the topic, when they begin and when they end"
  }
  assert {
    condition = [
      for name in ["agent-silent", "nat-ports-ap-northeast-1c"] : [
        aws_cloudwatch_metric_alarm.metric[name].treat_missing_data,
        aws_cloudwatch_metric_alarm.metric[name].comparison_operator,
        aws_cloudwatch_metric_alarm.metric[name].statistic,
        tostring(aws_cloudwatch_metric_alarm.metric[name].threshold),
      ]
      ] == [
      ["breaching", "LessThanThreshold", "SampleCount", "1"],
      ["notBreaching", "GreaterThanThreshold", "Sum", "0"],
    ]
    error_message = "nothing is lost on the way"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["agent-silent"].dimensions == tomap({ ClusterName = "demo" })
    error_message = "a dimension that is no place stays"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["nat-ports-ap-northeast-1c"].dimensions == tomap({ NatGatewayId = "nat-c" })
    error_message = "a NAT gateway by its zone"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["pages-down-argo-cd"].dimensions == tomap({ LoadBalancer = "app/demo/1", TargetGroup = "targetgroup/argo-cd/2" })
    error_message = "healthy hosts are counted by target group"
  }
  assert {
    condition = toset([
      for query in aws_cloudwatch_metric_alarm.expression["nodes-missing-gpu-t4"].metric_query :
      "${query.id} ${try(query.metric[0].metric_name, query.expression)} ${try(query.metric[0].dimensions.AutoScalingGroupName, "")}"
      ]) == toset([
      "result wanted - there ", "there GroupInServiceInstances eks-gpu-t4-1", "wanted GroupDesiredCapacity eks-gpu-t4-1",
    ])
    error_message = "an Auto Scaling group by its node group"
  }
  assert {
    condition     = one(aws_cloudwatch_metric_alarm.expression["restarts"].metric_query).period == 900
    error_message = "a query without metrics has a period of its own"
  }
}

run "budget_and_mail_are_not_forced_on_anybody" {
  assert {
    condition     = length(aws_budgets_budget.month) == 0 && length(aws_sns_topic_subscription.email) == 0
    error_message = "no budget and no mail unless asked for"
  }
}

run "budget_and_mail" {
  variables {
    alarm_emails = ["oncall@example.com", "platform@example.com"]
    budget_usd   = 60000
  }
  assert {
    condition     = one(aws_budgets_budget.month[0].cost_filter).values == tolist(["user:cluster$demo"])
    error_message = "the cost of what has the cluster's tag"
  }
  assert {
    condition = toset([for notice in aws_budgets_budget.month[0].notification : "${notice.notification_type} ${notice.threshold}"]) == toset([
      "ACTUAL 80", "ACTUAL 100", "FORECASTED 100",
    ])
    error_message = "told before it is too late"
  }
  assert {
    condition     = toset(keys(aws_sns_topic_subscription.email)) == toset(["oncall@example.com", "platform@example.com"])
    error_message = "a subscription for each address"
  }
}

run "refuses_what_cannot_be" {
  command = plan
  variables {
    log_groups         = ["/aws/containerinsights/other/application"]
    log_retention_days = 31
    alarm_emails       = ["oncall"]
    budget_usd         = 0
  }
  expect_failures = [var.log_groups, var.log_retention_days, var.alarm_emails, var.budget_usd]
}
