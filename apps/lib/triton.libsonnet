// NVIDIA's Triton as a container that reads its models when it starts.
local required = import 'required.libsonnet';
local server = import 'server.libsonnet';

{
  // What clients use; metrics have a port of their own.
  ports:: { grpc: 8001, http: 8000 },

  Container(params)::
    local p = required('Triton', ['image', 'args', 'repository', 'models', 'env', 'resources']) + params;
    server.Container({
      image: p.image,
      command: [],
      args: [
        'tritonserver',
        '--model-repository=' + p.repository,
        // A write to the bucket changes no server that runs: half a model is never loaded, nor everywhere at once.
        '--model-control-mode=explicit',
        // Without S3, or with a model that does not load, it ends at once and is started again, rather than to wait
        // without models; ready is who has them all. A rollout stops at its first tenth.
        '--exit-on-error=true',
        '--strict-readiness=true',
        '--exit-timeout-secs=%d' % server.inFlightSeconds,
      ] + ['--load-model=' + name for name in (if p.models == [] then ['*'] else p.models)] + p.args,
      ports: $.ports { metrics: 8002 },
      readyPath: '/v2/health/ready',
      livePath: '/v2/health/live',
      env: p.env,
      resources: p.resources,
    }),
}
