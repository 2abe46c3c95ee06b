// One batch that is not in git: what `fleet jobs submit` makes of the same facts.
local kube = import '../lib/kube.libsonnet';
local required = import '../lib/required.libsonnet';
local common = import 'common.libsonnet';
local facts = import 'facts.libsonnet';
local workers = import 'workers.libsonnet';

function(cluster)
  local c = facts(cluster);
  local order = required('order', ['batch', 'name', 'ttlSeconds', 'annotations']) + c.order;
  [kube.Job(common.object(c, order.name, 'worker') {
    // Who tells these apart: Argo CD does not, it looks for a tracking annotation of its own.
    labels+: { 'app.kubernetes.io/managed-by': 'fleet', 'inference-fleet/job': order.batch },
    annotations: order.annotations,
    spec: workers.spec(c, order.batch, c.jobs[order.batch], order.ttlSeconds),
  })]
