// NVIDIA's Triton as a container that polls its models from S3.
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
    local p = required('Triton', ['image', 'bucket', 'prefix', 'env', 'resources']) + params;
    local all = $.ports { metrics: 8002 };
    pod.Container({ name: 'server', image: p.image, env: p.env, resources: p.resources }) {
      args: [
        'tritonserver',
        '--model-repository=s3://%s/%s' % [p.bucket, std.rstripChars(p.prefix, '/')],
        '--model-control-mode=poll',
        '--repository-poll-secs=60',
        // One model that does not load must not take the others away, neither here nor on a new node. Who needs a
        // certain model asks for it at /v2/models/<model>/ready.
        '--exit-on-error=false',
        '--strict-readiness=false',
        '--exit-timeout-secs=%d' % inFlightSeconds,
      ],
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
