// Images pulled onto GPU nodes before the pods that need them.
local kube = import '../lib/kube.libsonnet';
local warmer = import '../lib/warmer.libsonnet';
local common = import 'common.libsonnet';

// Without a role: what runs here are others' images, and they ask AWS nothing.
local account = 'image-warmer';

local warmerDaemonSet(c, group) =
  local own = { 'inference-fleet/node-group': group.name };
  kube.DaemonSet(common.object(c, 'warmer-' + group.name, 'warmer') {
    labels+: own,
    selector: common.selector(c, 'warmer') + own,
    // Many nodes at once would ask the registry for gigabytes each, beside work that runs.
    maxUnavailable: '10%',
    template: warmer.Template({
      images: c.warmImages,
      labels: common.selector(c, 'warmer') + common.labels + own,
      serviceAccount: account,
      priorityClass: '%s-warmer' % c.app.name,
      graceSeconds: 1,
      nodes: group.nodes,
      taints: group.taints,
    }),
  });

function(c)
  [kube.ServiceAccount(common.object(c, account, 'warmer'))]
  + [warmerDaemonSet(c, group) for group in std.objectValues(c.nodeGroups)]
