variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, for example 1.35. EKS goes up one minor at a time and never down."
  type        = string

  validation {
    condition     = can(regex("^1\\.[1-9][0-9]$", var.kubernetes_version))
    error_message = "kubernetes_version must be a minor version, for example \"1.35\"."
  }
}

variable "subnet_ids" {
  description = "Private subnets, in two zones or more, for the control plane's network interfaces."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name two subnets or more: EKS asks for two zones."
  }
}

variable "service_cidr" {
  description = "Block of Kubernetes Service addresses. It cannot be changed later."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.service_cidr))
    error_message = "service_cidr must be an IPv4 block, for example 172.20.0.0/16."
  }
}

variable "admin_role_arns" {
  description = "IAM roles that administer the cluster."
  type        = set(string)

  validation {
    condition     = length(var.admin_role_arns) > 0
    error_message = "admin_role_arns must name a role: nobody could enter the cluster, not even who created it."
  }
  validation {
    condition     = alltrue([for arn in var.admin_role_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^*]+$", arn))])
    error_message = "admin_role_arns must be ARNs of IAM roles: people enter by a role, and root is never an administrator."
  }
}

variable "submitters" {
  description = "IAM roles that submit batches: in Kubernetes the group inference-fleet:submitters, which has a Role of apps/gpu-inference."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setintersection(var.submitters, var.admin_role_arns)) == 0
    error_message = "submitters and admin_role_arns must be apart: EKS has one access entry a role."
  }
}

variable "public_endpoint" {
  description = "Who reaches the API server from outside the VPC: enabled or not, and from which blocks."
  type = object({
    enabled = bool
    cidrs   = list(string)
  })
  default = { enabled = false, cidrs = [] }

  validation {
    condition     = var.public_endpoint.enabled == (length(var.public_endpoint.cidrs) > 0)
    error_message = "public_endpoint must name blocks when it is enabled, and none when it is not."
  }
  validation {
    condition     = alltrue([for block in var.public_endpoint.cidrs : can(cidrnetmask(block))])
    error_message = "public_endpoint.cidrs must be IPv4 blocks, for example 203.0.113.0/24."
  }
}

variable "control_plane_logs" {
  description = "Logs of the control plane that go to CloudWatch Logs."
  type        = set(string)
  default     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  validation {
    condition     = length(setsubtract(var.control_plane_logs, ["api", "audit", "authenticator", "controllerManager", "scheduler"])) == 0
    error_message = "control_plane_logs may name api, audit, authenticator, controllerManager and scheduler."
  }
}

variable "log_retention_days" {
  description = "Days that the control plane's logs are kept."
  type        = number
  default     = 90
}

variable "cni" {
  description = "How the VPC CNI hands out addresses. A target that is null keeps the CNI's own default."
  type = object({
    prefix_delegation  = bool
    warm_prefix_target = optional(number)
    warm_eni_target    = optional(number)
  })
  default = { prefix_delegation = false }

  validation {
    condition     = var.cni.prefix_delegation || var.cni.warm_prefix_target == null
    error_message = "cni.warm_prefix_target needs cni.prefix_delegation."
  }
  validation {
    condition     = !(var.cni.prefix_delegation && var.cni.warm_eni_target != null)
    error_message = "cni.warm_eni_target is for single addresses; with cni.prefix_delegation set warm_prefix_target."
  }
  validation {
    condition     = alltrue([for target in [var.cni.warm_prefix_target, var.cni.warm_eni_target] : target == null ? true : target >= 1])
    error_message = "targets of cni must be 1 or more: without a spare address each new pod waits for EC2."
  }
}

variable "node_monitoring" {
  description = "Install EKS's node monitoring agent, which tells node repair of failing GPUs, disks and interfaces."
  type        = bool
  default     = true
}

variable "addon_versions" {
  description = "Versions of vpc-cni, kube-proxy and eks-node-monitoring-agent, for example v1.22.0-eksbuild.1. One left out is EKS's default when the add-on is made, and then stays."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.addon_versions), ["eks-node-monitoring-agent", "kube-proxy", "vpc-cni"])) == 0
    error_message = "addon_versions may name vpc-cni, kube-proxy and eks-node-monitoring-agent only: CoreDNS is Argo CD's."
  }
}
