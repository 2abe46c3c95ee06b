variable "monitoring" {
  description = "Logs, alarms, dashboard and budget. See modules/monitoring."
  type = object({
    log_groups          = list(string)
    log_retention_days  = number
    alarm_emails        = list(string)
    budget_usd          = number
    dashboard           = string
    dns_pods_min        = number
    agent               = bool
    database_memory_gib = number
  })

  validation {
    condition     = startswith(var.monitoring.dashboard, "clusters/${var.cluster_name}/generated/")
    error_message = "monitoring.dashboard must be the generated one of this cluster, by its path in the repository."
  }
}
