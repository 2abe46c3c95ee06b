// Pods that Pod Security's level `restricted` admits.
local kube = import 'kube.libsonnet';
local required = import 'required.libsonnet';

local expressions(labels) =
  [{ key: key, operator: 'In', values: [labels[key]] } for key in std.objectFields(labels)];

// Where a pod may run: the labels of one kind of node, or of several, the first of them preferred.
local on(nodes) =
  assert nodes != [] : 'Template: `nodes` is empty';
  if std.length(nodes) == 1 then { nodeSelector: nodes[0] } else {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: expressions(labels) } for labels in nodes],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, preference: { matchExpressions: expressions(nodes[0]) } },
        ],
      },
    },
  };

{
  // The value of a variable that holds one of the pod's labels.
  label(key):: { fieldRef: { fieldPath: "metadata.labels['%s']" % key } },

  // `resources`: cpu in millicores, memory in MiB, gpus.
  Container(params)::
    local p = required('Container', ['name', 'image', 'env', 'resources']) + params;
    local r = required('Container: resources', ['cpu', 'memory', 'gpus']) + p.resources;
    local fixed =
      { memory: '%dMi' % r.memory }
      + (if r.gpus > 0 then { 'nvidia.com/gpu': '%d' % r.gpus } else {});
    {
      name: p.name,
      image: p.image,
      env: kube.env(p.env),
      resources: {
        // No CPU limit: the nodes are this app's alone, the requests share them out, and a throttled pod would keep its
        // GPU waiting. No request for ephemeral storage: cluster-autoscaler sees none on a node group that stands at
        // zero, and would never add a node to it.
        requests: fixed { cpu: '%dm' % r.cpu },
        limits: fixed,
      },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, { name: 'shm', mountPath: '/dev/shm' }],
    },

  // `nodes` are labels, those of one kind of node each;
  // `scratchMib` is the most that /tmp may hold, `shmMib` the most that /dev/shm may.
  Template(params)::
    local p = required('Template', [
      'labels',
      'serviceAccount',
      'priorityClass',
      'graceSeconds',
      'nodes',
      'taints',
      'container',
      'scratchMib',
      'shmMib',
    ]) + params;
    {
      metadata: { labels: p.labels },
      spec: {
        serviceAccountName: p.serviceAccount,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        priorityClassName: p.priorityClass,
        terminationGracePeriodSeconds: p.graceSeconds,
        tolerations: kube.tolerations(p.taints),
        // With the default, 5, a name in AWS is first looked for in four domains of the cluster.
        dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          runAsGroup: 1000,
          fsGroup: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [p.container],
        volumes: [
          { name: 'tmp', emptyDir: { sizeLimit: '%dMi' % p.scratchMib } },
          // What lies here counts into the container's memory limit.
          { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '%dMi' % p.shmMib } },
        ],
      } + on(p.nodes),
    },
}
