# Nodes, pods and the control plane. What a description asks for is told at length in docs/how-to/watch-a-cluster.md.
locals {
  cluster = { ClusterName = var.name }

  agent = merge(
    {
      coredns-pods-few = {
        description = "Fewer than ${var.dns_pods_min} CoreDNS pods answer. kubectl -n kube-system get pods -l k8s-app=kube-dns: pending pods want system nodes, crashed ones memory."
        namespace   = "ContainerInsights"
        metric      = "service_number_of_running_pods"
        dimensions  = merge(local.cluster, { Namespace = "kube-system", Service = "kube-dns" })
        statistic   = "Average"
        comparison  = "LessThanThreshold"
        threshold   = var.dns_pods_min
        missing     = "notBreaching"
      }
    },
    { for name in var.agent ? ["agent-silent"] : [] : name => {
      description = "No figure of nodes or pods for a quarter of an hour, so other alarms cannot ring. Look at the CloudWatch agent's pods and at its role."
      namespace   = "ContainerInsights"
      metric      = "cluster_node_count"
      dimensions  = local.cluster
      statistic   = "SampleCount"
      comparison  = "LessThanThreshold"
      threshold   = 1
      missing     = "breaching"
    } },
  )

  # Percentages: a node or a request in a hundred is everyday life in a fleet of spot nodes.
  shares = {
    nodes-failed = {
      description = "More than 5 percent of nodes are not well. kubectl get nodes; kubectl describe node NAME: EKS replaces single ones itself, many at once share a cause."
      namespace   = "ContainerInsights"
      metrics     = { bad = "cluster_failed_node_count", all = "cluster_node_count" }
      dimensions  = local.cluster
      expression  = "100 * bad / all"
      statistic   = "Average"
      threshold   = 5
      period      = 300
      periods     = 3
      of_them     = 3
    }
    api-errors = {
      description = "More than 1 percent of API requests fail with 5XX. Look for a webhook that does not answer; if there is none, open a case at AWS."
      namespace   = "AWS/EKS"
      metrics     = { bad = "apiserver_request_total_5XX", all = "apiserver_request_total" }
      dimensions  = local.cluster
      expression  = "100 * bad / all"
      statistic   = "Sum"
      threshold   = 1
      period      = 300
      periods     = 3
      of_them     = 3
    }
    api-throttled = {
      description = "The API server sends more than 1 percent of requests away (429). Find the client in the audit log; a controller that lists without end is the usual one."
      namespace   = "AWS/EKS"
      metrics     = { bad = "apiserver_request_total_429", all = "apiserver_request_total" }
      dimensions  = local.cluster
      expression  = "100 * bad / all"
      statistic   = "Sum"
      threshold   = 1
      period      = 300
      periods     = 3
      of_them     = 3
    }
  }

  # Container Insights has no sum of restarts over a namespace, so the alarm asks for one.
  queries = {
    kube-system-restarts = {
      description = "Containers of kube-system restart again and again. kubectl -n kube-system get pods; kubectl -n kube-system logs NAME --previous."
      namespace   = "ContainerInsights"
      metrics     = {}
      dimensions  = {}
      expression = join(" ", [
        "SELECT SUM(pod_number_of_container_restarts) FROM SCHEMA(\"ContainerInsights\", ClusterName, Namespace, PodName)",
        "WHERE ClusterName = '${var.name}' AND Namespace = 'kube-system'",
      ])
      statistic = "Sum"
      # A pod that crashes at once restarts three times a quarter of an hour, once its back-off is at its longest.
      threshold = 1
      period    = 900
      periods   = 2
      of_them   = 2
    }
  }

  capacity = { for group, name in var.auto_scaling_groups : "nodes-missing-${group}" => {
    description = "EC2 does not give the nodes that group ${group} asks for. EC2 console, Auto Scaling group ${name}, activity: no spot capacity, or a quota of the account."
    namespace   = "AWS/AutoScaling"
    metrics     = { wanted = "GroupDesiredCapacity", there = "GroupInServiceInstances" }
    dimensions  = { AutoScalingGroupName = name }
    expression  = "wanted - there"
    statistic   = "Average"
    threshold   = 0
    # cluster-autoscaler gives up after a quarter of an hour, and then tries again.
    period  = 300
    periods = 12
    of_them = 6
  } }
}
