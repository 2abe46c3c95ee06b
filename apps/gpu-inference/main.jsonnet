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
local warmer = import '../lib/warmer.libsonnet';

local facts(cluster) =
  local c = required('cluster', [
    'region', 'bucket', 'app', 'roles', 'images', 'modelRepository', 'models', 'warmImages', 'nodeGroups', 'jobs',
    'nodeLocalDns',
  ]) + cluster;
  c {
    app: required('app', ['name', 'namespace']) + c.app,
    images: required('images', ['server', 'worker', 'cudaWorker']) + c.images,
    nodeGroups: std.mapWithKey(gpu.Group, c.nodeGroups),
    jobs: std.mapWithKey(
      function(name, job)
        required('jobs.' + name, [
          'nodeGroups', 'input', 'output', 'model', 'shards', 'parallelism', 'deadlineSeconds', 'maxFailed', 'enough',
          'suspend', 'schedule', 'timeZone',
        ]) + job,
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
  nodes: group.nodes,
  taints: group.taints,
  container: container,
  scratchMib: group.scratchMib,
  shmMib: std.floor(group.share.memory / 4),
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
      models: c.models,
      env: environment(c),
      resources: group.share { gpus: group.gpusPerNode },
    })),
  });

local workerEnvironment(c, group, job) = environment(c) {
  INFERENCE_BUCKET: c.bucket,
  INFERENCE_INPUT: job.input,
  INFERENCE_MODEL: job.model,
  INFERENCE_OUTPUT: job.output,
  // A Job of another name lists the input again, and does what is new.
  INFERENCE_RUN: pod.label('batch.kubernetes.io/job-name'),
  INFERENCE_SHARDS: '%d' % job.shards,
} + (
  if group.workerGpus == 0 then {
    INFERENCE_SERVER: 'server.%s.svc.cluster.local:%d' % [c.app.namespace, triton.ports.http],
    // A CUDA image asks for all GPUs unless told otherwise, and would get the server's.
    NVIDIA_VISIBLE_DEVICES: 'void',
  } else {
    // Slices share one memory, and nothing but the worker itself keeps to its part.
    INFERENCE_GPU_MEMORY_MIB: '%d' % group.workerGpuMemoryMib,
    NVIDIA_DRIVER_CAPABILITIES: 'compute,utility,video',
  }
);

local groupOf(c, name, job) =
  local found = [
    if each in c.nodeGroups then c.nodeGroups[each]
    else error 'jobs.%s: `nodeGroups` has `%s`, which has no GPU' % [name, each]
    for each in job.nodeGroups
  ];
  assert std.length(std.set([group.mode for group in found])) == 1 :
         'jobs.%s: `nodeGroups` are not of one mode' % name;
  gpu.Union(found);

// With MPS the device plugin mounts the daemon's own /dev/shm into whoever gets a slice.
local mounted(group, container) = container {
  volumeMounts: [each for each in super.volumeMounts if group.sharing != 'mps' || each.mountPath != '/dev/shm'],
};

local workerSpec(c, name, job) =
  local group = groupOf(c, name, job);
  local own = { 'inference-fleet/job': name };
  batch.IndexedSpec({
    completions: job.shards,
    parallelism: job.parallelism,
    deadlineSeconds: job.deadlineSeconds,
    maxFailed: job.maxFailed,
    enough: job.enough,
    // A CronJob's Jobs are held back with it, not each.
    suspend: job.suspend && job.schedule == null,
    own: own,
    template: template(c, group, 'worker', own, batch.graceSeconds, mounted(group, pod.Container({
      name: 'worker',
      image: if group.workerGpus == 0 then c.images.worker else c.images.cudaWorker,
      env: workerEnvironment(c, group, job),
      resources: group.share { gpus: group.workerGpus },
    }) { command: ['python', '-m', 'inference_worker', 'run'] })),
  });

local workerJob(c, name, job) =
  local own = { 'inference-fleet/job': name };
  local spec = workerSpec(c, name, job);
  // In a Job's name, because what is in its spec never changes; a CronJob's takes effect with its next Job.
  local digest = hash(spec + batch.mutable);
  if job.schedule == null then kube.Job(object(c, '%s-%s' % [name, digest], 'worker') { labels+: own, spec: spec })
  else kube.CronJob(object(c, name, 'worker') {
    labels+: own,
    schedule: job.schedule,
    timeZone: job.timeZone,
    suspend: job.suspend,
    spec: spec,
  });

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

local warmerDaemonSet(c, group) =
  local own = { 'inference-fleet/node-group': group.name };
  kube.DaemonSet(object(c, 'warmer-' + group.name, 'warmer') {
    labels+: own,
    selector: selector(c, 'warmer') + own,
    // Many nodes at once would ask the registry for gigabytes each, beside work that runs.
    maxUnavailable: '10%',
    template: warmer.Template({
      images: c.warmImages,
      labels: selector(c, 'warmer') + labels + own,
      serviceAccount: c.app.name,
      priorityClass: '%s-warmer' % c.app.name,
      graceSeconds: 1,
      nodes: group.nodes,
      taints: group.taints,
    }),
  });

local warmers(c) = [
  priority(c, 'warmer', {
    value: 0,
    preemptionPolicy: 'Never',
    description: 'Images pulled ahead: they make room for everything.',
  }),
] + [warmerDaemonSet(c, group) for group in std.objectValues(c.nodeGroups)];

function(cluster)
  local c = facts(cluster);
  local groups = [group for group in std.objectValues(c.nodeGroups) if group.mode == 'server'];
  [serviceAccount(c), kube.NetworkPolicy(object(c, 'default-deny', 'network') { podSelector: {} })]
  + (if groups == [] then [] else servers(c, groups))
  + (if c.jobs == {} then [] else workers(c))
  + (if c.warmImages == [] then [] else warmers(c))
