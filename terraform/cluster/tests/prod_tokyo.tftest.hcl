# The provider is a real one that plans only: Terraform cannot mock the database's ephemeral password. Planning asks
# Secrets Manager for a random password: tests/test_terraform.py answers in AWS's stead, at AWS_ENDPOINT_URL.
provider "aws" {
  region                      = "ap-northeast-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  account_id         = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).account_id
  cluster_name       = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).cluster_name
  environment        = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).environment
  kubernetes_version = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).kubernetes_version
  region             = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).region
  tags               = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).tags
  addon_versions     = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).addon_versions
  network            = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).network
  node_groups        = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).node_groups
  identities         = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).identities
  access             = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).access
  storage            = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).storage
  worker_repository  = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).worker_repository
  monitoring         = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).monitoring
  argocd             = jsondecode(file("../../clusters/prod-tokyo/generated/terraform/cluster.tfvars.json")).argocd
}

run "plans" {
  command = plan
  assert {
    condition     = length(module.network.private_subnet_ids) == 3 && length(module.network.pod_subnet_ids) == 6
    error_message = "three zones, two pod blocks in each"
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
  assert {
    condition     = length(module.database) == 1
    error_message = "the database of the file"
  }
}
