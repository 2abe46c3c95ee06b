mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-northeast-1:123456789012:key/1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:ap-northeast-1:123456789012:demo-alarms" }
  }
}

variables {
  name         = "demo"
  account_id   = "123456789012"
  region       = "ap-northeast-1"
  log_groups   = ["/aws/containerinsights/demo/application", "/aws/containerinsights/demo/performance"]
  dashboard    = "tests/dashboard.json"
  dns_pods_min = 5

  auto_scaling_groups = { gpu-t4 = "eks-gpu-t4-1", workers = "eks-workers-1" }
  nat_gateway_ids     = { ap-northeast-1a = "nat-a", ap-northeast-1c = "nat-c" }
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
      ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", "none"],
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

run "without_database_load_balancer_and_agent" {
  assert {
    condition = output.alarm_names == tolist([
      "demo-api-errors", "demo-api-throttled", "demo-coredns-pods-few", "demo-kube-system-restarts",
      "demo-nat-ports-ap-northeast-1a", "demo-nat-ports-ap-northeast-1c", "demo-nodes-failed",
      "demo-nodes-missing-gpu-t4", "demo-nodes-missing-workers",
    ])
    error_message = "alarms of what is there"
  }
  assert {
    condition     = length(aws_budgets_budget.month) == 0 && length(aws_sns_topic_subscription.email) == 0
    error_message = "no budget and no mail unless asked for"
  }
  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.metric), values(aws_cloudwatch_metric_alarm.expression)) :
      alarm.treat_missing_data == "notBreaching" && alarm.alarm_actions == toset([aws_sns_topic.alarms.arn])
    ])
    error_message = "all reach the topic; none rings before its metric exists"
  }
}

run "with_all" {
  variables {
    alarm_emails = ["oncall@example.com", "platform@example.com"]
    agent        = true
    budget_usd   = 60000
    database     = { identifier = "demo-pipelines", storage_gb = 200, memory_gib = 16 }
    load_balancer = {
      arn_suffix    = "app/demo/1"
      target_groups = { argo-cd = "targetgroup/argo-cd/2" }
    }
  }
  assert {
    condition = toset([for name in output.alarm_names : trimprefix(name, "demo-")]) == toset([
      "agent-silent", "api-errors", "api-throttled", "coredns-pods-few", "database-connections", "database-cpu",
      "database-memory", "database-storage", "kube-system-restarts", "nat-ports-ap-northeast-1a",
      "nat-ports-ap-northeast-1c", "nodes-failed", "nodes-missing-gpu-t4", "nodes-missing-workers",
      "pages-down-argo-cd", "pages-errors",
    ])
    error_message = "alarms of all there is"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["agent-silent"].treat_missing_data == "breaching"
    error_message = "silence is what this one is about"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["database-connections"].threshold == 1092
    error_message = "80 percent of 16 GiB / 12582880"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["database-storage"].threshold == 10 * 1024 * 1024 * 1024
    error_message = "5 percent of 200 GiB"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["pages-down-argo-cd"].dimensions == tomap({ LoadBalancer = "app/demo/1", TargetGroup = "targetgroup/argo-cd/2" })
    error_message = "healthy hosts are counted by target group"
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

run "a_class_of_unknown_memory" {
  variables {
    database = { identifier = "demo-pipelines", storage_gb = 20 }
  }
  assert {
    condition     = toset([for name in output.alarm_names : name if startswith(name, "demo-database")]) == toset(["demo-database-cpu", "demo-database-storage"])
    error_message = "no threshold is guessed"
  }
}

run "refuses_what_cannot_be" {
  command = plan
  variables {
    log_groups         = ["/aws/containerinsights/other/application"]
    log_retention_days = 31
    alarm_emails       = ["oncall"]
    budget_usd         = 0
    dns_pods_min       = 0
  }
  expect_failures = [var.log_groups, var.log_retention_days, var.alarm_emails, var.budget_usd, var.dns_pods_min]
}
