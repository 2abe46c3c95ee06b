output "address" {
  description = "Host of the database, as its certificate has it."
  value       = aws_db_instance.this.address
}

output "secret_arn" {
  description = "ARN of the secret that clients read."
  value       = aws_secretsmanager_secret.database.arn
}
