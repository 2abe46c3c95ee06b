variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of the nodes; the control plane's."
  type        = string
}

variable "subnet_ids" {
  description = "Availability zone to id of its private subnet."
  type        = map(string)
}

variable "tags" {
  description = "Tags for instances, volumes and interfaces: the provider's default tags do not reach what Auto Scaling starts."
  type        = map(string)
  default     = {}
}

variable "log_groups" {
  description = "Log groups that agents on the nodes write to. They are made before the nodes and removed after them, or the agents would make them anew, without an end."
  type        = list(string)
  default     = []
}

variable "node_groups" {
  description = <<-EOT
    Managed node groups by key. `name`: the name in AWS; it must change with `capacity_type`, `instance_types`,
    `ami_type` and `zones`, which AWS cannot change in place: the new group then starts before the old one goes.
    `gpus`: what a node offers as nvidia.com/gpu. `mig`: each GPU as so many instances of one MIG profile, made as a
    node starts; the NVIDIA device plugin must run with the strategy `single`. `max_pods`: kubelet's limit; null leaves
    it to EKS. `model_folder`: a folder that each node makes as it boots, for pods that run as user and group 1000; null: none.
    `zones`: those whose subnets the group's nodes stand in. `max_unavailable`: nodes replaced at once in an update;
    null is a tenth of the group, or one in a system group. `mix`: on-demand nodes within a SPOT group; EKS knows
    none, so scripts/spot_mix.py writes it; it counts as what keeps CoreDNS alive. `repair`: EKS replaces nodes that
    stay unhealthy.
  EOT
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

  validation {
    condition     = length(var.node_groups) <= 30
    error_message = "node_groups may hold 30 groups, by AWS's quota."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : contains(["ON_DEMAND", "SPOT"], group.capacity_type)])
    error_message = "capacity_type must be ON_DEMAND or SPOT."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : can(regex("^AL2023_(x86_64|ARM_64)_(STANDARD|NVIDIA)$", group.ami_type))])
    error_message = "ami_type must be AL2023, STANDARD or NVIDIA: the user data here is for its nodeadm."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : endswith(group.ami_type, "_NVIDIA") == (group.gpus > 0)])
    error_message = "a group with gpus needs an NVIDIA ami_type, and one without needs STANDARD."
  }
  validation {
    condition = alltrue([
      for group in var.node_groups : group.mig == null || try(
        can(regex("^[1-7]g\\.[0-9]+gb$", group.mig.profile)) && 1 <= group.mig.instances && group.mig.instances <= 7 &&
        group.gpus > 0 && group.gpus % group.mig.instances == 0, false
      )
    ])
    error_message = "mig is for groups with gpus: a profile such as 1g.10gb, and 1 to 7 instances, of which gpus is a multiple."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : 0 <= group.min_size && group.min_size <= group.max_size && 1 <= group.max_size && group.max_size <= 450])
    error_message = "min_size must not exceed max_size, and max_size must lie between 1 and 450, AWS's quota of nodes in a group."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : group.max_pods == null || try(group.max_pods >= 8 && group.max_pods <= 737, false)])
    error_message = "max_pods must lie between 8 and 737, what the smallest and the largest instances take."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : group.model_folder == null || can(regex("^(/[a-z0-9-]+){3,}$", group.model_folder))])
    error_message = "model_folder must be a path of small letters, digits and hyphens, three folders deep or deeper: a script that runs as root makes it."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : contains(["system", "worker"], group.role)])
    error_message = "role must be system or worker."
  }
  validation {
    condition = anytrue([
      for group in var.node_groups : group.role == "system" && group.min_size >= 1 &&
      (group.capacity_type == "ON_DEMAND" || try(group.mix.on_demand_base >= 1, false))
    ])
    error_message = "one system group must have min_size 1 or more and be ON_DEMAND, or have mix.on_demand_base 1 or more: CoreDNS does not survive on spot alone."
  }
  validation {
    condition     = alltrue(flatten([for group in var.node_groups : [for taint in group.taints : contains(["NoSchedule", "NoExecute", "PreferNoSchedule"], taint.effect)]]))
    error_message = "a taint's effect must be NoSchedule, NoExecute or PreferNoSchedule."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : length(setsubtract(group.zones, keys(var.subnet_ids))) == 0])
    error_message = "zones must be among those of subnet_ids."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : length(group.zones) > 0])
    error_message = "zones must name a zone."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : 1 <= length(group.instance_types) && length(group.instance_types) <= 20])
    error_message = "instance_types must name 1 to 20 types, EKS's limit."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : 20 <= group.disk_gb && group.disk_gb <= 16384])
    error_message = "disk_gb must lie between 20, the size of the image, and 16384, gp3's limit."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : group.max_unavailable == null || try(1 <= group.max_unavailable && group.max_unavailable <= 100, false)])
    error_message = "max_unavailable must lie between 1 and 100, EKS's limit."
  }
  validation {
    condition = alltrue([
      for group in var.node_groups : group.mix == null || try(
        group.capacity_type == "SPOT" && group.mix.on_demand_base >= 0 &&
        0 <= group.mix.on_demand_percentage && group.mix.on_demand_percentage <= 100, false
      )
    ])
    error_message = "a mix is for SPOT groups: on_demand_base 0 or more, on_demand_percentage 0 to 100."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", group.name))])
    error_message = "name must have 63 letters, digits, hyphens and underscores at most, EKS's limit."
  }
  validation {
    condition     = length(distinct([for group in var.node_groups : group.name])) == length(var.node_groups)
    error_message = "each group's name must be its own."
  }
  validation {
    # AWS allows 128 characters in a tag's key, and the prefix that cluster-autoscaler reads takes 46.
    condition     = alltrue(flatten([for group in var.node_groups : [for key in concat(keys(group.labels), group.taints[*].key) : length(key) <= 82]]))
    error_message = "keys of labels and taints must have 82 characters at most: they become keys of Auto Scaling tags."
  }
}
