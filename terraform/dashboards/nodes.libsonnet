// Rows of nodes, of node groups, and of GPUs.
local w = import 'widgets.libsonnet';

function(cluster)
  local m = (import 'metrics.libsonnet')(cluster);

  local nodes = [
    w.row([
      w.numbers('Nodes and pods', [
        m.insights('cluster_node_count', { label: 'nodes' }),
        m.insights('cluster_failed_node_count', { label: 'failed nodes' }),
        m.insights('cluster_number_of_running_pods', { label: 'running pods' }),
        m.eks('scheduler_pending_pods_UNSCHEDULABLE', { label: 'pods without a node', stat: 'Sum' }),
      ]),
    ], height=4),
    w.row([
      w.graph('CPU and memory of nodes, percent', [
        m.insights('node_cpu_utilization', { label: 'CPU used' }),
        m.insights('node_cpu_reserved_capacity', { label: 'CPU requested' }),
        m.insights('node_memory_utilization', { label: 'memory used' }),
        m.insights('node_memory_reserved_capacity', { label: 'memory requested' }),
      ]),
      w.graph('Fullest disk and most dropped packets of a node', [
        m.insights('node_filesystem_utilization', { label: 'disk, percent' }),
        m.insights('node_interface_network_rx_dropped', { label: 'packets received, dropped', yAxis: 'right' }),
        m.insights('node_interface_network_tx_dropped', { label: 'packets sent, dropped', yAxis: 'right' }),
      ], stat='Maximum'),
    ]),
  ];

  local groups = [
    w.heading('Node groups'),
    w.row([
      w.graph('Nodes in service', m.scaling('GroupInServiceInstances'), stacked=true),
      w.graph('Nodes wanted', m.scaling('GroupDesiredCapacity'), stacked=true),
      w.graph('Nodes that go: spot takes them, or nobody needs them', m.scaling('GroupTerminatingInstances'), stacked=true),
      w.graph('CPU, percent', m.scaling('CPUUtilization', 'AWS/EC2'), period=300),
    ]),
  ];

  // What is requested, Kubernetes tells; how busy they are, dcgm-exporter, where it runs.
  local perGroup(name) = [m.gpu(name, { label: group }, { NodeGroup: group }) for group in cluster.gpuGroups];
  local gpus = if cluster.gpuGroups == [] then [] else [
    w.heading('GPUs'),
    w.row([
      w.graph('GPUs there and requested', [
        m.insights('node_gpu_limit', { label: 'there' }),
        m.insights('node_gpu_usage_total', { label: 'requested' }),
      ], stat='Sum'),
      w.graph('GPUs of a node that are requested, percent', [m.insights('node_gpu_reserved_capacity', { label: 'requested' })]),
    ] + if !cluster.gpusAsked then [] else [
      w.graph('GPUs: busy, percent, by node group', perGroup('DCGM_FI_DEV_GPU_UTIL')),
      w.graph('GPUs: errors (XID), by node group', perGroup('DCGM_FI_DEV_XID_ERRORS'), stat='Maximum'),
    ]),
  ] + if !cluster.gpusAsked then [] else [
    w.row([
      w.graph('GPUs: memory used, MiB, by node group', perGroup('DCGM_FI_DEV_FB_USED')),
      w.graph('GPUs: memory free, MiB, by node group', perGroup('DCGM_FI_DEV_FB_FREE'), stat='Minimum'),
      w.graph('GPUs: hottest, °C, by node group', perGroup('DCGM_FI_DEV_GPU_TEMP'), stat='Maximum'),
      w.graph('GPUs: power, W, by node group', perGroup('DCGM_FI_DEV_POWER_USAGE')),
    ]),
  ];

  nodes + groups + gpus
