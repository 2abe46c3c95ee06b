// Batches over S3 prefixes: indexed Jobs, and CronJobs that make them.
local batch = import '../lib/batch.libsonnet';
local gpu = import '../lib/gpu.libsonnet';
local hash = import '../lib/hash.libsonnet';
local kube = import '../lib/kube.libsonnet';
local network = import '../lib/network.libsonnet';
local pod = import '../lib/pod.libsonnet';
local command = import 'command.libsonnet';
local common = import 'common.libsonnet';
local models = import 'models.libsonnet';

local address(c, set) = '%s.%s.svc.cluster.local:%d' % [set.name, c.app.namespace, common.ports(set).http];

local workerEnvironment(c, group, name, job) = common.environment(c) {
  INFERENCE_BATCH: name,
  INFERENCE_BUCKET: c.bucket,
  INFERENCE_CLUSTER: c.name,
  INFERENCE_INPUT: job.input,
  INFERENCE_MODEL: job.model,
  INFERENCE_OUTPUT: job.output,
  // A Job of another name lists the input again, and does what is new.
  INFERENCE_RUN: pod.label('batch.kubernetes.io/job-name'),
  INFERENCE_SHARDS: '%d' % job.shards,
} + (
  if group.workerGpus == 0 then {
    INFERENCE_SERVER: address(c, c.servers[job.server]),
    // A CUDA image asks for all GPUs unless told otherwise, and would get the server's.
    NVIDIA_VISIBLE_DEVICES: 'void',
  } else {
    // Slices share one memory, and nothing but the worker itself keeps to its part.
    INFERENCE_GPU_MEMORY_MIB: '%d' % group.workerGpuMemoryMib,
    NVIDIA_DRIVER_CAPABILITIES: 'compute,utility,video',
  }
);

// A worker beside a server reads no model itself; a submitted one may mount no claim (submitters.libsonnet).
local withModel(c, group, job, submitted, template) =
  if group.workerGpus == 0 || submitted then template else models.Fetched(c, group, job.model, template);

local groupOf(c, name, job) =
  local found = [
    if each in c.nodeGroups then c.nodeGroups[each]
    else error 'jobs.%s: `nodeGroups` has `%s`, which has no GPU' % [name, each]
    for each in job.nodeGroups
  ];
  assert std.length(std.set([group.mode for group in found])) == 1 :
         'jobs.%s: `nodeGroups` are not of one mode' % name;
  gpu.Union(found);

local workerContainer(c, group, name, job) = pod.Container({
  name: 'worker',
  image: if group.workerGpus == 0 then c.images.worker else c.images.cudaWorker,
  env: workerEnvironment(c, group, name, job),
  resources: group.share { gpus: group.workerGpus },
}) { command: command };

local workerSpec(c, name, job, ttlSeconds) =
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
    ttlSeconds: ttlSeconds,
    own: own,
    template: withModel(c, group, job, ttlSeconds != null, common.template(
      c, group, 'worker', 'worker', own, batch.graceSeconds, common.mounted(group, workerContainer(c, group, name, job))
    )),
  });

local workerJob(c, name, job) =
  local own = { 'inference-fleet/job': name };
  local spec = workerSpec(c, name, job, null);
  // In a Job's name, because what is in its spec never changes; a CronJob's takes effect with its next Job.
  local digest = hash(spec + batch.mutable);
  if job.schedule == null
  then kube.Job(common.object(c, '%s-%s' % [name, digest], 'worker') { labels+: own, spec: spec })
  else kube.CronJob(common.object(c, name, 'worker') {
    labels+: own,
    schedule: job.schedule,
    timeZone: job.timeZone,
    suspend: job.suspend,
    spec: spec,
  });

{
  // What a batch is, wherever its Job comes from; `ttlSeconds` is null for one in git.
  spec:: workerSpec,

  objects(c):: [
    common.priority(c, 'worker', {
      value: 0,
      preemptionPolicy: 'Never',
      description: 'Batches: they wait for room and take none from others.',
    }),
    common.policy(c, 'worker', {
      egress: [network.dns(c.nodeLocalDns), network.https] + [
        { to: common.pods(c, set.name), ports: common.portsOf(set) }
        for set in std.objectValues(c.servers)
      ],
    }),
  ] + [workerJob(c, name, c.jobs[name]) for name in std.objectFields(c.jobs)],
}
