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

output "worker_repository_url" {
  description = "Where the worker's images are pushed to and pulled from, without a tag."
  value       = module.registry.repository_url
}

output "database_secret_arn" {
  description = "ARN of the secret with the database's host, port, username and password; null without a database."
  value       = one(module.database[*].secret_arn)
}

output "nat_addresses" {
  description = "Public addresses that the cluster's traffic leaves from."
  value       = module.network.nat_addresses
}

output "urls" {
  description = "App to the URL of its pages; empty without a load balancer."
  value       = try(module.ingress[0].urls, {})
}

output "user_pool_id" {
  description = "Id of the Cognito user pool, for aws cognito-idp admin-create-user; null without a load balancer."
  value       = one(module.ingress[*].user_pool_id)
}

output "load_balancer_arn" {
  description = "ARN of the load balancer; null without one."
  value       = one(module.ingress[*].load_balancer_arn)
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic of alarms and budget; others may subscribe, for example a chat or a pager."
  value       = module.monitoring.topic_arn
}

output "alarm_names" {
  description = "Names of the cluster's CloudWatch alarms. What each wants is told in docs/how-to/watch-a-cluster.md."
  value       = module.monitoring.alarm_names
}
