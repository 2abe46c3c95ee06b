output "urls" {
  description = "App to the URL of its pages."
  value       = local.urls
}

output "load_balancer_arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.this.arn
}

output "user_pool_id" {
  description = "Id of the Cognito user pool: who may sign in."
  value       = aws_cognito_user_pool.this.id
}

output "load_balancer_arn_suffix" {
  description = "The load balancer as CloudWatch's metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn_suffixes" {
  description = "App to its target group as CloudWatch's metrics name it."
  value       = { for app, group in aws_lb_target_group.this : app => group.arn_suffix }
}
