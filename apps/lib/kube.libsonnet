// Kubernetes objects, one constructor a kind. Each takes one object of parameters.
local required = import 'required.libsonnet';

local meta(p) =
  { name: p.name, labels: p.labels }
  + (if 'namespace' in p then { namespace: p.namespace } else {})
  + (if 'annotations' in p then { annotations: p.annotations } else {});

local only(p, fields) = { [field]: p[field] for field in fields if field in p };

{
  // Environment variables, by their values or by where these come from, and tolerations as Kubernetes lists them.
  env(variables):: [
    { name: name } + (
      if std.isObject(variables[name]) then { valueFrom: variables[name] } else { value: variables[name] }
    )
    for name in std.objectFields(variables)
  ],

  tolerations(taints):: [
    { key: taint.key, operator: 'Equal', value: taint.value, effect: taint.effect }
    for taint in taints
  ],

  ServiceAccount(params)::
    local p = required('ServiceAccount', ['name', 'namespace', 'labels']) + params;
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: meta(p),
      // For Kubernetes' own API; the token for AWS is another one.
      automountServiceAccountToken: false,
    },

  // A folder that each of many nodes has, and the claim on it. Nobody holds it to the size, which cannot be changed.
  NodeFolder(params)::
    local p = required('NodeFolder', ['name', 'namespace', 'labels', 'path', 'nodes', 'claim']) + params;
    local both = {
      accessModes: ['ReadWriteMany'],
      // No class: neither the default one nor anybody's provisioner has a part in it.
      storageClassName: '',
      volumeMode: 'Filesystem',
    };
    [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: p.name, labels: p.labels },
        spec: both {
          capacity: { storage: '1Gi' },
          persistentVolumeReclaimPolicy: 'Retain',
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: p.namespace, name: p.claim },
          // Not `hostPath`, whose folder the kubelet gives to no group.
          'local': { path: p.path },
          // Cannot be changed, so it is what all such nodes will ever have in common.
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [{
                matchExpressions: [
                  { key: key, operator: 'In', values: [p.nodes[key]] }
                  for key in std.objectFields(p.nodes)
                ],
              }],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: meta(p { name: p.claim }),
        spec: both { resources: { requests: { storage: '1Gi' } }, volumeName: p.name },
      },
    ],

  PriorityClass(params)::
    local p = required('PriorityClass', ['name', 'labels', 'value', 'description']) + params;
    {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: meta(p),
      value: p.value,
      description: p.description,
      preemptionPolicy: std.get(p, 'preemptionPolicy', 'PreemptLowerPriority'),
    },

  Service(params)::
    local p = required('Service', ['name', 'namespace', 'labels', 'selector', 'ports']) + params;
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta(p),
      // Numbers as target ports: the VPC CNI's network policies do not follow a named one.
      spec: {
        selector: p.selector,
        ports: [
          { name: name, protocol: 'TCP', port: p.ports[name], targetPort: p.ports[name] }
          for name in std.objectFields(p.ports)
        ],
      } + only(p, ['internalTrafficPolicy']),
    },

  NetworkPolicy(params)::
    local p = required('NetworkPolicy', ['name', 'namespace', 'labels', 'podSelector']) + params;
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: meta(p),
      spec: {
        podSelector: p.podSelector,
        // Both, so that what is not listed is denied.
        policyTypes: ['Ingress', 'Egress'],
      } + only(p, ['ingress', 'egress']),
    },

  DaemonSet(params)::
    local p = required('DaemonSet', ['name', 'namespace', 'labels', 'selector', 'maxUnavailable', 'template']) + params;
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: meta(p),
      spec: {
        selector: { matchLabels: p.selector },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: p.maxUnavailable } },
        template: p.template,
      },
    },

  Job(params)::
    local p = required('Job', ['name', 'namespace', 'labels', 'spec']) + params;
    // The longest host name of its pods is the Job's name and its last index.
    local longest = std.length('%s-%d' % [p.name, p.spec.completions - 1]);
    assert longest <= 63 : 'Job: `%s` makes host names of %d characters; 63 is the most' % [p.name, longest];
    { apiVersion: 'batch/v1', kind: 'Job', metadata: meta(p), spec: p.spec },

  CronJob(params)::
    local p = required('CronJob', ['name', 'namespace', 'labels', 'schedule', 'timeZone', 'suspend', 'spec']) + params;
    // Its Jobs have the time behind its name, in ten characters and more.
    local longest = std.length('%s-%s-%d' % [p.name, std.repeat('0', 10), p.spec.completions - 1]);
    assert longest <= 63 : 'CronJob: `%s` makes host names of %d characters; 63 is the most' % [p.name, longest];
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: meta(p),
      spec: {
        schedule: p.schedule,
        timeZone: p.timeZone,
        suspend: p.suspend,
        concurrencyPolicy: 'Forbid',
        // A controller that was away for longer leaves the time out; without this, a hundred such times stop it.
        startingDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 3,
        jobTemplate: { metadata: { labels: p.labels }, spec: p.spec },
      },
    },

  // Of a namespace: `rules` are [group, resources, verbs, names], the last of them optional.
  Role(params)::
    local p = required('Role', ['name', 'namespace', 'labels', 'rules']) + params;
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: meta(p),
      rules: [
        { apiGroups: [rule[0]], resources: rule[1], verbs: rule[2] }
        + (if std.length(rule) > 3 then { resourceNames: rule[3] } else {})
        for rule in p.rules
      ],
    },

  // The role of the same name, to a group of people.
  RoleBinding(params)::
    local p = required('RoleBinding', ['name', 'namespace', 'labels', 'group']) + params;
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: meta(p),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: p.name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: p.group }],
    },
}
