mock_provider "aws" {}

variables {
  cluster_name           = "demo"
  load_balancer_name     = "ui-demo"
  internal               = false
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-a", "subnet-c"]
  client_cidrs           = ["0.0.0.0/0"]
  node_security_group_id = "sg-nodes"
  auto_scaling_groups    = { system = "eks-system-1" }
  domain                 = "demo.example.com"
  hosted_zone            = "demo.example.com"
  cognito_domain_prefix  = "demo-123456789012"
  route                  = { host = "argocd.demo.example.com", node_port = 30080, health_path = "/healthz", target_group = "demo-argo-cd-1" }
  routes = {
    argo-cd = { host = "argocd.demo.example.com", node_port = 30080, health_path = "/healthz", target_group = "demo-argo-cd-1" }
  }
}

run "takes_what_is_right" {
  command = plan
}

run "refuses_a_name_that_aws_keeps" {
  command = plan
  variables {
    load_balancer_name = "internal-demo"
  }
  expect_failures = [var.load_balancer_name]
}

run "refuses_a_name_too_long" {
  command = plan
  variables {
    load_balancer_name = "ui-abcdefghijklmnopqrstuvwxyz-0123"
  }
  expect_failures = [var.load_balancer_name]
}

run "refuses_one_subnet" {
  command = plan
  variables {
    subnet_ids = ["subnet-a"]
  }
  expect_failures = [var.subnet_ids]
}

run "refuses_no_clients" {
  command = plan
  variables {
    client_cidrs = []
  }
  expect_failures = [var.client_cidrs]
}

run "refuses_more_clients_than_rules" {
  command = plan
  variables {
    client_cidrs = [for number in range(26) : "10.0.${number}.0/24"]
  }
  expect_failures = [var.client_cidrs]
}

run "refuses_clients_that_are_no_block" {
  command = plan
  variables {
    client_cidrs = ["203.0.113.7"]
  }
  expect_failures = [var.client_cidrs]
}

run "refuses_no_nodes" {
  command = plan
  variables {
    auto_scaling_groups = {}
  }
  expect_failures = [var.auto_scaling_groups]
}

run "refuses_a_name_too_long_for_a_certificate" {
  command = plan
  variables {
    domain = "abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz.demo.example.com"
    routes = { argo-cd = merge(var.route, { host = "argocd.abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz.demo.example.com" }) }
  }
  expect_failures = [var.domain]
}

run "refuses_a_zone_that_only_ends_alike" {
  command = plan
  variables {
    hosted_zone = "mo.example.com"
  }
  expect_failures = [var.hosted_zone]
}

run "refuses_words_that_cognito_keeps" {
  command = plan
  variables {
    cognito_domain_prefix = "my-amazon"
  }
  expect_failures = [var.cognito_domain_prefix]
}

run "refuses_a_load_balancer_for_nothing" {
  command = plan
  variables {
    routes = {}
  }
  expect_failures = [var.routes]
}

run "refuses_a_host_outside_the_certificate" {
  command = plan
  variables {
    routes = { argo-cd = merge(var.route, { host = "argocd.ui.demo.example.com" }) }
  }
  expect_failures = [var.routes]
}

run "refuses_the_domain_itself" {
  command = plan
  variables {
    routes = { argo-cd = merge(var.route, { host = "demo.example.com" }) }
  }
  expect_failures = [var.routes]
}

run "refuses_a_port_that_is_no_node_port" {
  command = plan
  variables {
    routes = { argo-cd = merge(var.route, { node_port = 8080 }) }
  }
  expect_failures = [var.routes]
}

run "refuses_a_path_without_slash" {
  command = plan
  variables {
    routes = { argo-cd = merge(var.route, { health_path = "healthz" }) }
  }
  expect_failures = [var.routes]
}

run "refuses_a_target_group_too_long" {
  command = plan
  variables {
    routes = { argo-cd = merge(var.route, { target_group = "abcdefghijklmnopqrstuvwxyz-012345" }) }
  }
  expect_failures = [var.routes]
}

run "refuses_one_port_for_two" {
  command = plan
  variables {
    routes = { argo-cd = var.route, other = merge(var.route, { host = "other.demo.example.com", target_group = "demo-other-2" }) }
  }
  expect_failures = [var.routes]
}

run "refuses_one_host_for_two" {
  command = plan
  variables {
    routes = { argo-cd = var.route, other = merge(var.route, { node_port = 30081, target_group = "demo-other-2" }) }
  }
  expect_failures = [var.routes]
}

run "refuses_one_target_group_for_two" {
  command = plan
  variables {
    routes = { argo-cd = var.route, other = merge(var.route, { node_port = 30081, host = "other.demo.example.com" }) }
  }
  expect_failures = [var.routes]
}
