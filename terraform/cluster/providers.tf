provider "aws" {
  region = var.region
  # The wrong credentials in the shell must not build a second cluster elsewhere.
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = var.tags
  }
}
