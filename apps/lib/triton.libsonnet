// NVIDIA's Triton as a container that reads its models from S3 when it starts.
local pod = import 'pod.libsonnet';
local required = import 'required.libsonnet';

local endpointSeconds = 10;
local inFlightSeconds = 60;

local probe(path, more) = { httpGet: { path: path, port: 'http' }, timeoutSeconds: 5 } + more;

{
  // What clients use; metrics have a port of their own.
  ports:: { grpc: 8001, http: 8000 },

  // Both waits below and a little more; a spot node is gone two minutes after its notice.
  graceSeconds:: endpointSeconds + inFlightSeconds + 20,

  Container(params)::
    local p = required('Triton', ['image', 'bucket', 'prefix', 'models', 'env', 'resources']) + params;
    local all = $.ports { metrics: 8002 };
    pod.Container({ name: 'server', image: p.image, env: p.env, resources: p.resources }) {
      args: [
        'tritonserver',
        '--model-repository=s3://%s/%s' % [p.bucket, std.rstripChars(p.prefix, '/')],
        // A write to the bucket changes no server that runs: half a model is never loaded, nor everywhere at once.
        '--model-control-mode=explicit',
        // Without S3, or with a model that does not load, it ends at once and is started again, rather than to wait
        // without models; ready is who has them all. A rollout stops at its first tenth.
        '--exit-on-error=true',
        '--strict-readiness=true',
        '--exit-timeout-secs=%d' % inFlightSeconds,
      ] + ['--load-model=' + name for name in (if p.models == [] then ['*'] else p.models)],
      ports: [
        { name: name, protocol: 'TCP', containerPort: all[name] }
        for name in std.objectFields(all)
      ],
      // The server listens once its models are there: that may take a quarter of an hour, from S3 to GPU.
      startupProbe: probe('/v2/health/ready', { periodSeconds: 10, failureThreshold: 90 }),
      readinessProbe: probe('/v2/health/ready', { periodSeconds: 5, failureThreshold: 3 }),
      livenessProbe: probe('/v2/health/live', { periodSeconds: 10, failureThreshold: 6 }),
      // Until no client is sent here any more; then SIGTERM, and what is in flight is finished.
      lifecycle: { preStop: { sleep: { seconds: endpointSeconds } } },
    },
}
