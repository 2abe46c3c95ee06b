// What the library promises; tests/test_jsonnet_library.py wants each to be true.
local aws = import '../aws.libsonnet';
local batch = import '../batch.libsonnet';
local hash = import '../hash.libsonnet';
local network = import '../network.libsonnet';

local given = {
  completions: 4,
  parallelism: 2,
  deadlineSeconds: 60,
  maxFailed: 1,
  enough: null,
  suspend: false,
  own: { job: 'a' },
  template: { spec: { containers: [{ name: 'worker' }] } },
};
local spec = batch.IndexedSpec(given);

{
  'a batch in git has no TTL': !std.objectHas(spec, 'ttlSecondsAfterFinished'),
  'a submitted batch has one': batch.IndexedSpec(given { ttlSeconds: 5 }).ttlSecondsAfterFinished == 5,
  'without `enough` every shard counts': !std.objectHas(spec, 'successPolicy'),
  'with `enough` so many count': batch.IndexedSpec(given { enough: 3 }).successPolicy.rules == [{ succeededCount: 3 }],
  'a disruption is ignored before exit codes are looked at': spec.podFailurePolicy.rules[0].action == 'Ignore',
  'bad input fails its index': spec.podFailurePolicy.rules[2].onExitCodes.values == [batch.badInputExitCode],
  'what may change leaves the hash alone':
    hash(spec + batch.mutable) == hash(batch.IndexedSpec(given { parallelism: 1, suspend: true }) + batch.mutable),
  'what may not change does not':
    hash(spec + batch.mutable) != hash(batch.IndexedSpec(given { completions: 5 }) + batch.mutable),
  'names are asked of the cluster and of the node': std.length(network.dns('169.254.20.10').to) == 2,
  'metadata of the instance is out of reach': aws.env('eu-west-1').AWS_EC2_METADATA_DISABLED == 'true',
}
