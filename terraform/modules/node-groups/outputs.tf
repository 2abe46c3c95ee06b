output "auto_scaling_groups" {
  description = "Key of the node group to name of the Auto Scaling group that EKS made for it."
  value       = { for name, group in aws_eks_node_group.this : name => group.resources[0].autoscaling_groups[0].name }
}

output "spot_revisions" {
  description = "Key of each SPOT node group to all that makes EKS write its Auto Scaling group, and to its mix."
  value = {
    for name, group in aws_eks_node_group.this : name => {
      auto_scaling_group      = group.resources[0].autoscaling_groups[0].name
      launch_template_version = group.launch_template[0].version
      release_version         = group.release_version
      declared                = var.node_groups[name]
    } if var.node_groups[name].capacity_type == "SPOT"
  }
}

output "node_role_arn" {
  description = "ARN of the role of every node."
  value       = aws_iam_role.node.arn
}
