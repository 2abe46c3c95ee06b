output "bucket_arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}

output "key_arn" {
  description = "ARN of the KMS key; null with AWS's own keys."
  value       = local.key_arn
}
