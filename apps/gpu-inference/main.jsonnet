// Model servers on GPU nodes, and batches over S3 prefixes as indexed Jobs.
local aws = import '../lib/aws.libsonnet';
local kube = import '../lib/kube.libsonnet';
local required = import '../lib/required.libsonnet';
local common = import 'common.libsonnet';
local facts = import 'facts.libsonnet';
local models = import 'models.libsonnet';
local servers = import 'servers.libsonnet';
local submitters = import 'submitters.libsonnet';
local warmers = import 'warmers.libsonnet';
local workers = import 'workers.libsonnet';

local serviceAccount(c, name) = kube.ServiceAccount(common.object(c, name, 'identity') {
  annotations: aws.roleAnnotations((required('roles', [name]) + c.roles)[name]),
});

local warmerPriority(c) = common.priority(c, 'warmer', {
  value: 0,
  preemptionPolicy: 'Never',
  description: 'Images and models brought ahead: they make room for everything.',
});

function(cluster)
  local c = facts(cluster);
  local groups = [group for group in std.objectValues(c.nodeGroups) if group.mode == 'server'];
  [serviceAccount(c, c.app.name), serviceAccount(c, common.warmer)]
  + [kube.NetworkPolicy(common.object(c, 'default-deny', 'network') { podSelector: {} })]
  + (if groups == [] then [] else servers(c, groups))
  + (if !c.submit && c.jobs == {} then [] else workers.objects(c))
  + (if c.submitters == null then [] else submitters(c))
  + (if c.warmImages == [] && c.modelFolder == null then [] else [warmerPriority(c)])
  + (if c.warmImages == [] then [] else warmers(c))
  + (if c.modelFolder == null then [] else models.Warmers(c))
