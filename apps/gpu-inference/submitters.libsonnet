// Who submits batches: what they may do, and what a Job of theirs may be.
local kube = import '../lib/kube.libsonnet';
local command = import 'command.libsonnet';
local common = import 'common.libsonnet';

local name = 'submitters';
local label = "metadata.?labels[?'app.kubernetes.io/managed-by'].orValue('')";

local rules(c) = [
  ['batch', ['jobs'], ['get', 'list', 'create', 'delete']],
  ['batch', ['cronjobs'], ['list']],
  ['', ['pods'], ['get', 'list']],
  ['', ['pods/log'], ['get']],
  // Its annotation tells which cluster this is.
  ['', ['serviceaccounts'], ['get'], [c.app.name]],
];

local folded(text) = std.strReplace(std.stripChars(text, ' \n'), '\n', ' ');

// RBAC knows kinds, not what is in them: a Job could run any image as the workers' ServiceAccount, and a deletion
// could hit a batch of git.
local validations(c) = [
  {
    expression: "request.operation == 'CREATE' || oldObject.%s == 'fleet'" % label,
    message: 'only batches that were submitted may be cancelled; those in git end there',
  },
] + [
  { expression: "request.operation == 'DELETE' || (%s)" % folded(each.expression), message: each.message }
  for each in [
    {
      expression: "object.%s == 'fleet' && has(object.spec.ttlSecondsAfterFinished)" % label,
      message: 'a batch is submitted by `fleet jobs submit`, which labels it and gives it a TTL',
    },
    {
      expression: "!('argocd.argoproj.io/tracking-id' in object.metadata.?annotations.orValue({}))",
      message: 'a submitted batch is not tracked by Argo CD, which would remove it',
    },
    {
      expression: |||
        variables.pod.?serviceAccountName.orValue('') == '%s'
        && variables.pod.?priorityClassName.orValue('') == '%s-worker'
      ||| % [c.app.name, c.app.name],
      message: "a batch runs as the workers' ServiceAccount, in their priority class",
    },
    {
      expression: |||
        size(variables.pod.containers) == 1 && !has(variables.pod.initContainers)
        && variables.pod.containers.all(c, c.image in %s && c.?command.orValue([]) == %s && !has(c.args))
      ||| % [std.manifestJsonMinified([c.images.worker, c.images.cudaWorker]), std.manifestJsonMinified(command)],
      message: 'a batch runs the worker of this cluster, and no other image or command',
    },
    {
      expression: |||
        variables.pod.?volumes.orValue([]).all(v, has(v.emptyDir))
        && variables.pod.containers.all(c, !has(c.envFrom)
        && c.?env.orValue([]).all(e, !has(e.valueFrom) || has(e.valueFrom.fieldRef)))
      |||,
      message: 'a batch mounts and reads no Secret, ConfigMap or claim',
    },
  ]
];

local policy(c) = {
  local own = common.object(c, '%s-%s' % [c.app.name, name], name),
  local metadata = { name: own.name, labels: own.labels },
  rules: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: metadata,
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': c.app.namespace } },
        resourceRules: [
          { apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE', 'DELETE'], resources: ['jobs'] },
        ],
      },
      matchConditions: [
        { name: 'asked-for-by-submitters', expression: "'%s' in request.userInfo.groups" % c.submitters },
      ],
      variables: [{ name: 'pod', expression: 'object.spec.template.spec' }],
      validations: validations(c),
    },
  },
  binding: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: metadata,
    spec: { policyName: own.name, validationActions: ['Deny'] },
  },
};

function(c) [
  kube.Role(common.object(c, name, name) { rules: rules(c) }),
  kube.RoleBinding(common.object(c, name, name) { group: c.submitters }),
  policy(c).rules,
  policy(c).binding,
]
