terraform {
  required_version = ">= 1.11, < 2"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }

  # Bucket, key and region are given at init: one state a cluster. A lock file beside it keeps two applies apart.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
