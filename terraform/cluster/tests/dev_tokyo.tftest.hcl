# The provider is a real one that plans only: Terraform cannot mock the database's ephemeral password. Planning asks
# Secrets Manager for a random password and Route 53 for a zone: tests/test_terraform.py answers in AWS's stead, at
# AWS_ENDPOINT_URL.
provider "aws" {
  region                      = "ap-northeast-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  account_id         = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).account_id
  cluster_name       = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).cluster_name
  environment        = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).environment
  kubernetes_version = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).kubernetes_version
  region             = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).region
  tags               = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).tags
  addon_versions     = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).addon_versions
  network            = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).network
  node_groups        = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).node_groups
  identities         = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).identities
  access             = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).access
  storage            = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).storage
  worker_repository  = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).worker_repository
  monitoring         = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).monitoring
  argocd             = jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).argocd
}

run "plans" {
  command = plan
  assert {
    condition     = length(module.network.private_subnet_ids) == 3 && length(module.network.pod_subnet_ids) == 3
    error_message = "three zones, one pod block"
  }
  assert {
    condition     = toset(keys(output.auto_scaling_groups)) == toset(keys(var.node_groups))
    error_message = "a node group for each in the file"
  }
  assert {
    condition     = toset(keys(output.role_arns)) == toset(keys(var.identities))
    error_message = "a role for each identity in the file"
  }
  assert {
    condition     = length(terraform_data.spot_mix) == 1
    error_message = "spot groups are brought to what the file says"
  }
}

run "plans_without_a_database" {
  command = plan
  variables {
    storage = merge(
      jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).storage, { database = null }
    )
  }
  assert {
    condition     = length(module.database) == 0 && output.database_secret_arn == null
    error_message = "no database unless asked for"
  }
}

run "plans_the_way_in" {
  command = plan
  assert {
    condition     = output.urls["argo-cd"] == "https://argocd.dev-tokyo.inference.example.com"
    error_message = "Argo CD's pages"
  }
}

run "plans_without_a_load_balancer" {
  command = plan
  variables {
    access = merge(
      jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).access, { load_balancer = "none", routes = {} }
    )
  }
  assert {
    condition     = output.urls == {} && output.user_pool_id == null && output.load_balancer_arn == null
    error_message = "no way in unless asked for"
  }
}

run "refuses_routes_without_a_load_balancer" {
  command = plan
  variables {
    access = merge(jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).access, { load_balancer = "none" })
  }
  expect_failures = [var.access]
}

run "refuses_another_kind_of_load_balancer" {
  command = plan
  variables {
    access = merge(jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).access, { load_balancer = "private" })
  }
  expect_failures = [var.access]
}

run "refuses_values_of_the_wrong_form" {
  command = plan
  variables {
    account_id         = "1234"
    cluster_name       = "Dev"
    environment        = "test"
    kubernetes_version = "1.36.0"
    region             = "tokyo"
    tags               = { cluster = "Dev" }
  }
  expect_failures = [
    var.account_id, var.cluster_name, var.environment, var.kubernetes_version, var.region,
  ]
}

run "refuses_administrators_of_another_account" {
  command = plan
  variables {
    account_id = "123456789012"
  }
  expect_failures = [var.access]
}

run "refuses_identities_dashboard_and_images_of_another_cluster" {
  command = plan
  variables {
    cluster_name = "other"
  }
  expect_failures = [var.identities, var.monitoring, var.tags, var.worker_repository]
}

run "refuses_a_network_of_another_region" {
  command = plan
  variables {
    region = "eu-west-1"
  }
  expect_failures = [var.network]
}

run "refuses_another_cluster_dns" {
  command = plan
  variables {
    network = merge(
      jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).network,
      { cluster_dns = "172.20.0.11" },
    )
  }
  expect_failures = [var.network]
}

run "refuses_to_lose_data_when_told_once" {
  command = plan
  variables {
    storage = merge(
      jsondecode(file("../../clusters/dev-tokyo/generated/terraform/cluster.tfvars.json")).storage,
      { discard_data = true },
    )
  }
  expect_failures = [var.storage]
}

run "refuses_tags_of_another_cluster" {
  command = plan
  variables {
    tags = { cluster = "other" }
  }
  expect_failures = [var.tags]
}
