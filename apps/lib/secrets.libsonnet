// What external-secrets reads: stores, and the secrets that it keeps through them.
local required = import 'required.libsonnet';

{
  // For one namespace, and for secrets whose names begin with `prefix`. It signs in as the operator itself, whose role
  // reads this cluster's secrets; the prefix and the condition are what keeps namespaces apart.
  ClusterSecretStore(params)::
    local p = required('ClusterSecretStore', ['name', 'labels', 'namespace', 'prefix', 'region']) + params;
    {
      apiVersion: 'external-secrets.io/v1',
      kind: 'ClusterSecretStore',
      metadata: { name: p.name, labels: p.labels },
      spec: {
        conditions: [{ namespaces: [p.namespace] }],
        provider: { aws: { service: 'SecretsManager', region: p.region, prefix: p.prefix } },
      },
    },

  // All keys of the secret `key`, beside those of `template`.
  ExternalSecret(params)::
    local p = required('ExternalSecret', ['name', 'labels', 'namespace', 'store', 'key', 'template']) + params;
    {
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      metadata: { name: p.name, namespace: p.namespace, labels: p.labels },
      spec: {
        refreshInterval: '1h',
        secretStoreRef: { kind: 'ClusterSecretStore', name: p.store },
        // What was read stays when the source is gone by mistake.
        target: {
          name: p.name,
          creationPolicy: 'Owner',
          deletionPolicy: 'Retain',
          template: { engineVersion: 'v2', mergePolicy: 'Merge' } + p.template,
        },
        dataFrom: [{ extract: { key: p.key } }],
      },
    },
}
