// Model servers: on each node of a group of mode `server` one that holds its GPUs.
local kube = import '../lib/kube.libsonnet';
local network = import '../lib/network.libsonnet';
local triton = import '../lib/triton.libsonnet';
local common = import 'common.libsonnet';

local serverDaemonSet(c, group) =
  local own = { 'inference-fleet/node-group': group.name };
  kube.DaemonSet(common.object(c, 'server-' + group.name, 'server') {
    labels+: own,
    selector: common.selector(c, 'server') + own,
    maxUnavailable: '10%',
    template: common.template(c, group, 'server', own, triton.graceSeconds, triton.Container({
      image: c.images.server,
      bucket: c.bucket,
      prefix: c.modelRepository,
      models: c.models,
      env: common.environment(c),
      resources: group.share { gpus: group.gpusPerNode },
    })),
  });

function(c, groups) [
  common.priority(c, 'server', { value: 1000, description: 'Model servers: a worker beside one makes room for it.' }),
  kube.Service(common.object(c, 'server', 'server') {
    selector: common.selector(c, 'server'),
    ports: triton.ports,
    // Each worker asks the server on its own node.
    internalTrafficPolicy: 'Local',
  }),
  common.policy(c, 'server', {
    ingress: [{ from: common.pods(c, 'worker'), ports: common.serverPorts }],
    egress: [network.dns(c.nodeLocalDns), network.https],
  }),
] + [serverDaemonSet(c, group) for group in groups]
