variable "oidc_provider_arn" {
  description = "ARN of the cluster's IAM OIDC provider."
  type        = string
}

variable "oidc_issuer" {
  description = "Issuer of the cluster's ServiceAccount tokens, without https://."
  type        = string

  validation {
    condition     = !startswith(var.oidc_issuer, "https://")
    error_message = "oidc_issuer must not begin with https://: the keys of trust conditions do not."
  }
}

variable "identities" {
  description = "Role name to the workload that may take the role, and the statements of its policy."
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
    condition     = alltrue([for name in keys(var.identities) : length(name) <= 64])
    error_message = "names of roles must have 64 characters at most."
  }
  validation {
    condition = alltrue([
      for identity in var.identities : !strcontains("${identity.namespace}${identity.service_account}", "*")
    ])
    error_message = "a role is for one exact ServiceAccount: no `*` in namespace or service_account."
  }
  validation {
    condition = length(var.identities) == length(distinct([
      for identity in var.identities : "${identity.namespace}/${identity.service_account}"
    ]))
    error_message = "two roles are for one ServiceAccount, which can be annotated with one only."
  }
  validation {
    condition     = alltrue([for identity in var.identities : length(identity.statements) > 0])
    error_message = "an identity without statements grants nothing; leave it out."
  }
  validation {
    condition = alltrue(flatten([
      for identity in var.identities : [for statement in identity.statements : contains(["Allow", "Deny"], statement.Effect)]
    ]))
    error_message = "Effect must be Allow or Deny."
  }
  validation {
    condition = alltrue(flatten([
      for identity in var.identities : [
        for statement in identity.statements : [for action in statement.Action : !strcontains(action, "*")]
      ]
    ]))
    error_message = "name actions in full: no `*` in Action."
  }
  validation {
    # What lists or describes has no ARN to name, nor have the two exceptions, which read only.
    condition = alltrue(flatten([
      for identity in var.identities : [
        for statement in identity.statements : [
          for action in statement.Action : can(regex(
            "^([a-z0-9-]+:(Describe|List)|ec2:GetInstanceTypesFromInstanceRequirements$|secretsmanager:BatchGetSecretValue$)", action
          ))
        ] if statement.Effect == "Allow" && statement.Condition == null && contains(statement.Resource, "*")
      ]
    ]))
    error_message = "Resource `*` without a Condition is for actions that list or describe; name ARNs for the others."
  }
}
