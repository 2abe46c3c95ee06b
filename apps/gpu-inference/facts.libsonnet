// The renderer's argument, held to what this app needs of it, with the node groups worked out.
local gpu = import '../lib/gpu.libsonnet';
local required = import '../lib/required.libsonnet';

function(cluster)
  local c = required('cluster', [
    'region', 'bucket', 'app', 'roles', 'images', 'modelRepository', 'models', 'warmImages', 'nodeGroups', 'jobs',
    'nodeLocalDns',
  ]) + cluster;
  c {
    app: required('app', ['name', 'namespace']) + c.app,
    images: required('images', ['server', 'worker', 'cudaWorker']) + c.images,
    nodeGroups: std.mapWithKey(gpu.Group, c.nodeGroups),
    jobs: std.mapWithKey(
      function(name, job)
        required('jobs.' + name, [
          'nodeGroups', 'input', 'output', 'model', 'shards', 'parallelism', 'deadlineSeconds', 'maxFailed', 'enough',
          'suspend', 'schedule', 'timeZone',
        ]) + job,
      c.jobs
    ),
  }
