// The renderer's argument, held to what this app needs of it, with the node groups worked out.
local gpu = import '../lib/gpu.libsonnet';
local required = import '../lib/required.libsonnet';

function(cluster)
  local c = required('cluster', [
    'region',
    'bucket',
    'app',
    'roles',
    'images',
    'servers',
    'warmImages',
    'modelFolder',
    'nodeGroups',
    'jobs',
    'submit',
    'submitters',
    'nodeLocalDns',
  ]) + cluster;
  c {
    app: required('app', ['name', 'namespace']) + c.app,
    images: required('images', ['worker', 'cudaWorker']) + c.images,
    servers: std.mapWithKey(
      function(name, set)
        required('servers.' + name, ['name', 'kind', 'image', 'args', 'models', 'modelRepository', 'own']) + set + {
          own: if super.own == null then null
          else required('servers.%s.own' % name, ['command', 'port', 'readyPath', 'livePath']) + super.own,
        },
      c.servers
    ),
    modelFolder: if c.modelFolder == null then null else required('modelFolder', ['path', 'nodes']) + c.modelFolder,
    nodeGroups: std.mapWithKey(gpu.Group, c.nodeGroups),
    jobs: std.mapWithKey(
      function(name, job)
        required('jobs.' + name, [
          'nodeGroups',
          'input',
          'output',
          'model',
          'server',
          'shards',
          'parallelism',
          'deadlineSeconds',
          'maxFailed',
          'enough',
          'suspend',
          'schedule',
          'timeZone',
        ]) + job,
      c.jobs
    ),
  }
