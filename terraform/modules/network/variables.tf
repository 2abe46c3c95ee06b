variable "name" {
  description = "Name of the cluster; the prefix of every name here."
  type        = string
}

variable "region" {
  description = "AWS region; part of the names of VPC endpoint services."
  type        = string
}

variable "vpc_cidr" {
  description = "Primary block of the VPC."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr))
    error_message = "vpc_cidr must be an IPv4 block, for example 10.20.0.0/16."
  }
}

variable "pod_cidrs" {
  description = "Secondary blocks of the VPC, for pods."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.pod_cidrs) <= 4
    error_message = "pod_cidrs may hold four blocks: a VPC has five at most."
  }
  validation {
    condition     = alltrue([for block in var.pod_cidrs : can(cidrnetmask(block))])
    error_message = "pod_cidrs must be IPv4 blocks, for example 100.64.0.0/16."
  }
}

variable "private_subnets" {
  description = "Availability zone to block: nodes, database, VPC endpoints."
  type        = map(string)

  validation {
    condition     = length(var.private_subnets) >= 2
    error_message = "private_subnets must name two zones or more: EKS and RDS ask for two."
  }
  validation {
    condition     = alltrue([for block in values(var.private_subnets) : can(cidrnetmask(block))])
    error_message = "private_subnets must give each zone an IPv4 block, for example 10.20.0.0/18."
  }
}

variable "public_subnets" {
  description = "Availability zone to block: load balancers and NAT gateways. The same zones as private_subnets."
  type        = map(string)

  validation {
    condition     = keys(var.public_subnets) == keys(var.private_subnets)
    error_message = "public_subnets must name the zones of private_subnets: each zone's NAT gateway stands in its public subnet."
  }
  validation {
    condition     = alltrue([for block in values(var.public_subnets) : can(cidrnetmask(block))])
    error_message = "public_subnets must give each zone an IPv4 block, for example 10.20.192.0/22."
  }
}

variable "pod_subnets" {
  description = "Availability zone to blocks out of pod_cidrs. Zones must be among those of private_subnets."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.pod_subnets), keys(var.private_subnets))) == 0
    error_message = "pod_subnets names a zone that private_subnets lacks: the CNI uses subnets in the node's own zone only."
  }
  validation {
    condition     = alltrue([for block in flatten(values(var.pod_subnets)) : can(cidrnetmask(block))])
    error_message = "pod_subnets must give each zone IPv4 blocks, for example 100.64.0.0/18."
  }
}

variable "nat" {
  description = "per-zone: one NAT gateway a zone; single: one for all, cheaper, whose zone's loss cuts every zone off."
  type        = string
  default     = "per-zone"

  validation {
    condition     = contains(["per-zone", "single"], var.nat)
    error_message = "nat must be per-zone or single."
  }
}

variable "interface_endpoints" {
  description = "AWS services reached within the VPC rather than through NAT."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "logs", "sts"]

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z][a-z0-9.-]*$", service)) && !startswith(service, "com.amazonaws.") && service != "s3"])
    error_message = "interface_endpoints must be short names of services, for example ecr.api; S3 has its own endpoint, which is free."
  }
}

variable "flow_logs" {
  description = "Record VPC flow logs in CloudWatch Logs."
  type        = bool
  default     = false
}

variable "flow_logs_retention_days" {
  description = "Days that flow logs are kept."
  type        = number
  default     = 30
}
