mock_provider "aws" {}

variables {
  cluster_name       = "demo"
  kubernetes_version = "1.35"
  subnet_ids         = { ap-northeast-1a = "subnet-a", ap-northeast-1c = "subnet-c" }
  group = {
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
    zones          = ["ap-northeast-1a", "ap-northeast-1c"]
  }
}

run "refuses_capacity_on_request" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", capacity_type = "FARGATE" }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_another_image" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", ami_type = "AL2_x86_64" }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_gpus_without_drivers" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", gpus = 1 }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_more_nodes_than_the_quota" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", max_size = 451 }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_minimum_above_the_maximum" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", min_size = 7 }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_another_role" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", role = "batch" }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_another_effect" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", taints = [{ key = "a", value = "b", effect = "NO_SCHEDULE" }] }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_zone_without_subnet" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", zones = ["ap-northeast-1d"] }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_pods_beyond_any_instance" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", max_pods = 738 }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_no_zone" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", zones = [] }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_key_too_long_for_a_tag" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", labels = { (join("", [for number in range(83) : "a"])) = "b" } }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_system_on_spot_alone" {
  command = plan
  variables {
    node_groups = { system = merge(var.group, { capacity_type = "SPOT" }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_more_groups_than_the_quota" {
  command = plan
  variables {
    node_groups = { for number in range(31) : "group-${number}" => merge(var.group, { name = "group-${number}" }) }
  }
  expect_failures = [var.node_groups]
}

run "takes_a_system_on_spot_with_an_on_demand_base" {
  command = plan
  variables {
    node_groups = {
      system = merge(var.group, {
        capacity_type = "SPOT"
        mix           = { on_demand_base = 1, on_demand_percentage = 0, weights = {} }
      })
    }
  }
  assert {
    condition     = aws_eks_node_group.this["system"].capacity_type == "SPOT"
    error_message = "one on-demand node within the group is enough"
  }
}

run "refuses_two_groups_of_one_name" {
  command = plan
  variables {
    node_groups = { system = var.group, other = var.group }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_group_without_types" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", instance_types = [] }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_more_types_than_eks_takes" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", instance_types = [for number in range(21) : "m${number}.large"] }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_disk_smaller_than_the_image" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", disk_gb = 10 }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_more_nodes_at_once_than_eks_replaces" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", max_unavailable = 101 }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_mix_on_demand" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", mix = { on_demand_base = 1, on_demand_percentage = 0, weights = {} } }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_share_beyond_all" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", capacity_type = "SPOT", mix = { on_demand_base = 1, on_demand_percentage = 101, weights = {} } }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_name_that_eks_does_not_take" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "-other" }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_folder_that_a_shell_reads_otherwise" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", model_folder = "/var/lib/a; reboot" }) }
  }
  expect_failures = [var.node_groups]
}

run "refuses_a_folder_of_the_system" {
  command = plan
  variables {
    node_groups = { system = var.group, other = merge(var.group, { name = "other-00000001", model_folder = "/var/lib" }) }
  }
  expect_failures = [var.node_groups]
}
