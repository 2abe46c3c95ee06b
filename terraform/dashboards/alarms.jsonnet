// A cluster's alarms: what rings, and what it wants of whoever is called. More words: docs/how-to/watch-a-cluster.md.
local w = import 'widgets.libsonnet';
local GIB = 1024 * 1024 * 1024;

// Three times out of three, five minutes each. Where nothing is measured, nothing is wrong: metrics of Container
// Insights begin with the agent, those of errors with the first one. That the agent is silent is an alarm of its own.
local base = { period: 300, periods: 3, ofThem: 3, missing: 'notBreaching', comparison: 'GreaterThanThreshold' };

// One metric that passes a threshold.
local metric(namespace, name, dimensions, statistic) =
  base { namespace: namespace, metric: name, dimensions: dimensions, statistic: statistic };

// A formula over metrics of one namespace, by the letters that it uses.
local formula(expression, namespace='', metrics={}, dimensions={}, statistic='Average') =
  base { expression: expression, namespace: namespace, metrics: metrics, dimensions: dimensions, statistic: statistic };

function(cluster)
  local own = { ClusterName: cluster.name };
  // Percentages: a node or a request in a hundred is everyday life in a fleet of spot nodes.
  local share(namespace, bad, all, statistic) =
    formula('100 * bad / all', namespace, { bad: bad, all: all }, own, statistic);

  local ofCluster = {
    'coredns-pods-few': metric(
      'ContainerInsights', 'service_number_of_running_pods', own { Namespace: 'kube-system', Service: 'kube-dns' }, 'Average'
    ) {
      description: 'Fewer than %d CoreDNS pods answer. kubectl -n kube-system get pods -l k8s-app=kube-dns: pending pods want system nodes, crashed ones memory.' % cluster.dnsPodsMin,
      comparison: 'LessThanThreshold',
      threshold: cluster.dnsPodsMin,
    },
    [if cluster.agent then 'agent-silent']: metric('ContainerInsights', 'cluster_node_count', own, 'SampleCount') {
      description: "No figure of nodes or pods for a quarter of an hour, so other alarms cannot ring. Look at the CloudWatch agent's pods and at its role.",
      comparison: 'LessThanThreshold',
      threshold: 1,
      missing: 'breaching',
    },
    // Of one kind of logs; they all leave a node by the same pod.
    [if cluster.logGroup != null then 'logs-silent']:
      metric('AWS/Logs', 'IncomingBytes', { LogGroupName: cluster.logGroup }, 'Sum') {
        description: 'No log of any node for a quarter of an hour. kubectl -n amazon-cloudwatch get pods: pods of Fluent Bit that are not ready cannot deliver; look at their log and role.',
        comparison: 'LessThanThreshold',
        threshold: 1,
        missing: 'breaching',
      },
    'nodes-failed': share('ContainerInsights', 'cluster_failed_node_count', 'cluster_node_count', 'Average') {
      description: 'More than 5 percent of nodes are not well. kubectl get nodes; kubectl describe node NAME: EKS replaces single ones itself, many at once share a cause.',
      threshold: 5,
    },
    'api-errors': share('AWS/EKS', 'apiserver_request_total_5XX', 'apiserver_request_total', 'Sum') {
      description: 'More than 1 percent of API requests fail with 5XX. Look for a webhook that does not answer; if there is none, open a case at AWS.',
      threshold: 1,
    },
    'api-throttled': share('AWS/EKS', 'apiserver_request_total_429', 'apiserver_request_total', 'Sum') {
      description: 'The API server sends more than 1 percent of requests away (429). Find the client in the audit log; a controller that lists without end is the usual one.',
      threshold: 1,
    },
    // One broken movie is a batch's own matter, and its Job tells. So many are a wrong prefix or a codec that nobody foresaw.
    [if cluster.batches then 'movies-at-fault']:
      formula('100 * bad / (bad + done)', 'InferenceFleet/Worker', { bad: 'MoviesAtFault', done: 'Movies' }, own, 'Sum') {
        description: 'More than 10 percent of the movies that batches look at cannot be used. The lines of level error in the namespace of batches name each: is the input what was meant, and is the codec known?',
        threshold: 10,
      },
    // Container Insights has no sum of restarts over a namespace, so the alarm asks for one.
    'kube-system-restarts': formula(
      'SELECT SUM(pod_number_of_container_restarts) FROM SCHEMA("ContainerInsights", ClusterName, Namespace, PodName) '
      + "WHERE ClusterName = '%s' AND Namespace = 'kube-system'" % cluster.name
    ) {
      description: 'Containers of kube-system restart again and again. kubectl -n kube-system get pods; kubectl -n kube-system logs NAME --previous.',
      // A pod that crashes at once restarts three times a quarter of an hour, once its back-off is at its longest.
      threshold: 1,
      period: 900,
      periods: 2,
      ofThem: 2,
    },
  };

  local capacity = {
    ['nodes-missing-' + group]: formula(
      'wanted - there',
      'AWS/AutoScaling',
      { wanted: 'GroupDesiredCapacity', there: 'GroupInServiceInstances' },
      { AutoScalingGroupName: w.terraform('auto_scaling_groups.' + group) }
    ) {
      description: 'EC2 does not give the nodes that group %s asks for. EC2 console, its Auto Scaling group, activity: no spot capacity, or a quota of the account.' % group,
      threshold: 0,
      // cluster-autoscaler gives up after a quarter of an hour, and then tries again.
      periods: 12,
      ofThem: 6,
    }
    for group in cluster.nodeGroups
  };

  local network = {
    ['nat-ports-' + zone]: metric(
      'AWS/NATGateway', 'ErrorPortAllocation', { NatGatewayId: w.terraform('nat_gateways.' + zone) }, 'Sum'
    ) {
      description: 'The NAT gateway of %s has no port left for a destination, so connections fail. Find who opens so many: usually pulls or downloads that an endpoint or a cache could serve.' % zone,
      threshold: 0,
    }
    for zone in cluster.natZones
  };

  local balancer(name, dimensions, statistic) =
    metric('AWS/ApplicationELB', name, { LoadBalancer: w.terraform('load_balancer') } + dimensions, statistic);
  local pages = {
    [if cluster.pages != [] then 'pages-errors']: balancer('HTTPCode_ELB_5XX_Count', {}, 'Sum') {
      description: "The load balancer answers 5XX itself: no target is well, or the login fails. Look at its target groups, then at the apps' pods.",
      threshold: 10,
    },
  } + {
    ['pages-down-' + app]: balancer('HealthyHostCount', { TargetGroup: w.terraform('target_groups.' + app) }, 'Maximum') {
      description: 'No node answers for the pages of %s. Look at its pods and its NodePort Service; right after the first apply, Argo CD has yet to sync it.' % app,
      comparison: 'LessThanThreshold',
      threshold: 1,
    }
    for app in cluster.pages
  };

  local rds(name, statistic) = metric('AWS/RDS', name, { DBInstanceIdentifier: cluster.database.identifier }, statistic);
  local database = if cluster.database == null then {} else {
    'database-cpu': rds('CPUUtilization', 'Average') {
      description: "The database's CPU is above 80 percent. Look at its slow query log; if the queries are as they should be, take a larger storage.database.instance_class.",
      threshold: 80,
    },
    'database-storage': rds('FreeStorageSpace', 'Minimum') {
      description: "The database's storage is nearly full and RDS does not let it grow. Raise storage.database.storage_gb, and find what fills it.",
      comparison: 'LessThanThreshold',
      // RDS grows it at 10 percent free, up to the double, so that at 5 it can grow no more.
      threshold: cluster.database.storageGb * 0.05 * GIB,
    },
  } + if cluster.database.memoryGib == null then {} else {
    'database-memory': rds('FreeableMemory', 'Average') {
      description: 'The database has less than 5 percent of its memory left. Take a larger storage.database.instance_class.',
      comparison: 'LessThanThreshold',
      threshold: cluster.database.memoryGib * 0.05 * GIB,
    },
    'database-connections': rds('DatabaseConnections', 'Maximum') {
      description: 'The database has 80 percent of the connections that its class allows. Look for an app that opens them and does not let go, then for a larger class.',
      // RDS's max_connections for MySQL is the class's memory / 12582880.
      threshold: std.floor(cluster.database.memoryGib * GIB / 12582880 * 0.8),
    },
  };

  local all = ofCluster + capacity + network + pages + database;
  {
    metric: { [name]: all[name] for name in std.objectFields(all) if std.objectHas(all[name], 'metric') },
    expression: { [name]: all[name] for name in std.objectFields(all) if std.objectHas(all[name], 'expression') },
  }
