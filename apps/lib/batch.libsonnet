// Indexed Jobs that outlive spot nodes.
local required = import 'required.libsonnet';

{
  // What a worker exits with where its input is at fault: no other attempt will end better.
  badInputExitCode:: 65,

  // For a shard to save its place; a spot node is gone two minutes after its notice.
  graceSeconds:: 90,

  // No TTL: a Job that is gone from the cluster but not from git would run again.
  IndexedSpec(params)::
    local p = required('IndexedSpec', ['completions', 'parallelism', 'deadlineSeconds', 'template']) + params;
    {
      completionMode: 'Indexed',
      completions: p.completions,
      parallelism: p.parallelism,
      activeDeadlineSeconds: p.deadlineSeconds,
      backoffLimitPerIndex: 3,
      // More than a tenth is no longer the input's fault.
      maxFailedIndexes: std.ceil(p.completions / 10),
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [
          // The node was taken, not the work at fault: another attempt, and none of the index's own is used up.
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          {
            action: 'FailIndex',
            onExitCodes: {
              containerName: p.template.spec.containers[0].name,
              operator: 'In',
              values: [$.badInputExitCode],
            },
          },
        ],
      },
      template: p.template {
        // Moving a half-done shard to save a node costs more than the node does.
        metadata+: { annotations+: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } },
        spec+: { restartPolicy: 'Never' },
      },
    },
}
