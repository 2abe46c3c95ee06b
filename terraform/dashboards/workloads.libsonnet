// Rows of pods by namespace, of batches, of pipelines, and of CoreDNS.
local w = import 'widgets.libsonnet';

function(cluster)
  local m = (import 'metrics.libsonnet')(cluster);
  local errors(filter) = w.logs('Error lines, by container', cluster.applicationLogs, filter + [
    'filter @message like /(?i)(error|exception|traceback)/',
    'stats count(*) as lines by kubernetes.namespace_name, kubernetes.container_name',
    'sort lines desc',
    'limit 20',
  ]);

  local namespaces = [
    w.heading('Namespaces'),
    w.row([
      w.graph('Running pods', m.by(['Namespace'], 'namespace_number_of_running_pods'), stacked=true),
      w.graph('CPU of a pod, percent of its limit', m.by(['Namespace'], 'pod_cpu_utilization_over_pod_limit')),
      w.graph('Memory of a pod, percent of its limit', m.by(['Namespace'], 'pod_memory_utilization_over_pod_limit')),
    ]),
    w.row([
      w.graph('Bytes that a pod receives in a second', m.by(['Namespace'], 'pod_network_rx_bytes')),
      w.graph('Bytes that a pod sends in a second', m.by(['Namespace'], 'pod_network_tx_bytes')),
      w.graph(
        'Pods with a container killed for want of memory',
        m.by(['Namespace', 'PodName'], 'pod_container_status_terminated_reason_oom_killed', stat='Sum')
      ),
      errors([]),
    ]),
  ];

  local batches = if cluster.batches == null then [] else [
    w.heading('Batches'),
    w.row([
      w.graph('Frames in a minute, by batch', m.byBatch('Frames'), stacked=true),
      w.graph('Movies in five minutes', [
        m.worker('Movies', { label: 'done' }),
        m.worker('MoviesSkipped', { label: 'done before' }),
        m.worker('MoviesAtFault', { label: 'at fault' }),
      ], stat='Sum', period=300),
      w.graph('Seconds of all workers, in five minutes', [
        m.worker('Seconds', { label: 'all' }),
        m.worker('WaitSeconds', { label: 'the model waits for frames' }),
        m.worker('PredictSeconds', { label: 'the model works' }),
      ], stat='Sum', period=300),
      errors(['filter kubernetes.namespace_name = "%s"' % cluster.batches]),
    ]),
  ];

  local here = ['Namespace="%s"' % cluster.pipelines];
  local pipelines = if cluster.pipelines == null then [] else [
    w.heading('Pipelines'),
    w.row([
      w.graph('Pods that run, and that answer', [
        m.insights('namespace_number_of_running_pods', { label: 'running' }, { Namespace: cluster.pipelines }),
        m.insights(
          'service_number_of_running_pods',
          { label: 'API server, answering', yAxis: 'right' },
          { Namespace: cluster.pipelines, Service: 'ml-pipeline' }
        ),
      ]),
      w.graph('Failed pods', m.by(['Namespace', 'PodName'], 'pod_status_failed', here, 'Sum'), stacked=true),
      w.graph('Restarts', m.by(['Namespace', 'PodName'], 'pod_number_of_container_restarts', here, 'Sum')),
      errors(['filter kubernetes.namespace_name = "%s"' % cluster.pipelines]),
    ]),
  ];

  local coredns = { PodName: 'coredns', Namespace: 'kube-system' };
  local dns = [
    w.heading('DNS'),
    w.row([
      w.graph('CoreDNS: pods', [
        m.insights('service_number_of_running_pods', { label: 'answering' }, { Service: 'kube-dns', Namespace: 'kube-system' }),
        m.insights('replicas_desired', { label: 'wanted' }, coredns),
      ]),
      w.graph('CoreDNS: CPU and memory, percent of the limit', [
        m.insights('pod_cpu_utilization_over_pod_limit', { label: 'CPU' }, coredns),
        m.insights('pod_memory_utilization_over_pod_limit', { label: 'memory' }, coredns),
      ], stat='Maximum'),
      w.graph('CoreDNS: bytes of a pod in a second', [
        m.insights('pod_network_rx_bytes', { label: 'received' }, coredns),
        m.insights('pod_network_tx_bytes', { label: 'sent' }, coredns),
      ]),
      w.graph(
        'Restarts in kube-system',
        m.by(['Namespace', 'PodName'], 'pod_number_of_container_restarts', ['Namespace="kube-system"'], 'Sum')
      ),
    ]),
  ];

  namespaces + batches + pipelines + dns
