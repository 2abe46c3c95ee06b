mock_provider "aws" {
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn                   = "arn:aws:eks:ap-northeast-1:123456789012:cluster/demo"
      certificate_authority = [{ data = "Q0E=" }]
      identity              = [{ oidc = [{ issuer = "https://oidc.eks.ap-northeast-1.amazonaws.com/id/ABC" }] }]
    }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.ap-northeast-1.amazonaws.com/id/ABC" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/any" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-northeast-1:123456789012:key/1" }
  }
}

variables {
  name               = "demo"
  kubernetes_version = "1.35"
  subnet_ids         = ["subnet-a", "subnet-c"]
  service_cidr       = "172.20.0.0/16"
  admin_role_arns    = ["arn:aws:iam::123456789012:role/PlatformAdmin"]
}

run "access_entries_only" {
  command = plan
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API"
    error_message = "aws-auth must have no say"
  }
  assert {
    condition     = !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "whoever runs Terraform is no administrator by that"
  }
  assert {
    condition     = keys(aws_eks_access_policy_association.admin) == ["arn:aws:iam::123456789012:role/PlatformAdmin"]
    error_message = "each administrator needs the policy"
  }
  assert {
    condition     = alltrue([for each in aws_eks_access_policy_association.admin : each.policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"])
    error_message = "administrators have EKS's policy, never the group system:masters"
  }
}

run "who_submits_batches_is_a_group_and_no_more" {
  command = plan
  variables {
    submitters = ["arn:aws:iam::123456789012:role/DataScience"]
  }
  assert {
    condition     = one(values(aws_eks_access_entry.submitter)).kubernetes_groups == toset(["inference-fleet:submitters"])
    error_message = "the group is the one that apps/gpu-inference binds its Role to"
  }
  assert {
    condition     = keys(aws_eks_access_policy_association.admin) == ["arn:aws:iam::123456789012:role/PlatformAdmin"]
    error_message = "no policy of EKS for who submits"
  }
}

run "a_role_has_one_entry" {
  command = plan
  variables {
    submitters = ["arn:aws:iam::123456789012:role/PlatformAdmin"]
  }
  expect_failures = [var.submitters]
}

run "coredns_stays_the_self_managed_one" {
  command = plan
  assert {
    condition     = aws_eks_cluster.this.bootstrap_self_managed_addons
    error_message = "Argo CD adopts EKS's self-managed CoreDNS"
  }
  assert {
    condition     = toset([aws_eks_addon.vpc_cni.addon_name, aws_eks_addon.kube_proxy.addon_name]) == toset(["vpc-cni", "kube-proxy"])
    error_message = "the add-ons are vpc-cni and kube-proxy"
  }
}

run "private_and_encrypted" {
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "the endpoint is private unless asked for"
  }
  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == aws_kms_key.secrets.arn && aws_kms_key.secrets.enable_key_rotation
    error_message = "Secrets must be encrypted with a key that rotates"
  }
  assert {
    condition     = length(aws_eks_cluster.this.enabled_cluster_log_types) == 5 && aws_cloudwatch_log_group.control_plane.retention_in_days == 90
    error_message = "all logs, for ninety days"
  }
}

run "the_cni_has_a_role_of_its_own" {
  assert {
    condition = jsondecode(aws_iam_role.vpc_cni.assume_role_policy).Statement[0].Condition.StringEquals == {
      "oidc.eks.ap-northeast-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
      "oidc.eks.ap-northeast-1.amazonaws.com/id/ABC:sub" = "system:serviceaccount:kube-system:aws-node"
    }
    error_message = "only aws-node may take the role"
  }
  assert {
    condition     = aws_eks_addon.vpc_cni.service_account_role_arn == aws_iam_role.vpc_cni.arn
    error_message = "the add-on must use its own role"
  }
  assert {
    condition     = aws_eks_addon.vpc_cni.configuration_values == jsonencode({ enableNetworkPolicy = "true", env = { ENABLE_PREFIX_DELEGATION = "false" } })
    error_message = "NetworkPolicy on, targets left to the CNI"
  }
  assert {
    condition     = output.oidc_issuer == "oidc.eks.ap-northeast-1.amazonaws.com/id/ABC"
    error_message = "trust conditions want the issuer without https://"
  }
}

run "prefixes_and_versions_by_choice" {
  command = plan
  variables {
    cni            = { prefix_delegation = true, warm_prefix_target = 2 }
    addon_versions = { vpc-cni = "v1.22.0-eksbuild.1" }
  }
  assert {
    condition     = jsondecode(aws_eks_addon.vpc_cni.configuration_values).env == { ENABLE_PREFIX_DELEGATION = "true", WARM_PREFIX_TARGET = "2" }
    error_message = "the CNI must get what was asked for, as text"
  }
  assert {
    condition     = aws_eks_addon.vpc_cni.addon_version == "v1.22.0-eksbuild.1"
    error_message = "a version that is named is used"
  }
}

run "public_endpoint_by_choice" {
  command = plan
  variables {
    public_endpoint = { enabled = true, cidrs = ["203.0.113.0/24"] }
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["203.0.113.0/24"])
    error_message = "only the named blocks"
  }
}

run "refuses_what_cannot_be" {
  command = plan
  variables {
    kubernetes_version = "1.35.1"
    service_cidr       = "172.20.0.0"
    admin_role_arns    = ["arn:aws:iam::123456789012:root"]
    public_endpoint    = { enabled = true, cidrs = [] }
    cni                = { prefix_delegation = false, warm_prefix_target = 1 }
    addon_versions     = { coredns = "v1.14.3-eksbuild.11" }
  }
  expect_failures = [
    var.kubernetes_version, var.service_cidr, var.admin_role_arns, var.public_endpoint, var.cni, var.addon_versions,
  ]
}

run "refuses_no_administrator" {
  command = plan
  variables {
    admin_role_arns = []
    cni             = { prefix_delegation = true, warm_eni_target = 1 }
  }
  expect_failures = [var.admin_role_arns, var.cni]
}

run "node_monitoring_by_choice" {
  command = plan
  variables {
    node_monitoring = false
  }
  assert {
    condition     = length(aws_eks_addon.node_monitoring) == 0
    error_message = "no agent where nothing is repaired"
  }
}

run "node_repair_is_told_of_failing_gpus" {
  command = plan
  variables {
    addon_versions = { eks-node-monitoring-agent = "v1.4.0-eksbuild.2" }
  }
  assert {
    condition     = aws_eks_addon.node_monitoring[0].addon_name == "eks-node-monitoring-agent" && aws_eks_addon.node_monitoring[0].addon_version == "v1.4.0-eksbuild.2"
    error_message = "the agent, in the version asked for"
  }
}

run "refuses_one_subnet_and_an_open_door_without_a_block" {
  command = plan
  variables {
    subnet_ids         = ["subnet-a"]
    public_endpoint    = { enabled = true, cidrs = ["everybody"] }
    control_plane_logs = ["kubelet"]
    cni                = { prefix_delegation = true, warm_prefix_target = 0 }
  }
  expect_failures = [var.subnet_ids, var.public_endpoint, var.control_plane_logs, var.cni]
}
