variable "cluster_name" {
  description = "Name of the cluster that the database is for."
  type        = string
}

variable "identifier" {
  description = "Identifier of the RDS instance; the prefix of its other names."
  type        = string

  validation {
    # A final snapshot's name adds 21 characters to it, and may have 255.
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.identifier)) && length(var.identifier) <= 63
    error_message = "identifier must be 63 lower-case letters, digits and single hyphens at most, a letter first."
  }
}

variable "instance_class" {
  description = "RDS instance class, for example db.t4g.medium."
  type        = string

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class must be a class of RDS, for example db.t4g.medium."
  }
}

variable "storage_gb" {
  description = "Size at first, in GiB; it grows by itself to the double."
  type        = number

  validation {
    condition     = var.storage_gb >= 20 && var.storage_gb <= 65536
    error_message = "storage_gb must lie between 20 and 65536, RDS's limits."
  }
}

variable "multi_az" {
  description = "A standby in a second zone."
  type        = bool
}

variable "secret" {
  description = "Name of the Secrets Manager secret with host, port, username and password."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9/_+=.@-]{1,512}$", var.secret))
    error_message = "secret must be 512 letters, digits and /_+=.@- at most."
  }
}

variable "password_version" {
  description = "One more than before makes a new password, in the database and in the secret."
  type        = number
  default     = 1

  validation {
    condition     = var.password_version >= 1
    error_message = "password_version must be 1 or more."
  }
}

variable "key_arn" {
  description = "KMS key of the database and its secret; null is AWS's own keys."
  type        = string
  default     = null
}

variable "vpc_id" {
  description = "VPC of the subnets."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in two zones or more."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name two subnets or more: RDS asks for two zones."
  }
}

variable "client_security_group_id" {
  description = "Security group whose members may connect: the nodes'."
  type        = string
}

variable "log_retention_days" {
  description = "Days that the error and slow query logs are kept."
  type        = number
  default     = 30
}

variable "deletable" {
  description = "The first word: the database may be deleted, which leaves a final snapshot."
  type        = bool
  default     = false
}

variable "discard_data" {
  description = "The second word: no final snapshot."
  type        = bool
  default     = false

  validation {
    condition     = var.deletable || !var.discard_data
    error_message = "discard_data needs deletable: data is lost only when told twice."
  }
}
