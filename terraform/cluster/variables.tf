variable "account_id" {
  description = "AWS account that the cluster lives in; with credentials of another, nothing is planned."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must have twelve digits."
  }
}

variable "cluster_name" {
  description = "Name of the cluster; the prefix of every name that it owns."
  type        = string

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.cluster_name)) && 3 <= length(var.cluster_name) && length(var.cluster_name) <= 30
    error_message = "cluster_name must be 3 to 30 lower-case letters, digits and single hyphens, a letter first."
  }
}

variable "environment" {
  description = "What the cluster is for: development, staging or production."
  type        = string

  validation {
    condition     = contains(["development", "staging", "production"], var.environment)
    error_message = "environment must be development, staging or production."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, for example 1.35."
  type        = string

  validation {
    condition     = can(regex("^1\\.[1-9][0-9]$", var.kubernetes_version))
    error_message = "kubernetes_version must be a minor version, for example \"1.35\"."
  }
}

variable "region" {
  description = "AWS region, for example ap-northeast-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region must be an AWS region, for example ap-northeast-1."
  }
}

variable "tags" {
  description = "Tags of everything that Terraform makes."
  type        = map(string)

  validation {
    # By it the budget counts, a destroy finds what is left, and a later cluster knows its bucket.
    condition     = lookup(var.tags, "cluster", "") == var.cluster_name
    error_message = "tags must hold `cluster` with the cluster's name."
  }
}

variable "network" {
  description = "VPC, subnets by availability zone, NAT, and how the VPC CNI hands out addresses. See modules/network."
  type = object({
    vpc_cidr        = string
    pod_cidrs       = list(string)
    service_cidr    = string
    cluster_dns     = string
    private_subnets = map(string)
    public_subnets  = map(string)
    pod_subnets     = map(list(string))
    nat             = string
    flow_logs       = bool
    cni = object({
      prefix_delegation  = bool
      warm_prefix_target = optional(number)
      warm_eni_target    = optional(number)
    })
  })

  validation {
    # Kubelet's address of it is EKS's choice, and the tenth always.
    condition     = var.network.cluster_dns == try(cidrhost(var.network.service_cidr, 10), "")
    error_message = "network.cluster_dns must be the tenth address of network.service_cidr."
  }
  validation {
    condition     = alltrue([for zone in keys(var.network.private_subnets) : startswith(zone, var.region)])
    error_message = "network.private_subnets must name zones of the region."
  }
}

variable "addon_versions" {
  description = "Versions of EKS's add-ons; one left out is EKS's default when it is installed. See modules/cluster."
  type        = map(string)
}

variable "node_groups" {
  description = "Managed node groups by key. See modules/node-groups."
  type = map(object({
    ami_type        = string
    capacity_type   = string
    disk_gb         = number
    gpus            = number
    instance_types  = list(string)
    labels          = map(string)
    max_size        = number
    min_size        = number
    name            = string
    repair          = bool
    role            = string
    zones           = list(string)
    max_pods        = optional(number)
    max_unavailable = optional(number)
    model_folder    = optional(string)
    mig = optional(object({
      profile   = string
      instances = number
    }))
    mix = optional(object({
      on_demand_base       = number
      on_demand_percentage = number
      weights              = map(number)
    }))
    taints = list(object({
      key    = string
      value  = string
      effect = string
    }))
  }))
}

variable "identities" {
  description = "Role name to the workload that may take the role, and its policy. See modules/identity."
  type = map(object({
    app             = string
    namespace       = string
    service_account = string
    statements = list(object({
      Effect    = string
      Action    = list(string)
      Resource  = list(string)
      Condition = optional(map(map(list(string))))
    }))
  }))

  validation {
    condition     = alltrue([for name in keys(var.identities) : startswith(name, "${var.cluster_name}-")])
    error_message = "names of identities must begin with the cluster's: IAM's names are the account's, not the cluster's."
  }
}

variable "storage" {
  description = "Bucket and, unless null, database. `deletable` and `discard_data` are the two words without which data stays."
  type = object({
    bucket           = string
    pipelines_prefix = string
    encryption       = string
    deletable        = bool
    discard_data     = bool
    database = optional(object({
      identifier       = string
      instance_class   = string
      storage_gb       = number
      multi_az         = bool
      secret           = string
      password_version = number
    }))
  })

  validation {
    condition     = var.storage.deletable || !var.storage.discard_data
    error_message = "storage.discard_data needs storage.deletable: data is lost only when told twice."
  }
}

variable "worker_repository" {
  description = "ECR repository of the worker's images. See modules/registry."
  type        = string

  validation {
    condition     = startswith(var.worker_repository, "${var.cluster_name}/")
    error_message = "worker_repository must begin with the cluster's name: another cluster's is another state's."
  }
}

variable "argocd" {
  description = "Where Argo CD reads this cluster's manifests, and whether it is installed at the end of an apply. Nothing in AWS depends on it."
  type = object({
    repository    = string
    revision      = string
    credential    = optional(string)
    bootstrap     = bool
    applied_first = list(string)
  })
}
