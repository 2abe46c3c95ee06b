// Model servers on GPU nodes, and batches over S3 prefixes as indexed Jobs.
local aws = import '../lib/aws.libsonnet';
local batch = import '../lib/batch.libsonnet';
local gpu = import '../lib/gpu.libsonnet';
local hash = import '../lib/hash.libsonnet';
local kube = import '../lib/kube.libsonnet';
local network = import '../lib/network.libsonnet';
local pod = import '../lib/pod.libsonnet';
local required = import '../lib/required.libsonnet';
local triton = import '../lib/triton.libsonnet';

local facts(cluster) =
  local c = required('cluster', [
    'region', 'bucket', 'app', 'roles', 'images', 'modelRepository', 'nodeGroups', 'jobs', 'nodeLocalDns',
  ]) + cluster;
  c {
    app: required('app', ['name', 'namespace']) + c.app,
    images: required('images', ['server', 'worker']) + c.images,
    nodeGroups: std.mapWithKey(gpu, c.nodeGroups),
    jobs: std.mapWithKey(
      function(name, job)
        required('jobs.' + name, ['nodeGroup', 'input', 'output', 'shards', 'parallelism', 'deadlineSeconds']) + job,
      c.jobs
    ),
  };

local selector(c, component) = {
  'app.kubernetes.io/name': c.app.name,
  'app.kubernetes.io/component': component,
};

local labels = { 'app.kubernetes.io/part-of': 'inference-fleet', 'app.kubernetes.io/managed-by': 'argocd' };

local object(c, name, component) =
  { name: name, namespace: c.app.namespace, labels: selector(c, component) + labels };

local serviceAccount(c) = kube.ServiceAccount(object(c, c.app.name, 'identity') {
  annotations: aws.roleAnnotations((required('roles', [c.app.name]) + c.roles)[c.app.name]),
});

local priority(c, component, more) = kube.PriorityClass({
  name: '%s-%s' % [c.app.name, component],
  labels: selector(c, component) + labels,
  // Argo CD's own order puts this kind last, and pods that name a class before it exists are refused.
  annotations: { 'argocd.argoproj.io/sync-wave': '-1' },
} + more);

local template(c, group, component, own, graceSeconds, container) = pod.Template({
  labels: selector(c, component) + labels + own,
  serviceAccount: c.app.name,
  priorityClass: '%s-%s' % [c.app.name, component],
  graceSeconds: graceSeconds,
  nodeSelector: group.selector,
  taints: group.taints,
  container: container,
  scratchMib: group.scratchMib,
  shmMib: group.shmMib,
});

local environment(c) = aws.env(c.region) { HOME: '/tmp' };

local serverDaemonSet(c, group) =
  local own = { 'inference-fleet/node-group': group.name };
  kube.DaemonSet(object(c, 'server-' + group.name, 'server') {
    labels+: own,
    selector: selector(c, 'server') + own,
    maxUnavailable: '10%',
    template: template(c, group, 'server', own, triton.graceSeconds, triton.Container({
      image: c.images.server,
      bucket: c.bucket,
      prefix: c.modelRepository,
      env: environment(c),
      resources: group.resources(group.gpusPerNode),
    })),
  });

local workerEnvironment(c, group, job) = environment(c) {
  INFERENCE_BUCKET: c.bucket,
  INFERENCE_INPUT: job.input,
  INFERENCE_OUTPUT: job.output,
  INFERENCE_SHARDS: '%d' % job.shards,
} + (
  if group.workerGpus == 0 then {
    INFERENCE_SERVER: 'server.%s.svc.cluster.local:%d' % [c.app.namespace, triton.ports.grpc],
    // A CUDA image asks for all GPUs unless told otherwise, and would get the server's.
    NVIDIA_VISIBLE_DEVICES: 'void',
  } else {
    // Slices share one memory, and nothing but the worker itself keeps to its part.
    INFERENCE_GPU_MEMORY_MIB: '%d' % group.workerGpuMemoryMib,
    NVIDIA_DRIVER_CAPABILITIES: 'compute,utility,video',
  }
);

local workerJob(c, name, job) =
  assert job.nodeGroup in c.nodeGroups : 'jobs.%s: `nodeGroup` is `%s`, which has no GPU' % [name, job.nodeGroup];
  local group = c.nodeGroups[job.nodeGroup];
  local own = { 'inference-fleet/job': name };
  local spec = batch.IndexedSpec({
    completions: job.shards,
    parallelism: job.parallelism,
    deadlineSeconds: job.deadlineSeconds,
    template: template(c, group, 'worker', own, batch.graceSeconds, pod.Container({
      name: 'worker',
      image: c.images.worker,
      env: workerEnvironment(c, group, job),
      resources: group.resources(group.workerGpus),
    }) { command: ['python', '-m', 'worker', 'run'] }),
  });
  // All of it but the parallelism: that may change while the Job runs, and the rest never.
  local digest = hash(spec { parallelism:: null });
  kube.Job(object(c, '%s-%s' % [name, digest], 'worker') { labels+: own, spec: spec });

local pods(c, component) = [{ podSelector: { matchLabels: selector(c, component) } }];

local policy(c, component, more) =
  kube.NetworkPolicy(object(c, component, component) + pods(c, component)[0] + more);

local serverPorts = network.tcp(std.objectValues(triton.ports));

local servers(c, groups) = [
  priority(c, 'server', { value: 1000, description: 'Model servers: a worker beside one makes room for it.' }),
  kube.Service(object(c, 'server', 'server') {
    selector: selector(c, 'server'),
    ports: triton.ports,
    // Each worker asks the server on its own node.
    internalTrafficPolicy: 'Local',
  }),
  policy(c, 'server', {
    ingress: [{ from: pods(c, 'worker'), ports: serverPorts }],
    egress: [network.dns(c.nodeLocalDns), network.https],
  }),
] + [serverDaemonSet(c, group) for group in groups];

local workers(c) = [
  priority(c, 'worker', {
    value: 0,
    preemptionPolicy: 'Never',
    description: 'Batches: they wait for room and take none from others.',
  }),
  policy(c, 'worker', {
    egress: [network.dns(c.nodeLocalDns), network.https, { to: pods(c, 'server'), ports: serverPorts }],
  }),
] + [workerJob(c, name, c.jobs[name]) for name in std.objectFields(c.jobs)];

function(cluster)
  local c = facts(cluster);
  local groups = [group for group in std.objectValues(c.nodeGroups) if group.mode == 'server'];
  [serviceAccount(c), kube.NetworkPolicy(object(c, 'default-deny', 'network') { podSelector: {} })]
  + (if groups == [] then [] else servers(c, groups))
  + (if c.jobs == {} then [] else workers(c))
