variable "cluster_name" {
  description = "Name of the cluster that the pages belong to."
  type        = string
}

variable "load_balancer_name" {
  description = "Name of the load balancer and its security group."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{0,30}[a-zA-Z0-9]$", var.load_balancer_name)) && !startswith(var.load_balancer_name, "internal-")
    error_message = "load_balancer_name must be 2 to 32 letters, digits and hyphens, a hyphen neither first nor last, and not begin with internal-."
  }
}

variable "internal" {
  description = "Reached from the VPC and what is connected to it, not from the internet."
  type        = bool
}

variable "vpc_id" {
  description = "VPC of the subnets."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the load balancer, in two zones or more: public ones, or private ones where it is internal."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name two subnets or more."
  }
}

variable "client_cidrs" {
  description = "Blocks whose browsers reach the load balancer."
  type        = list(string)

  validation {
    # Two inbound rules a block, of a security group's 60.
    condition     = 1 <= length(var.client_cidrs) && length(var.client_cidrs) <= 25
    error_message = "client_cidrs must name 1 to 25 blocks."
  }
  validation {
    condition     = alltrue([for block in var.client_cidrs : can(cidrnetmask(block))])
    error_message = "client_cidrs must be blocks of IPv4 addresses, for example 203.0.113.0/24."
  }
}

variable "node_security_group_id" {
  description = "Security group of the nodes."
  type        = string
}

variable "auto_scaling_groups" {
  description = "Node group to name of its Auto Scaling group: the groups whose nodes pass requests on."
  type        = map(string)

  validation {
    condition     = length(var.auto_scaling_groups) > 0
    error_message = "auto_scaling_groups must name one group or more, or no node serves the pages."
  }
}

variable "domain" {
  description = "Name below which the pages' hosts lie; the certificate's name."
  type        = string

  validation {
    condition     = length(var.domain) <= 64
    error_message = "domain must have 64 characters at most, by ACM's limit."
  }
}

variable "hosted_zone" {
  description = "Name of the public Route 53 zone of this account that the domain lies in."
  type        = string

  validation {
    condition     = endswith(".${var.domain}", ".${var.hosted_zone}")
    error_message = "domain must lie in hosted_zone."
  }
}

variable "cognito_domain_prefix" {
  description = "First label of the login pages' host name, unique among all accounts of the region."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.cognito_domain_prefix)) && !can(regex("aws|amazon|cognito", var.cognito_domain_prefix))
    error_message = "cognito_domain_prefix must be 1 to 63 lower-case letters, digits and hyphens, without the words aws, amazon, cognito."
  }
}

variable "routes" {
  description = "App to where its pages are: host name in full, port on the nodes, path that answers 200, and name of the target group."
  type = map(object({
    host         = string
    node_port    = number
    health_path  = string
    target_group = string
  }))

  validation {
    condition     = length(var.routes) > 0
    error_message = "routes must hold one route or more: a load balancer without pages only costs."
  }
  validation {
    condition     = alltrue([for route in var.routes : can(regex("^[a-z0-9-]+$", trimsuffix(route.host, ".${var.domain}")))])
    error_message = "a host must be one label below the domain: the certificate is for those."
  }
  validation {
    condition     = alltrue([for route in var.routes : 30000 <= route.node_port && route.node_port <= 32767])
    error_message = "a node_port must lie between 30000 and 32767, Kubernetes' range."
  }
  validation {
    condition     = alltrue([for route in var.routes : startswith(route.health_path, "/")])
    error_message = "a health_path must begin with a slash."
  }
  validation {
    condition     = alltrue([for route in var.routes : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$", route.target_group))])
    error_message = "a target_group must have a name of 32 letters, digits and hyphens at most, a hyphen neither first nor last."
  }
  validation {
    condition     = alltrue([for key in ["host", "node_port", "target_group"] : length(distinct([for route in var.routes : route[key]])) == length(var.routes)])
    error_message = "no two routes may share a host, a node_port or a target_group."
  }
}

variable "deletable" {
  description = "The user pool may be deleted, and with it who may sign in."
  type        = bool
  default     = false
}
