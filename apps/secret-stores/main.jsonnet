// A ClusterSecretStore for each app that reads secrets.
local required = import '../lib/required.libsonnet';
local secrets = import '../lib/secrets.libsonnet';

function(cluster)
  local c = required('cluster', ['region', 'app', 'stores']) + cluster;
  [
    secrets.ClusterSecretStore(store { region: c.region, labels: { 'app.kubernetes.io/part-of': c.app.name } })
    for store in c.stores
  ]
