resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:CloudTrail's data events, the account's to switch on, tell the same and who asked
  #checkov:skip=CKV_AWS_144:movies and results can be had again; a copy in a second region doubles the cost
  #checkov:skip=CKV_AWS_145:by KMS unless the cluster file says aes256; see the encryption configuration below
  #checkov:skip=CKV2_AWS_62:nothing waits for events of this bucket
  bucket        = var.bucket
  force_destroy = var.deletable && var.discard_data
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # One call of KMS for many objects: thousands of pods would meet its request quota.
    bucket_key_enabled = var.encryption == "kms"

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.encryption == "kms" ? "aws:kms" : "AES256"
      kms_master_key_id = local.key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}

    # What a spot interruption leaves half-uploaded costs money and is seen in no listing.
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    # What is left of an object that was deleted: listings walk over each.
    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "pipelines"
    status = "Enabled"

    filter {
      prefix = var.pipelines_prefix
    }

    transition {
      days          = 30
      storage_class = "INTELLIGENT_TIERING"
    }
  }

  # S3 refuses rules for old versions while there can be none.
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "tls_only" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "TlsOnly"
      Effect = "Deny"
      # A refusal of everybody grants nothing.
      Principal = "*"
      # All that is asked over plain HTTP.
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # Two changes of one bucket at a time collide.
  depends_on = [aws_s3_bucket_public_access_block.this]
}
