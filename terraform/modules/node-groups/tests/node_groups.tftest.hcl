mock_provider "aws" {
  mock_resource "aws_eks_node_group" {
    defaults = { resources = [{ autoscaling_groups = [{ name = "eks-workers-1" }], remote_access_security_group_id = "" }] }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/demo-node" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  cluster_name       = "demo"
  kubernetes_version = "1.35"
  subnet_ids         = { ap-northeast-1a = "subnet-a", ap-northeast-1c = "subnet-c" }
  tags               = { cluster = "demo" }
  node_groups = {
    system = {
      ami_type       = "AL2023_x86_64_STANDARD"
      capacity_type  = "ON_DEMAND"
      disk_gb        = 100
      gpus           = 0
      instance_types = ["m6i.xlarge"]
      labels         = { "inference-fleet/role" = "system" }
      max_size       = 6
      min_size       = 3
      name           = "system-00000001"
      repair         = true
      role           = "system"
      taints         = [{ key = "CriticalAddonsOnly", value = "true", effect = "NoSchedule" }]
      zones          = ["ap-northeast-1a", "ap-northeast-1c"]
    }
    gpu = {
      ami_type       = "AL2023_x86_64_NVIDIA"
      capacity_type  = "SPOT"
      disk_gb        = 200
      gpus           = 4
      instance_types = ["g5.xlarge"]
      labels         = { "k8s.amazonaws.com/accelerator" = "a10g" }
      max_pods       = 110
      model_folder   = "/var/lib/inference-fleet/models"
      max_size       = 40
      min_size       = 0
      name           = "gpu-00000001"
      repair         = true
      role           = "worker"
      taints         = [{ key = "nvidia.com/gpu", value = "present", effect = "NoSchedule" }]
      zones          = ["ap-northeast-1c"]
    }
  }
}

run "launch_templates" {
  command = plan
  assert {
    condition = alltrue([
      for template in aws_launch_template.this :
      template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1
    ])
    error_message = "IMDSv2 only, out of reach of pods"
  }
  assert {
    condition = alltrue([
      for name, template in aws_launch_template.this :
      template.block_device_mappings[0].ebs[0].volume_type == "gp3" &&
      template.block_device_mappings[0].ebs[0].encrypted == "true" &&
      template.block_device_mappings[0].ebs[0].volume_size == var.node_groups[name].disk_gb
    ])
    error_message = "gp3, encrypted, as large as asked for"
  }
  assert {
    condition     = strcontains(base64decode(aws_launch_template.this["gpu"].user_data), "\"spec\":{\"kubelet\":{\"config\":{\"maxPods\":110}}}")
    error_message = "max_pods must reach kubelet"
  }
  assert {
    condition     = aws_launch_template.this["system"].user_data == null
    error_message = "without max_pods EKS decides"
  }
  assert {
    condition = base64decode(aws_launch_template.this["gpu"].user_data) == join("\n", [
      "MIME-Version: 1.0",
      "Content-Type: multipart/mixed; boundary=\"//\"",
      "",
      "--//",
      "Content-Type: application/node.eks.aws",
      "",
      jsonencode({ apiVersion = "node.eks.aws/v1alpha1", kind = "NodeConfig", spec = { kubelet = { config = { maxPods = 110 } } } }),
      "--//",
      "Content-Type: text/x-shellscript; charset=\"us-ascii\"",
      "",
      "#!/bin/sh",
      "exec install -d -o 1000 -g 1000 -m 2770 /var/lib/inference-fleet/models",
      "",
      "--//--",
      "",
    ])
    error_message = "a node makes its folder for models before the kubelet starts"
  }
  assert {
    condition     = toset([for each in aws_launch_template.this["gpu"].tag_specifications : each.resource_type if each.tags.cluster == "demo"]) == toset(["instance", "network-interface", "volume"])
    error_message = "whatever a launch makes must be tagged"
  }
}

run "a_folder_without_max_pods" {
  command = plan
  variables {
    node_groups = merge(var.node_groups, { gpu = merge(var.node_groups.gpu, { max_pods = null }) })
  }
  assert {
    condition     = length(split("--//\n", base64decode(aws_launch_template.this["gpu"].user_data))) == 2
    error_message = "each part stands for itself"
  }
}

run "groups" {
  command = plan
  assert {
    condition     = aws_eks_node_group.this["gpu"].node_group_name == "gpu-00000001"
    error_message = "the name that the generators gave"
  }
  assert {
    condition     = aws_eks_node_group.this["gpu"].subnet_ids == toset(["subnet-c"]) && length(aws_eks_node_group.this["system"].subnet_ids) == 2
    error_message = "a group stands in its zones, or in all"
  }
  assert {
    condition     = aws_eks_node_group.this["system"].capacity_type == "ON_DEMAND" && aws_eks_node_group.this["gpu"].capacity_type == "SPOT"
    error_message = "each group is of the capacity asked for"
  }
  assert {
    condition     = aws_eks_node_group.this["system"].update_config[0].max_unavailable == 1 && aws_eks_node_group.this["gpu"].update_config[0].max_unavailable_percentage == 10
    error_message = "system nodes are replaced one by one, workers by tenths"
  }
  assert {
    condition     = alltrue([for group in aws_eks_node_group.this : group.node_repair_config[0].enabled])
    error_message = "EKS must replace broken nodes"
  }
  assert {
    condition     = one(aws_eks_node_group.this["gpu"].taint).effect == "NO_SCHEDULE"
    error_message = "EKS spells effects its own way"
  }
  assert {
    condition     = alltrue([for group in aws_eks_node_group.this : group.version == "1.35"])
    error_message = "nodes must follow the control plane"
  }
}

run "scale_from_zero" {
  assert {
    condition = {
      for key, tag in aws_autoscaling_group_tag.this : tag.tag[0].key => tag.tag[0].value if startswith(key, "gpu ")
      } == {
      "k8s.io/cluster-autoscaler/enabled"                                           = "true"
      "k8s.io/cluster-autoscaler/demo"                                              = "owned"
      "k8s.io/cluster-autoscaler/node-template/label/k8s.amazonaws.com/accelerator" = "a10g"
      "k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage"         = "200Gi"
      "k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/gpu"            = "4"
      "k8s.io/cluster-autoscaler/node-template/resources/pods"                      = "110"
      "k8s.io/cluster-autoscaler/node-template/taint/nvidia.com/gpu"                = "present:NoSchedule"
    }
    error_message = "cluster-autoscaler must know an empty group's nodes"
  }
  assert {
    condition     = output.auto_scaling_groups["gpu"] == "eks-workers-1"
    error_message = "tags belong on the Auto Scaling group that EKS made"
  }
}

run "spot_revisions" {
  assert {
    condition     = keys(output.spot_revisions) == ["gpu"]
    error_message = "on-demand groups have no spot mix"
  }
  assert {
    condition     = output.spot_revisions["gpu"].auto_scaling_group == "eks-workers-1" && output.spot_revisions["gpu"].launch_template_version == "1"
    error_message = "what EKS writes an Auto Scaling group for"
  }
}

run "the_node_role_is_minimal" {
  command = plan
  assert {
    condition     = keys(aws_iam_role_policy_attachment.node) == ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"]
    error_message = "joining and pulling, no more"
  }
}

run "max_unavailable_by_choice" {
  command = plan
  variables {
    node_groups = { for name, group in var.node_groups : name => merge(group, { max_unavailable = 5, repair = false }) }
  }
  assert {
    condition     = alltrue([for group in aws_eks_node_group.this : group.update_config[0].max_unavailable == 5 && group.update_config[0].max_unavailable_percentage == null])
    error_message = "as asked for"
  }
  assert {
    condition     = !anytrue([for group in aws_eks_node_group.this : group.node_repair_config[0].enabled])
    error_message = "repair can be switched off"
  }
}
