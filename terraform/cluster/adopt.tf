# `make destroy` lets go of the bucket and its key, and they stay. A later cluster of the same name takes them over; made
# anew, the bucket would be refused. Its settings are no more than written again.
variable "adopt" {
  description = "Terraform's ids of the bucket, key and alias that an earlier cluster of this name left. Found by scripts/adoption.py; in no file."
  type = object({
    bucket = optional(string)
    key    = optional(string)
    alias  = optional(string)
  })
  default = {}
}

import {
  for_each = toset(compact([var.adopt.bucket]))
  to       = module.storage.aws_s3_bucket.this
  id       = each.value
}

import {
  for_each = toset(compact([var.adopt.key]))
  to       = module.storage.aws_kms_key.this[0]
  id       = each.value
}

import {
  for_each = toset(compact([var.adopt.alias]))
  to       = module.storage.aws_kms_alias.this[0]
  id       = each.value
}
