# What the cluster leans on: NAT gateways, the load balancer, the database.
locals {
  gib = 1024 * 1024 * 1024

  network = { for zone, id in var.nat_gateway_ids : "nat-ports-${zone}" => {
    description = "The NAT gateway of ${zone} has no port left for a destination, so connections fail. Find who opens so many: usually pulls or downloads that an endpoint or a cache could serve."
    namespace   = "AWS/NATGateway"
    metric      = "ErrorPortAllocation"
    dimensions  = { NatGatewayId = id }
    statistic   = "Sum"
    comparison  = "GreaterThanThreshold"
    threshold   = 0
    missing     = "notBreaching"
  } }

  load_balancer = merge([for it in var.load_balancer[*] : merge(
    {
      pages-errors = {
        description = "The load balancer answers 5XX itself: no target is well, or the login fails. Look at its target groups, then at the apps' pods."
        namespace   = "AWS/ApplicationELB"
        metric      = "HTTPCode_ELB_5XX_Count"
        dimensions  = { LoadBalancer = it.arn_suffix }
        statistic   = "Sum"
        comparison  = "GreaterThanThreshold"
        threshold   = 10
        missing     = "notBreaching"
      }
    },
    { for app, suffix in it.target_groups : "pages-down-${app}" => {
      description = "No node answers for the pages of ${app}. Look at its pods and its NodePort Service; right after the first apply, Argo CD has yet to sync it."
      namespace   = "AWS/ApplicationELB"
      metric      = "HealthyHostCount"
      dimensions  = { LoadBalancer = it.arn_suffix, TargetGroup = suffix }
      statistic   = "Maximum"
      comparison  = "LessThanThreshold"
      threshold   = 1
      missing     = "notBreaching"
    } },
  )]...)

  database = merge([for it in var.database[*] : { for name, alarm in {
    database-cpu = {
      description = "The database's CPU is above 80 percent. Look at its slow query log; if the queries are as they should be, take a larger storage.database.instance_class."
      metric      = "CPUUtilization"
      statistic   = "Average"
      comparison  = "GreaterThanThreshold"
      threshold   = 80
    }
    database-storage = {
      # RDS grows it at 10 percent free, up to the double, so that at 5 it can grow no more.
      description = "The database's storage is nearly full and RDS does not let it grow. Raise storage.database.storage_gb, and find what fills it."
      metric      = "FreeStorageSpace"
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = it.storage_gb * 0.05 * local.gib
    }
    database-memory = {
      description = "The database has less than 5 percent of its memory left. Take a larger storage.database.instance_class."
      metric      = "FreeableMemory"
      statistic   = "Average"
      comparison  = "LessThanThreshold"
      threshold   = it.memory_gib == null ? null : it.memory_gib * 0.05 * local.gib
    }
    database-connections = {
      # RDS's max_connections for MySQL is the class's memory / 12582880.
      description = "The database has 80 percent of the connections that its class allows. Look for an app that opens them and does not let go, then for a larger class."
      metric      = "DatabaseConnections"
      statistic   = "Maximum"
      comparison  = "GreaterThanThreshold"
      threshold   = it.memory_gib == null ? null : floor(it.memory_gib * local.gib / 12582880 * 0.8)
    }
    } : name => merge(alarm, {
      namespace  = "AWS/RDS"
      dimensions = { DBInstanceIdentifier = it.identifier }
      missing    = "notBreaching"
  }) }]...)
}
