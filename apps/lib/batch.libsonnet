// Indexed Jobs that outlive spot nodes.
local required = import 'required.libsonnet';

{
  // What a worker exits with where its input is at fault: no other attempt will end better.
  badInputExitCode:: 65,

  // What it exits with when it was stopped and has saved its place: the next attempt goes on from there.
  stoppedExitCode:: 75,

  // For a shard to save its place; a spot node is gone two minutes after its notice.
  graceSeconds:: 90,

  // No `ttlSeconds` for what is in git: a Job that is gone from the cluster but not from git would run again.
  IndexedSpec(params)::
    local p = { ttlSeconds: null } + required('IndexedSpec', [
      'completions',
      'parallelism',
      'deadlineSeconds',
      'maxFailed',
      'enough',
      'suspend',
      'own',
      'template',
    ]) + params;
    assert p.parallelism <= p.completions :
           'IndexedSpec: `parallelism` %d is more than `completions` %d' % [p.parallelism, p.completions];
    assert p.maxFailed <= p.completions :
           'IndexedSpec: `maxFailed` %d is more than `completions` %d' % [p.maxFailed, p.completions];
    local exit(action, code) = {
      action: action,
      onExitCodes: { containerName: p.template.spec.containers[0].name, operator: 'In', values: [code] },
    };
    {
      completionMode: 'Indexed',
      completions: p.completions,
      parallelism: p.parallelism,
      activeDeadlineSeconds: p.deadlineSeconds,
      backoffLimitPerIndex: 3,
      // With more of them it is no longer the input's fault.
      maxFailedIndexes: p.maxFailed,
      suspend: p.suspend,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [
          // The node was taken, not the work at fault: another attempt, and none of the index's own is used up.
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          exit('Ignore', $.stoppedExitCode),
          exit('FailIndex', $.badInputExitCode),
        ],
      },
      template: p.template {
        // Moving a half-done shard to save a node costs more than the node does.
        metadata+: { annotations+: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } },
        spec+: {
          restartPolicy: 'Never',
          // Spot takes nodes by zone and type. A wish alone: cluster-autoscaler does not add nodes for it.
          topologySpreadConstraints: [{
            maxSkew: 1,
            topologyKey: 'topology.kubernetes.io/zone',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: p.own },
          }],
        },
      },
    }
    + (if p.enough == null then {} else { successPolicy: { rules: [{ succeededCount: p.enough }] } })
    + (if p.ttlSeconds == null then {} else { ttlSecondsAfterFinished: p.ttlSeconds }),

  // What may change while the Job is there.
  mutable:: { parallelism:: null, suspend:: null },
}
