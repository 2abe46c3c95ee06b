// Models that each GPU node keeps in a folder of its own, and how pods get at them.
local kube = import '../lib/kube.libsonnet';
local network = import '../lib/network.libsonnet';
local pod = import '../lib/pod.libsonnet';
local common = import 'common.libsonnet';

local claim = 'models';
local folder = '/models';
local here = '/tmp/models-are-here';

local mount = { name: claim, mountPath: folder };

local container(c, warm, name, options, models) = pod.Container({
  name: name,
  image: c.images.worker,
  // A CUDA image would otherwise be given the node's GPUs.
  env: common.environment(c) { INFERENCE_BUCKET: c.bucket, NVIDIA_VISIBLE_DEVICES: 'void' },
  resources: { cpu: warm.cpuMilli, memory: warm.memoryMib, gpus: 0 },
}) {
  command: ['python', '-m', 'inference_worker', name, '--folder=' + folder, '--limit-mib=%d' % warm.limitMib]
           + options + models,
  volumeMounts+: [mount],
};

// The node's folder in a pod; `first` runs before its containers, which may only read.
local withFolder(template, first) = template {
  spec+: {
    // The group is the folder's from the node's boot on, and its files are many.
    securityContext+: { fsGroupChangePolicy: 'OnRootMismatch' },
    volumes+: [{ name: claim, persistentVolumeClaim: { claimName: claim } }],
  } + (if first == [] then {} else {
         initContainers: first,
         containers: [each { volumeMounts+: [mount { readOnly: true }] } for each in super.containers],
       }),
};

local daemonSet(c, group) =
  local own = { 'inference-fleet/node-group': group.name };
  kube.DaemonSet(common.object(c, 'models-' + group.name, 'models') {
    labels+: own,
    selector: common.selector(c, 'models') + own,
    // Many nodes at once would ask the bucket for gigabytes each, beside work that runs.
    maxUnavailable: '10%',
    template: withFolder(pod.Template({
      labels: common.selector(c, 'models') + common.labels + own,
      serviceAccount: common.warmer,
      priorityClass: '%s-warmer' % c.app.name,
      graceSeconds: 5,
      nodes: group.nodes,
      taints: group.taints,
      container: container(c, group.warm, 'warm', ['--ready=' + here], group.warm.models) {
        // A rollout stops at its first tenth where a model does not come.
        readinessProbe: { exec: { command: ['test', '-e', here] }, periodSeconds: 10 },
      },
      scratchMib: 16,
      shmMib: 1,
    }), []),
  });

{
  // Where a server finds its models, each under its name.
  view:: '/tmp/repository',

  // A server's pod whose models are there before it starts, and stay until it is gone.
  Held(c, group, set, template):: if c.modelFolder == null then template else withFolder(template, [
    container(c, group.warm, 'pin', ['--view=' + $.view, '--ready=' + here], [
      '%s%s/' % [set.modelRepository, name]
      for name in set.models
    ]) {
      restartPolicy: 'Always',
      // As long as the server itself has to load them: from S3, on a node that nothing was brought to yet.
      startupProbe: { exec: { command: ['test', '-e', here] }, periodSeconds: 2, failureThreshold: 450 },
    },
  ]),

  // A worker's pod whose model is on the node, unless there is no room: then the worker fetches it for itself.
  Fetched(c, group, model, template)::
    if c.modelFolder == null then template
    else withFolder(template {
      spec+: {
        containers: [each { env+: kube.env({ INFERENCE_MODELS_FOLDER: folder }) } for each in super.containers],
      },
    }, [container(c, group.warm, 'fetch', [], [model])]),

  Warmers(c)::
    kube.NodeFolder(common.object(c, '%s-models' % c.app.name, 'models') + c.modelFolder { claim: claim })
    + [common.policy(c, 'models', { egress: [network.dns(c.nodeLocalDns), network.https] })]
    + [daemonSet(c, group) for group in std.objectValues(c.nodeGroups)],
}
