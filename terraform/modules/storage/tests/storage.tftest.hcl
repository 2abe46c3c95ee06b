mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::demo" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-northeast-1:123456789012:key/1" }
  }
}

variables {
  name             = "demo"
  account_id       = "123456789012"
  region           = "ap-northeast-1"
  bucket           = "demo"
  pipelines_prefix = "pipelines/"
}

run "private_and_over_tls_only" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "nothing public"
  }
  assert {
    condition     = aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "no ACLs"
  }
  assert {
    condition = jsondecode(aws_s3_bucket_policy.tls_only.policy).Statement == [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::demo", "arn:aws:s3:::demo/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "plain HTTP must be refused"
  }
}

run "encrypted_with_a_key_of_ours" {
  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule : rule.bucket_key_enabled &&
      rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" &&
      rule.apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.this[0].arn
    ])
    error_message = "KMS with a bucket key"
  }
  assert {
    condition = jsondecode(aws_kms_key.this[0].policy).Statement[1].Condition.StringEquals == {
      "kms:CallerAccount" = "123456789012"
      "kms:ViaService"    = ["s3.ap-northeast-1.amazonaws.com", "secretsmanager.ap-northeast-1.amazonaws.com"]
    }
    error_message = "the key is open to the account only, and through the two services only"
  }
}

run "encrypted_with_aws_own_key" {
  command = plan
  variables {
    encryption = "aes256"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "AES256"
  }
  assert {
    condition     = length(aws_kms_key.this) == 0 && output.key_arn == null
    error_message = "no key to pay for"
  }
}

run "versions_and_lifecycle" {
  command = plan
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "old versions are kept"
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 30
    error_message = "but not for ever"
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].expired_object_delete_marker
    error_message = "nor what tells that an object was deleted"
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[1].filter[0].prefix == "pipelines/"
    error_message = "artifacts of pipelines get cheaper"
  }
}

run "kept_unless_told_twice" {
  command = plan
  variables {
    deletable = true
  }
  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "once is not enough for a bucket with objects"
  }
}

run "told_twice" {
  command = plan
  variables {
    deletable    = true
    discard_data = true
  }
  assert {
    condition     = aws_s3_bucket.this.force_destroy
    error_message = "told twice, the bucket goes with all it holds"
  }
}

run "refuses_what_cannot_be" {
  command = plan
  variables {
    bucket           = "demo.example.com"
    pipelines_prefix = "pipelines"
    encryption       = "none"
    discard_data     = true
  }
  expect_failures = [var.bucket, var.pipelines_prefix, var.encryption, var.discard_data]
}
