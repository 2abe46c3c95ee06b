// Rows of what AWS runs for the cluster: control plane, network, database, bucket, logs.
local w = import 'widgets.libsonnet';

function(cluster)
  local m = (import 'metrics.libsonnet')(cluster);

  local controlPlane = [
    w.heading('Control plane'),
    w.row([
      w.graph('Pods that wait for a node', [
        m.eks('scheduler_pending_pods', { label: 'all' }),
        m.eks('scheduler_pending_pods_UNSCHEDULABLE', { label: 'no node fits' }),
      ], stat='Sum'),
      w.graph('Requests that the API server refused or failed', [
        m.eks('apiserver_request_total_429', { label: '429, too many' }),
        m.eks('apiserver_request_total_4XX', { label: '4XX' }),
        m.eks('apiserver_request_total_5XX', { label: '5XX' }),
      ], stat='Sum'),
      w.graph('Slowest hundredth of API requests, seconds', [
        m.eks('apiserver_request_duration_seconds_%s_P99' % verb, { label: verb })
        for verb in ['GET', 'POST', 'PUT', 'DELETE']
      ]),
      w.graph('API server: requests, and size of its store', [
        m.eks('apiserver_request_total', { label: 'requests', stat: 'Sum' }),
        m.eks('apiserver_storage_size_bytes', { label: 'store, bytes', stat: 'Maximum', yAxis: 'right' }),
      ]),
    ]),
  ];

  local nat(name) = [
    w.metric('AWS/NATGateway', name, { NatGatewayId: w.terraform('nat_gateways.' + zone) }, { label: zone })
    for zone in cluster.natZones
  ];
  local balancer(name, options) =
    w.metric('AWS/ApplicationELB', name, { LoadBalancer: w.terraform('load_balancer') }, options);
  local network = [
    w.heading('Network'),
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
  local data = [w.heading('Data and logs')] + database + [
    w.row([
      w.graph('Bucket: bytes, by storage class', bucket('BucketSizeBytes'), stacked=true, period=day),
      w.graph('Bucket: objects', bucket('NumberOfObjects'), period=day),
      w.graph('Bytes of logs, which are billed, by kind', [
        w.metric('AWS/Logs', 'IncomingBytes', { LogGroupName: group }, { label: group })
        for group in cluster.logGroups
      ], stat='Sum', stacked=true, period=3600),
    ]),
  ];

  controlPlane + network + data
