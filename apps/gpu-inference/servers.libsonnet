// Model servers: on each node of a group of mode `server` one of each set of models, which divide its GPUs.
local kube = import '../lib/kube.libsonnet';
local network = import '../lib/network.libsonnet';
local server = import '../lib/server.libsonnet';
local triton = import '../lib/triton.libsonnet';
local common = import 'common.libsonnet';
local models = import 'models.libsonnet';

local containers = {
  triton(c, group, set):: triton.Container({
    image: set.image,
    args: set.args,
    repository: if c.modelFolder == null
    then 's3://%s/%s' % [c.bucket, std.rstripChars(set.modelRepository, '/')]
    else models.view,
    models: set.models,
    env: common.environment(c),
    resources: group.share { gpus: group.gpusPerServer },
  }),

  own(c, group, set):: server.Container(set.own {
    image: set.image,
    args: set.args,
    ports: common.ports(set),
    env: common.environment(c) {
      INFERENCE_BUCKET: c.bucket,
      INFERENCE_GPU_MEMORY_MIB: '%d' % group.gpuMemoryMib,
      INFERENCE_MODELS: std.join(',', set.models),
      INFERENCE_MODEL_REPOSITORY: set.modelRepository,
      INFERENCE_PORT: '%d' % set.own.port,
      [if c.modelFolder != null then 'INFERENCE_LOCAL_REPOSITORY']: models.view,
    },
    resources: group.share { gpus: group.gpusPerServer },
  }),
};

local daemonSet(c, group, set) =
  local own = { 'inference-fleet/node-group': group.name };
  kube.DaemonSet(common.object(c, '%s-%s' % [set.name, group.name], set.name) {
    labels+: own,
    selector: common.selector(c, set.name) + own,
    maxUnavailable: '10%',
    template: models.Held(c, group, set, common.template(
      c, group, set.name, 'server', own, server.graceSeconds, common.mounted(group, containers[set.kind](c, group, set))
    )),
  });

local forSet(c, groups, name) =
  local set = c.servers[name];
  [
    kube.Service(common.object(c, set.name, set.name) {
      selector: common.selector(c, set.name),
      ports: common.ports(set),
      // Each worker asks the server on its own node.
      internalTrafficPolicy: 'Local',
    }),
    common.policy(c, set.name, {
      ingress: [{ from: common.pods(c, 'worker'), ports: common.portsOf(set) }],
      egress: [network.dns(c.nodeLocalDns), network.https],
    }),
  ] + [daemonSet(c, group, set) for group in groups if std.member(group.servers, name)];

function(c, groups)
  [common.priority(c, 'server', {
    value: 1000,
    description: 'Model servers: a worker beside one makes room for it.',
  })]
  + std.flatMap(function(name) forSet(c, groups, name), std.objectFields(c.servers))
