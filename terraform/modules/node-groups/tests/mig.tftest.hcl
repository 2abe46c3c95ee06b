mock_provider "aws" {}

variables {
  cluster_name       = "demo"
  kubernetes_version = "1.35"
  subnet_ids         = { ap-northeast-1a = "subnet-a" }
  system = {
    ami_type       = "AL2023_x86_64_STANDARD"
    capacity_type  = "ON_DEMAND"
    disk_gb        = 100
    gpus           = 0
    instance_types = ["m6i.xlarge"]
    labels         = {}
    max_size       = 6
    min_size       = 3
    name           = "system-00000001"
    repair         = true
    role           = "system"
    taints         = []
    zones          = ["ap-northeast-1a"]
  }
  gpu = {
    ami_type       = "AL2023_x86_64_NVIDIA"
    capacity_type  = "ON_DEMAND"
    disk_gb        = 200
    gpus           = 56
    instance_types = ["p5.48xlarge"]
    labels         = {}
    max_pods       = 110
    max_size       = 4
    mig            = { profile = "1g.10gb", instances = 7 }
    min_size       = 0
    model_folder   = "/var/lib/inference-fleet/models"
    name           = "gpu-00000001"
    repair         = true
    role           = "worker"
    taints         = []
    zones          = ["ap-northeast-1a"]
  }
}

run "partitioned" {
  command = plan
  variables {
    node_groups = { system = var.system, gpu = var.gpu }
  }
  assert {
    condition = alltrue([
      for line in [
        "Content-Type: application/node.eks.aws",
        "Content-Type: text/x-shellscript",
        "kubelet.service.requires/partition-gpus.service",
        "Before=kubelet.service",
        "ExecStart=/bin/bash /usr/local/lib/partition-gpus 1g.10gb 7",
        filebase64("partition-gpus.sh"),
      ] : strcontains(base64decode(aws_launch_template.this["gpu"].user_data), line)
    ])
    error_message = "kubelet must find the GPUs partitioned, or not start"
  }
  assert {
    condition     = length(split("--//\n", base64decode(aws_launch_template.this["gpu"].user_data))) == 4
    error_message = "kubelet's configuration, the folder and MIG are parts of their own"
  }
  assert {
    condition     = aws_launch_template.this["system"].user_data == null
    error_message = "each group has its own"
  }
  assert {
    condition     = length(aws_launch_template.this["gpu"].user_data) <= 16384
    error_message = "EC2 takes 16 KB of user data"
  }
}

run "not_partitioned" {
  command = plan
  variables {
    node_groups = { system = var.system, gpu = merge(var.gpu, { mig = null }) }
  }
  assert {
    condition     = !strcontains(base64decode(aws_launch_template.this["gpu"].user_data), "partition-gpus")
    error_message = "nothing but MIG partitions GPUs"
  }
}

run "refuses_mig_without_gpus" {
  command = plan
  variables {
    node_groups = { system = merge(var.system, { mig = { profile = "1g.10gb", instances = 7 } }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_gpus_that_are_not_all_instances" {
  command = plan
  variables {
    node_groups = { system = var.system, gpu = merge(var.gpu, { gpus = 8 }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_profile_that_a_shell_reads_otherwise" {
  command = plan
  variables {
    node_groups = { system = var.system, gpu = merge(var.gpu, { mig = { profile = "1g.10gb; reboot", instances = 7 } }) }
  }
  expect_failures = [var.node_groups]
}
