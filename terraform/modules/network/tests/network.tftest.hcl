mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-northeast-1:123456789012:log-group:/aws/vpc/demo/flow-logs" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/demo-flow-logs" }
  }
}

variables {
  name            = "demo"
  region          = "ap-northeast-1"
  vpc_cidr        = "10.20.0.0/16"
  private_subnets = { ap-northeast-1a = "10.20.0.0/18", ap-northeast-1c = "10.20.64.0/18" }
  public_subnets  = { ap-northeast-1a = "10.20.192.0/22", ap-northeast-1c = "10.20.196.0/22" }
  pod_cidrs       = ["100.64.0.0/16", "100.65.0.0/16"]
  pod_subnets = {
    ap-northeast-1a = ["100.64.0.0/18", "100.65.0.0/18"]
    ap-northeast-1c = ["100.64.64.0/18", "100.65.64.0/18"]
  }
}

run "nat_per_zone" {
  assert {
    condition     = length(aws_nat_gateway.this) == 2 && length(aws_eip.nat) == 2
    error_message = "each zone must have a NAT gateway"
  }
  assert {
    condition = alltrue([
      for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id
    ])
    error_message = "each zone must leave by its own NAT gateway"
  }
  assert {
    condition = alltrue([
      for block, link in aws_route_table_association.pods :
      link.route_table_id == aws_route_table.private[aws_subnet.pods[block].availability_zone].id
    ])
    error_message = "pod subnets must take their own zone's route"
  }
}

run "single_nat" {
  variables {
    nat = "single"
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["ap-northeast-1a"]
    error_message = "one NAT gateway in the first zone"
  }
  assert {
    condition     = toset([for route in aws_route.nat : route.nat_gateway_id]) == toset([aws_nat_gateway.this["ap-northeast-1a"].id])
    error_message = "all zones must leave by the one NAT gateway"
  }
}

run "pod_subnets_are_found_by_the_cni" {
  command = plan
  assert {
    condition = alltrue([
      for subnet in aws_subnet.pods :
      subnet.tags["kubernetes.io/role/cni"] == "1" && subnet.tags["cni.networking.k8s.aws/cluster/demo"] == "1"
    ])
    error_message = "the CNI finds pod subnets by these tags"
  }
  assert {
    condition     = length(aws_subnet.pods) == 4 && length(aws_vpc_ipv4_cidr_block_association.pods) == 2
    error_message = "two blocks in two zones"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.private : !contains(keys(subnet.tags), "kubernetes.io/role/cni")])
    error_message = "private subnets carry nodes' first interfaces and stay untagged"
  }
}

run "load_balancers_find_their_subnets" {
  command = plan
  assert {
    condition = alltrue(concat(
      [for subnet in aws_subnet.public : subnet.tags["kubernetes.io/role/elb"] == "1"],
      [for subnet in aws_subnet.private : subnet.tags["kubernetes.io/role/internal-elb"] == "1"],
    ))
    error_message = "subnets must say which load balancers they take"
  }
}

run "endpoints" {
  command = plan
  assert {
    condition = toset([for endpoint in aws_vpc_endpoint.interface : endpoint.service_name]) == toset([
      for service in ["sts", "ecr.api", "ecr.dkr", "logs"] : "com.amazonaws.ap-northeast-1.${service}"
    ])
    error_message = "STS, ECR and logs must be reached within the VPC"
  }
  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.endpoints) == ["10.20.0.0/16", "100.64.0.0/16", "100.65.0.0/16"]
    error_message = "nodes and pods must reach the endpoints"
  }
}

run "the_default_security_group_is_closed" {
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "the default security group must have no rule"
  }
}

run "flow_logs_by_choice" {
  variables {
    flow_logs = true
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.flow_logs["vpc"].policy).Statement :
      alltrue([for arn in flatten([statement.Resource]) : arn != "*"])
    ])
    error_message = "flow logs may write to their own group, and look for it"
  }
  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.flow_logs["vpc"].policy).Statement : statement.Action
    ])) == toset(["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"])
    error_message = "what delivery needs, without the right to make groups"
  }
  assert {
    condition     = length(aws_flow_log.this) == 1 && aws_cloudwatch_log_group.flow_logs["vpc"].retention_in_days == 30
    error_message = "flow logs must be recorded and end"
  }
}

run "without_pod_blocks_and_flow_logs" {
  command = plan
  variables {
    pod_cidrs   = []
    pod_subnets = {}
  }
  assert {
    condition     = length(aws_subnet.pods) + length(aws_flow_log.this) + length(aws_iam_role.flow_logs) == 0
    error_message = "nothing unasked for"
  }
}

run "refuses_what_cannot_be" {
  command = plan
  variables {
    nat         = "none"
    vpc_cidr    = "10.20.0.0"
    pod_subnets = { ap-northeast-1d = ["100.64.128.0/18"] }
  }
  expect_failures = [var.nat, var.vpc_cidr, var.pod_subnets]
}

run "refuses_one_zone_and_too_many_blocks" {
  command = plan
  variables {
    private_subnets = { ap-northeast-1a = "10.20.0.0/18" }
    public_subnets  = { ap-northeast-1a = "10.20.192.0/22" }
    pod_subnets     = {}
    pod_cidrs       = [for number in range(64, 69) : "100.${number}.0.0/16"]
  }
  expect_failures = [var.private_subnets, var.pod_cidrs]
}

run "refuses_a_zone_without_public_subnet" {
  command = plan
  variables {
    public_subnets = { ap-northeast-1a = "10.20.192.0/22" }
  }
  expect_failures = [var.public_subnets]
}

run "refuses_subnets_that_are_no_block" {
  command = plan
  variables {
    public_subnets = { ap-northeast-1a = "10.20.192.0/33", ap-northeast-1c = "10.20.196.0/22" }
    pod_cidrs      = ["2001:db8::/56"]
    pod_subnets    = { ap-northeast-1a = ["100.64.0.0-100.64.63.255"] }
  }
  expect_failures = [var.public_subnets, var.pod_cidrs, var.pod_subnets]
}

run "refuses_private_subnets_that_are_no_block" {
  command = plan
  variables {
    private_subnets = { ap-northeast-1a = "10.20.0.0", ap-northeast-1c = "10.20.64.0/18" }
  }
  expect_failures = [var.private_subnets]
}

run "refuses_an_endpoint_by_its_whole_name" {
  command = plan
  variables {
    interface_endpoints = ["com.amazonaws.ap-northeast-1.sts"]
  }
  expect_failures = [var.interface_endpoints]
}
