variable "name" {
  description = "Name of the cluster; the prefix of names that nobody else derives."
  type        = string
}

variable "account_id" {
  description = "AWS account that may use the key through S3 and Secrets Manager."
  type        = string
}

variable "region" {
  description = "AWS region; part of the services' names in the key's policy."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be 3 to 63 lower-case letters, digits and hyphens: with dots, TLS fails."
  }
}

variable "pipelines_prefix" {
  description = "Where pipelines keep artifacts in the bucket; they move to cheaper storage when nobody reads them."
  type        = string

  validation {
    condition     = endswith(var.pipelines_prefix, "/")
    error_message = "pipelines_prefix must end in /."
  }
}

variable "encryption" {
  description = "kms: a key of ours, for the database and its secret too; aes256: AWS's own keys, without charges for each request."
  type        = string
  default     = "kms"

  validation {
    condition     = contains(["aes256", "kms"], var.encryption)
    error_message = "encryption must be kms or aes256."
  }
}

variable "deletable" {
  description = "The first word. It alone deletes nothing here: a bucket with objects still refuses."
  type        = bool
  default     = false
}

variable "discard_data" {
  description = "The second word: the bucket goes with all it holds."
  type        = bool
  default     = false

  validation {
    condition     = var.deletable || !var.discard_data
    error_message = "discard_data needs deletable: data is lost only when told twice."
  }
}
