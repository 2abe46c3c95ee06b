variable "repository" {
  description = "Name of the repository: the cluster's name, a slash, and what is kept there."
  type        = string

  validation {
    # ECR takes more; names that we derive are of this form.
    condition     = can(regex("^[a-z][a-z0-9-]*/[a-z0-9][a-z0-9-]*$", var.repository))
    error_message = "repository must be the cluster's name, a slash, and lower-case letters, digits and hyphens."
  }
}

variable "deletable" {
  description = "The first word: a destroy takes the repository with its images. Without it, ECR refuses while there is one."
  type        = bool
  default     = false
}
