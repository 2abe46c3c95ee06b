// What servers, workers and warmers have in common: names, labels, and how a pod stands on a node.
local aws = import '../lib/aws.libsonnet';
local kube = import '../lib/kube.libsonnet';
local network = import '../lib/network.libsonnet';
local pod = import '../lib/pod.libsonnet';
local triton = import '../lib/triton.libsonnet';

{
  selector(c, component):: {
    'app.kubernetes.io/name': c.app.name,
    'app.kubernetes.io/component': component,
  },

  labels:: { 'app.kubernetes.io/part-of': 'inference-fleet', 'app.kubernetes.io/managed-by': 'argocd' },

  object(c, name, component)::
    { name: name, namespace: c.app.namespace, labels: $.selector(c, component) + $.labels },

  priority(c, component, more):: kube.PriorityClass({
    name: '%s-%s' % [c.app.name, component],
    labels: $.selector(c, component) + $.labels,
    // Argo CD's own order puts this kind last, and pods that name a class before it exists are refused.
    annotations: { 'argocd.argoproj.io/sync-wave': '-1' },
  } + more),

  template(c, group, component, priority, own, graceSeconds, container):: pod.Template({
    labels: $.selector(c, component) + $.labels + own,
    serviceAccount: c.app.name,
    priorityClass: '%s-%s' % [c.app.name, priority],
    graceSeconds: graceSeconds,
    nodes: group.nodes,
    taints: group.taints,
    container: container,
    scratchMib: group.scratchMib,
    shmMib: std.floor(group.share.memory / 4),
  }),

  // ServiceAccount of what is there ahead of others.
  warmer:: 'warmer',

  environment(c):: aws.env(c.region) { HOME: '/tmp' },

  // All pods of a component, as a peer of a policy.
  pods(c, component):: [{ podSelector: { matchLabels: $.selector(c, component) } }],

  policy(c, component, more)::
    kube.NetworkPolicy($.object(c, component, component) + $.pods(c, component)[0] + more),

  // What clients of a set's servers use, by name, and as a policy lists it.
  ports(set):: if set.kind == 'triton' then triton.ports else { http: set.own.port },
  portsOf(set):: network.tcp(std.objectValues($.ports(set))),

  // With MPS the device plugin mounts the daemon's own /dev/shm into whoever gets a slice.
  mounted(group, container):: container {
    volumeMounts: [each for each in super.volumeMounts if group.sharing != 'mps' || each.mountPath != '/dev/shm'],
  },
}
