// The Secret that the bootstrap made, as external-secrets keeps it from then on.
local required = import '../lib/required.libsonnet';
local secrets = import '../lib/secrets.libsonnet';

function(cluster)
  local c = required('cluster', ['app', 'store', 'key', 'secret', 'repository']) + cluster;
  [
    secrets.ExternalSecret({
      name: c.secret,
      namespace: c.app.namespace,
      labels: { 'app.kubernetes.io/part-of': c.app.name },
      store: c.store,
      key: c.key,
      template: {
        metadata: { labels: { 'argocd.argoproj.io/secret-type': 'repository' } },
        data: { type: 'git', url: c.repository },
      },
    }) + {
      // Whoever turns the app off does not want to lose git.
      metadata+: { annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=confirm' } },
    },
  ]
