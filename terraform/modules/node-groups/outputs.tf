output "auto_scaling_groups" {
  description = "Key of the node group to name of the Auto Scaling group that EKS made for it."
  value       = { for name, group in aws_eks_node_group.this : name => group.resources[0].autoscaling_groups[0].name }
}

output "node_role_arn" {
  description = "ARN of the role of every node."
  value       = aws_iam_role.node.arn
}
