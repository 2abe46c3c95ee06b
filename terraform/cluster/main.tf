module "network" {
  source = "../modules/network"

  name                     = var.cluster_name
  region                   = var.region
  vpc_cidr                 = var.network.vpc_cidr
  pod_cidrs                = var.network.pod_cidrs
  private_subnets          = var.network.private_subnets
  public_subnets           = var.network.public_subnets
  pod_subnets              = var.network.pod_subnets
  nat                      = var.network.nat
  flow_logs                = var.network.flow_logs
  flow_logs_retention_days = var.monitoring.log_retention_days
}

module "cluster" {
  source = "../modules/cluster"

  name               = var.cluster_name
  kubernetes_version = var.kubernetes_version
  subnet_ids         = values(module.network.private_subnet_ids)
  service_cidr       = var.network.service_cidr
  admin_role_arns    = var.access.admin_role_arns
  submitters         = var.access.submitter_role_arns
  public_endpoint    = var.access.public_endpoint
  cni                = var.network.cni
  addon_versions     = var.addon_versions
  node_monitoring    = anytrue([for group in var.node_groups : group.repair])
}

module "node_groups" {
  source = "../modules/node-groups"

  cluster_name       = module.cluster.name
  kubernetes_version = var.kubernetes_version
  subnet_ids         = module.network.private_subnet_ids
  node_groups        = var.node_groups
  log_groups         = module.monitoring.log_groups
  tags               = var.tags
}

module "identity" {
  source = "../modules/identity"

  oidc_provider_arn = module.cluster.oidc_provider_arn
  oidc_issuer       = module.cluster.oidc_issuer
  identities        = var.identities
}

module "storage" {
  source = "../modules/storage"

  name             = var.cluster_name
  account_id       = var.account_id
  region           = var.region
  bucket           = var.storage.bucket
  pipelines_prefix = var.storage.pipelines_prefix
  encryption       = var.storage.encryption
  deletable        = var.storage.deletable
  discard_data     = var.storage.discard_data
}

module "registry" {
  source = "../modules/registry"

  repository = var.worker_repository
  deletable  = var.storage.deletable
}

module "database" {
  source = "../modules/database"
  count  = var.storage.database == null ? 0 : 1

  cluster_name             = var.cluster_name
  identifier               = var.storage.database.identifier
  instance_class           = var.storage.database.instance_class
  storage_gb               = var.storage.database.storage_gb
  multi_az                 = var.storage.database.multi_az
  secret                   = var.storage.database.secret
  password_version         = var.storage.database.password_version
  key_arn                  = module.storage.key_arn
  vpc_id                   = module.network.vpc_id
  subnet_ids               = values(module.network.private_subnet_ids)
  client_security_group_id = module.cluster.security_group_id
  log_retention_days       = var.monitoring.log_retention_days
  deletable                = var.storage.deletable
  discard_data             = var.storage.discard_data
}

module "ingress" {
  source = "../modules/ingress"
  count  = length(var.access.routes) > 0 ? 1 : 0

  cluster_name           = var.cluster_name
  load_balancer_name     = var.access.load_balancer_name
  internal               = var.access.load_balancer == "internal"
  vpc_id                 = module.network.vpc_id
  subnet_ids             = values(var.access.load_balancer == "internal" ? module.network.private_subnet_ids : module.network.public_subnet_ids)
  client_cidrs           = var.access.client_cidrs
  node_security_group_id = module.cluster.security_group_id
  # Other nodes come and go with the work.
  auto_scaling_groups   = { for name, group in var.node_groups : name => module.node_groups.auto_scaling_groups[name] if group.role == "system" }
  domain                = var.access.domain
  hosted_zone           = var.access.hosted_zone
  cognito_domain_prefix = var.access.cognito_domain_prefix
  routes                = var.access.routes
  deletable             = var.storage.deletable
}

module "monitoring" {
  source = "../modules/monitoring"

  name                = var.cluster_name
  account_id          = var.account_id
  region              = var.region
  log_groups          = var.monitoring.log_groups
  log_retention_days  = var.monitoring.log_retention_days
  alarm_emails        = var.monitoring.alarm_emails
  budget_usd          = var.monitoring.budget_usd
  dashboard           = "${path.root}/../../${var.monitoring.dashboard}"
  alarms              = "${path.root}/../../${var.monitoring.alarms}"
  auto_scaling_groups = module.node_groups.auto_scaling_groups
  nat_gateway_ids     = module.network.nat_gateway_ids

  load_balancer = length(module.ingress) == 0 ? null : {
    arn_suffix    = module.ingress[0].load_balancer_arn_suffix
    target_groups = module.ingress[0].target_group_arn_suffixes
  }
}
