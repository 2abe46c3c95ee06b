// A cluster's dashboard, for whoever is on call. Sections: nodes, pods, control plane, DNS, network, data, logs.
local w = import 'widgets.libsonnet';

function(cluster)
  local own = { ClusterName: cluster.name };
  local insights(name, options={}, of={}) = w.metric('ContainerInsights', name, own + of, options);
  local eks(name, options={}) = w.metric('AWS/EKS', name, own, options);
  local by(keys, name, filter=[], stat='Average') = w.search(
    'ContainerInsights', ['ClusterName'] + keys, name, std.join(' ', ['ClusterName="%s"' % cluster.name] + filter), stat
  );
  local scaling(name) = [
    w.metric(
      'AWS/AutoScaling', name, { AutoScalingGroupName: w.terraform('auto_scaling_groups.' + group) }, { label: group }
    )
    for group in cluster.nodeGroups
  ];

  local nodes = [
    w.row([
      w.numbers('Nodes and pods', [
        insights('cluster_node_count', { label: 'nodes' }),
        insights('cluster_failed_node_count', { label: 'failed nodes' }),
        insights('cluster_number_of_running_pods', { label: 'running pods' }),
        eks('scheduler_pending_pods_UNSCHEDULABLE', { label: 'pods without a node', stat: 'Sum' }),
      ]),
    ], height=4),
    w.row([
      w.graph('Nodes in service, by node group', scaling('GroupInServiceInstances'), stacked=true),
      w.graph('Nodes wanted, by node group', scaling('GroupDesiredCapacity'), stacked=true),
    ]),
    w.row([
      w.graph('CPU and memory of nodes, percent', [
        insights('node_cpu_utilization', { label: 'CPU used' }),
        insights('node_cpu_reserved_capacity', { label: 'CPU requested' }),
        insights('node_memory_utilization', { label: 'memory used' }),
        insights('node_memory_reserved_capacity', { label: 'memory requested' }),
      ]),
      w.graph('Fullest disk and most dropped packets of a node', [
        insights('node_filesystem_utilization', { label: 'disk, percent' }),
        insights('node_interface_network_rx_dropped', { label: 'packets received, dropped', yAxis: 'right' }),
        insights('node_interface_network_tx_dropped', { label: 'packets sent, dropped', yAxis: 'right' }),
      ], stat='Maximum'),
    ] + (
      if cluster.gpus then [
        w.graph('GPUs, percent', [
          insights('node_gpu_utilization', { label: 'used' }),
          insights('node_gpu_memory_utilization', { label: 'memory used' }),
          insights('node_gpu_reserved_capacity', { label: 'requested' }),
        ]),
      ] else []
    )),
  ];

  local pods = [
    w.row([
      w.graph('Running pods, by namespace', by(['Namespace'], 'namespace_number_of_running_pods'), stacked=true),
      w.graph('CPU of a pod, percent of its limit, by namespace',
              by(['Namespace'], 'pod_cpu_utilization_over_pod_limit')),
      w.graph('Memory of a pod, percent of its limit, by namespace',
              by(['Namespace'], 'pod_memory_utilization_over_pod_limit')),
    ]),
  ];

  local controlPlane = [
    w.row([
      w.graph('Pods that wait for a node', [
        eks('scheduler_pending_pods', { label: 'all' }),
        eks('scheduler_pending_pods_UNSCHEDULABLE', { label: 'no node fits' }),
      ], stat='Sum'),
      w.graph('Requests that the API server refused or failed', [
        eks('apiserver_request_total_429', { label: '429, too many' }),
        eks('apiserver_request_total_4XX', { label: '4XX' }),
        eks('apiserver_request_total_5XX', { label: '5XX' }),
      ], stat='Sum'),
      w.graph('Slowest hundredth of API requests, seconds', [
        eks('apiserver_request_duration_seconds_%s_P99' % verb, { label: verb })
        for verb in ['GET', 'POST', 'PUT', 'DELETE']
      ]),
      w.graph('API server: requests, and size of its store', [
        eks('apiserver_request_total', { label: 'requests', stat: 'Sum' }),
        eks('apiserver_storage_size_bytes', { label: 'store, bytes', stat: 'Maximum', yAxis: 'right' }),
      ]),
    ]),
  ];

  local dns = [
    w.row([
      w.graph('CoreDNS: pods that answer', [
        insights('service_number_of_running_pods', { label: 'pods' }, { Service: 'kube-dns', Namespace: 'kube-system' }),
      ]),
      w.graph('CoreDNS: CPU and memory, percent of the limit', [
        insights(name, of={ PodName: 'coredns', Namespace: 'kube-system' })
        for name in ['pod_cpu_utilization_over_pod_limit', 'pod_memory_utilization_over_pod_limit']
      ], stat='Maximum'),
      w.graph(
        'Restarts in kube-system',
        by(['Namespace', 'PodName'], 'pod_number_of_container_restarts', ['Namespace="kube-system"'], 'Sum')
      ),
    ]),
  ];

  local nat(name) = [
    w.metric('AWS/NATGateway', name, { NatGatewayId: w.terraform('nat_gateways.' + zone) }, { label: zone })
    for zone in cluster.natZones
  ];
  local balancer(name, options) =
    w.metric('AWS/ApplicationELB', name, { LoadBalancer: w.terraform('load_balancer') }, options);
  local network = [
    w.row([
      w.graph('NAT: bytes from the internet', nat('BytesInFromDestination'), stat='Sum', stacked=true),
      w.graph('NAT: bytes to the internet', nat('BytesOutToDestination'), stat='Sum', stacked=true),
      w.graph('NAT: connections refused for want of ports', nat('ErrorPortAllocation'), stat='Sum'),
    ] + (
      if cluster.loadBalancer then [
        w.graph('Load balancer: requests and errors', [
          balancer('RequestCount', { label: 'requests', yAxis: 'right' }),
          balancer('HTTPCode_ELB_5XX_Count', { label: '5XX of its own' }),
          balancer('HTTPCode_Target_5XX_Count', { label: '5XX of apps' }),
        ], stat='Sum'),
      ] else []
    )),
  ];

  local rds(name, options={}) = w.metric('AWS/RDS', name, { DBInstanceIdentifier: cluster.database }, options);
  local database = if cluster.database == null then [] else [
    w.row([
      w.graph('Database: CPU, percent', [rds('CPUUtilization')]),
      w.graph('Database: connections', [rds('DatabaseConnections')], stat='Maximum'),
      w.graph('Database: free memory and storage, bytes', [
        rds('FreeableMemory'),
        rds('FreeStorageSpace', { yAxis: 'right' }),
      ], stat='Minimum'),
      w.graph('Database: seconds a read and a write take', [rds('ReadLatency'), rds('WriteLatency')]),
    ]),
  ];

  local day = 86400;
  local bucket(name) = w.search(
    'AWS/S3', ['BucketName', 'StorageType'], name, 'BucketName="%s"' % cluster.bucket, 'Average', day
  );
  local data = database + [
    w.row([
      w.graph('Bucket: bytes, by storage class', bucket('BucketSizeBytes'), stacked=true, period=day),
      w.graph('Bucket: objects', bucket('NumberOfObjects'), period=day),
      w.logs('Error lines, by container', cluster.applicationLogs, [
        'filter @message like /(?i)(error|exception|traceback)/',
        'stats count(*) as lines by kubernetes.namespace_name, kubernetes.container_name',
        'sort lines desc',
        'limit 20',
      ]),
    ]),
  ];

  local head = w.text(
    '# %s\nWhat each alarm wants of you: docs/how-to/watch-a-cluster.md. ' % cluster.name
    + 'Figures of nodes and pods come from the CloudWatch agent, all others from AWS itself.'
  );

  w.dashboard(
    cluster.region, [w.row([head], height=2)] + nodes + pods + controlPlane + dns + network + data
  )
