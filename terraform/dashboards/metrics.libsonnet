// A cluster's metrics by the one that sends them.
local w = import 'widgets.libsonnet';

function(cluster) {
  local own = { ClusterName: cluster.name },
  local filtered(filter) = std.join(' ', ['ClusterName="%s"' % cluster.name] + filter),

  // Container Insights: the CloudWatch agent's.
  insights(name, options={}, of={}):: w.metric('ContainerInsights', name, own + of, options),
  // One line for each value of `keys`.
  by(keys, name, filter=[], stat='Average')::
    w.search('ContainerInsights', ['ClusterName'] + keys, name, filtered(filter), stat),
  // Of dcgm-exporter, by way of the agent that asks it.
  gpu(name, options={}, of={}):: w.metric('ContainerInsights/Prometheus', name, own + of, options),
  // Of batches: what their workers write among their lines, and Fluent Bit sends.
  worker(name, options={}):: w.metric('InferenceFleet/Worker', name, own, options),
  byBatch(name):: w.search('InferenceFleet/Worker', ['ClusterName', 'Batch'], name, filtered([]), 'Sum'),
  eks(name, options={}):: w.metric('AWS/EKS', name, own, options),
  // One line a node group; EKS makes an Auto Scaling group of each.
  scaling(name, namespace='AWS/AutoScaling'):: [
    w.metric(namespace, name, { AutoScalingGroupName: w.terraform('auto_scaling_groups.' + group) }, { label: group })
    for group in cluster.nodeGroups
  ],
}
