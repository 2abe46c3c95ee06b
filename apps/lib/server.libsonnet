// A container that answers requests over HTTP, from when its models are loaded until no client is sent there any more.
local pod = import 'pod.libsonnet';
local required = import 'required.libsonnet';

local endpointSeconds = 10;

local probe(path, more) = { httpGet: { path: path, port: 'http' }, timeoutSeconds: 5 } + more;

{
  // To finish what is in flight.
  inFlightSeconds:: 60,

  // Both waits and a little more; a spot node is gone two minutes after its notice.
  graceSeconds:: endpointSeconds + $.inFlightSeconds + 20,

  // `ports` by name, `http` among them.
  Container(params)::
    local p = required('Server', ['image', 'command', 'args', 'ports', 'readyPath', 'livePath', 'env', 'resources'])
              + params;
    pod.Container({ name: 'server', image: p.image, env: p.env, resources: p.resources }) {
      [if p.command != [] then 'command']: p.command,
      [if p.args != [] then 'args']: p.args,
      ports: [
        { name: name, protocol: 'TCP', containerPort: p.ports[name] }
        for name in std.objectFields(p.ports)
      ],
      // The server is ready once its models are there: that may take a quarter of an hour, from S3 to GPU.
      startupProbe: probe(p.readyPath, { periodSeconds: 10, failureThreshold: 90 }),
      readinessProbe: probe(p.readyPath, { periodSeconds: 5, failureThreshold: 3 }),
      livenessProbe: probe(p.livePath, { periodSeconds: 10, failureThreshold: 6 }),
      // Until no client is sent here any more; then SIGTERM, and what is in flight is finished.
      lifecycle: { preStop: { sleep: { seconds: endpointSeconds } } },
    },
}
