variable "access" {
  description = "IAM roles of administrators and of who submits batches, who reaches the API server from outside the VPC, and the way to the apps' pages. See modules/ingress."
  type = object({
    admin_role_arns       = list(string)
    submitter_role_arns   = list(string)
    cognito_domain_prefix = string
    domain                = string
    hosted_zone           = string
    load_balancer         = string
    load_balancer_name    = string
    client_cidrs          = list(string)
    routes = map(object({
      host         = string
      node_port    = number
      health_path  = string
      target_group = string
    }))
    public_endpoint = object({
      enabled = bool
      cidrs   = list(string)
    })
  })

  validation {
    condition     = alltrue([for arn in concat(var.access.admin_role_arns, var.access.submitter_role_arns) : startswith(arn, "arn:aws:iam::${var.account_id}:role/")])
    error_message = "access.admin_role_arns and access.submitter_role_arns must be roles of the cluster's own account."
  }
  validation {
    condition     = contains(["public", "internal", "none"], var.access.load_balancer)
    error_message = "access.load_balancer must be public, internal or none."
  }
  validation {
    condition     = var.access.load_balancer != "none" || length(var.access.routes) == 0
    error_message = "access.routes needs a load balancer: without one, pages are reached by port-forward."
  }
}
