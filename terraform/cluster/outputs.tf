output "cluster_name" {
  description = "Name of the cluster, for aws eks update-kubeconfig."
  value       = module.cluster.name
}

output "cluster_endpoint" {
  description = "URL of the API server."
  value       = module.cluster.endpoint
}

output "cluster_certificate_authority" {
  description = "The API server's CA certificate, base64."
  value       = module.cluster.certificate_authority
}

output "auto_scaling_groups" {
  description = "Node group to the Auto Scaling group that EKS made for it."
  value       = module.node_groups.auto_scaling_groups
}

output "role_arns" {
  description = "Name of each workload's IAM role to its ARN."
  value       = module.identity.role_arns
}

output "bucket_arn" {
  description = "ARN of the cluster's bucket."
  value       = module.storage.bucket_arn
}

output "database_secret_arn" {
  description = "ARN of the secret with the database's host, port, username and password; null without a database."
  value       = one(module.database[*].secret_arn)
}

output "nat_addresses" {
  description = "Public addresses that the cluster's traffic leaves from."
  value       = module.network.nat_addresses
}
