locals {
  effects = { NoSchedule = "NO_SCHEDULE", NoExecute = "NO_EXECUTE", PreferNoSchedule = "PREFER_NO_SCHEDULE" }
}

resource "aws_launch_template" "this" {
  for_each = var.node_groups

  name                   = "${var.cluster_name}-${each.key}"
  update_default_version = true
  user_data              = local.user_data[each.key]

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
    # Pods must not reach the node's credentials; they have roles of their own.
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_gb
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "network-interface", "volume"]
    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = "${var.cluster_name}-${each.key}" })
    }
  }
}

resource "aws_eks_node_group" "this" {
  for_each = var.node_groups

  cluster_name    = var.cluster_name
  node_group_name = each.value.name
  node_role_arn   = aws_iam_role.node.arn
  version         = var.kubernetes_version
  subnet_ids      = [for zone in each.value.zones : var.subnet_ids[zone]]

  ami_type       = each.value.ami_type
  capacity_type  = each.value.capacity_type
  instance_types = each.value.instance_types
  labels         = each.value.labels

  launch_template {
    id      = aws_launch_template.this[each.key].id
    version = aws_launch_template.this[each.key].latest_version
  }

  scaling_config {
    min_size     = each.value.min_size
    max_size     = each.value.max_size
    desired_size = each.value.min_size
  }

  update_config {
    max_unavailable            = try(coalesce(each.value.max_unavailable, each.value.role == "system" ? 1 : null), null)
    max_unavailable_percentage = each.value.max_unavailable == null && each.value.role != "system" ? 10 : null
  }

  node_repair_config {
    enabled = each.value.repair
  }

  dynamic "taint" {
    for_each = each.value.taints
    content {
      key    = taint.value.key
      value  = taint.value.value
      effect = local.effects[taint.value.effect]
    }
  }

  lifecycle {
    # Its pods need somewhere to go, CoreDNS's above all.
    create_before_destroy = true
    # cluster-autoscaler's.
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node, var.log_groups]
}
