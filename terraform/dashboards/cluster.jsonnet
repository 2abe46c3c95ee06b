// A cluster's dashboard, for whoever is on call: nodes, node groups, GPUs, namespaces, pipelines, DNS, and what AWS runs.
local w = import 'widgets.libsonnet';

function(cluster)
  local head = w.text(
    '# %s\nWhat each alarm wants of you: docs/how-to/watch-a-cluster.md. ' % cluster.name
    + 'Figures of nodes and pods come from the CloudWatch agent, all others from AWS itself.'
  );
  local sections = [import 'nodes.libsonnet', import 'workloads.libsonnet', import 'aws.libsonnet'];

  w.dashboard(cluster.region, [w.row([head], height=2)] + std.flattenArrays([rows(cluster) for rows in sections]))
