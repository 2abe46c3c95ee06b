# What cluster-autoscaler cannot see while a group has no node: it reads these tags of the Auto Scaling group.
locals {
  template = "k8s.io/cluster-autoscaler/node-template"

  autoscaler_tags = merge([
    for name, group in var.node_groups : {
      for key, value in merge(
        {
          "k8s.io/cluster-autoscaler/enabled"             = "true"
          "k8s.io/cluster-autoscaler/${var.cluster_name}" = "owned"
          "${local.template}/resources/ephemeral-storage" = "${group.disk_gb}Gi"
        },
        # Without it, cluster-autoscaler plans with 110 pods on a node of any size.
        group.max_pods == null ? {} : { "${local.template}/resources/pods" = tostring(group.max_pods) },
        group.gpus > 0 ? { "${local.template}/resources/nvidia.com/gpu" = tostring(group.gpus) } : {},
        { for label, value in group.labels : "${local.template}/label/${label}" => value },
        { for taint in group.taints : "${local.template}/taint/${taint.key}" => "${taint.value}:${taint.effect}" },
      ) : "${name} ${key}" => { group = name, key = key, value = value }
    }
  ]...)
}

resource "aws_autoscaling_group_tag" "this" {
  for_each = local.autoscaler_tags

  autoscaling_group_name = aws_eks_node_group.this[each.value.group].resources[0].autoscaling_groups[0].name

  tag {
    key                 = each.value.key
    value               = each.value.value
    propagate_at_launch = false
  }
}
