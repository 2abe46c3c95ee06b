variable "name" {
  description = "Name of the cluster; the prefix of every name here."
  type        = string
}

variable "account_id" {
  description = "AWS account whose alarms and budgets may publish to the topic."
  type        = string
}

variable "region" {
  description = "AWS region; part of the alarms' names in policies."
  type        = string
}

variable "log_groups" {
  description = "Log groups of Container Insights."
  type        = set(string)

  validation {
    condition     = alltrue([for group in var.log_groups : startswith(group, "/aws/containerinsights/${var.name}/")])
    error_message = "log_groups must begin with /aws/containerinsights/ and the cluster's name: that is where the agents write."
  }
}

variable "log_retention_days" {
  description = "Days that the logs of pods and nodes are kept."
  type        = number
  default     = 30

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days,
    )
    error_message = "log_retention_days must be one of the numbers that CloudWatch Logs takes, for example 14, 30, 60, 90 or 365."
  }
}

variable "alarm_emails" {
  description = "Who gets a mail for each alarm and each notice of the budget, once confirmed."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alarm_emails must be e-mail addresses, for example oncall@example.com."
  }
}

variable "budget_usd" {
  description = "Planned cost of a month, in USD; null is no budget."
  type        = number
  default     = null

  validation {
    condition     = var.budget_usd == null ? true : var.budget_usd > 0
    error_message = "budget_usd must be more than 0, or null for no budget."
  }
}

variable "dashboard" {
  description = "Path of the generated dashboard: a template over auto_scaling_groups, nat_gateways and load_balancer."
  type        = string
}

variable "alarms" {
  description = "Path of the generated alarms, with places for auto_scaling_groups, nat_gateways, load_balancer and target_groups."
  type        = string
}

variable "auto_scaling_groups" {
  description = "Node group to the name of its Auto Scaling group."
  type        = map(string)
}

variable "nat_gateway_ids" {
  description = "Availability zone to the id of its NAT gateway."
  type        = map(string)
}

variable "load_balancer" {
  description = "The load balancer's ARN suffix, and app to the ARN suffix of its target group; or null."
  type = object({
    arn_suffix    = string
    target_groups = map(string)
  })
  default = null
}
