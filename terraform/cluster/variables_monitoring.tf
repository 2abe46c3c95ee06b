variable "monitoring" {
  description = "Logs, alarms, dashboard and budget. See modules/monitoring."
  type = object({
    log_groups         = list(string)
    log_retention_days = number
    alarm_emails       = list(string)
    budget_usd         = number
    dashboard          = string
    alarms             = string
  })

  validation {
    condition = alltrue([
      for path in [var.monitoring.dashboard, var.monitoring.alarms] :
      startswith(path, "clusters/${var.cluster_name}/generated/")
    ])
    error_message = "monitoring.dashboard and monitoring.alarms must be the generated ones of this cluster, by their path in the repository."
  }
}
