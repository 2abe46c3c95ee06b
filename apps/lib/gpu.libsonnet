// How the pods of a GPU node group share its nodes.
local required = import 'required.libsonnet';

// Equal pods on one node, and the GPUs, or slices of one, that a worker asks for.
local modes = {
  // The model servers, which hold the GPUs, and one worker, which asks one of them.
  server: { pods(group): std.length(group.servers) + 1, workerGpus: 0 },
  job: { pods(group): group.gpusPerNode, workerGpus: 1 },
  shared: { pods(group): group.gpusPerNode, workerGpus: 1 },
};

local scratchMibPerNode = 40960;

local smallest(groups, value) = std.foldl(std.min, std.map(value, groups), value(groups[0]));

{
  // A node group of the renderer's argument, with what each of its pods may take of a node. A GPU here is what a node
  // offers as one: a slice, where GPUs are sliced.
  Group(name, given)::
    local group = required('nodeGroups.' + name, [
      'mode',
      'sharing',
      'gpusPerNode',
      'gpusPerServer',
      'servers',
      'cpuMilli',
      'memoryMib',
      'gpuMemoryMib',
      'selector',
      'taints',
      'warm',
    ]) + given;
    assert group.mode in modes : 'nodeGroups.%s: `mode` is `%s`' % [name, group.mode];
    local mode = modes[group.mode];
    assert std.length(group.servers) * group.gpusPerServer <= group.gpusPerNode :
           'nodeGroups.%s: its servers ask for more GPUs than there are' % name;
    local pods = mode.pods(group);
    local memory = std.floor(group.memoryMib / pods);
    group {
      name: name,
      warm: if group.warm == null then null
      else required('nodeGroups.%s.warm' % name, ['models', 'limitMib', 'cpuMilli', 'memoryMib']) + group.warm,
      workerGpus: mode.workerGpus,
      workerGpuMemoryMib: group.gpuMemoryMib,
      share: { cpu: std.floor(group.cpuMilli / pods), memory: memory },
      nodes: [group.selector],
      // Models, or shards on their way through. Images and logs lie on the same volume.
      scratchMib: std.floor(scratchMibPerNode / pods),
    },

  // Groups of one mode as one: a pod that fits the nodes of each.
  Union(groups)::
    groups[0] {
      nodes: std.flatMap(function(group) group.nodes, groups),
      taints: std.foldl(
        function(found, taint) if std.member(found, taint) then found else found + [taint],
        std.flatMap(function(group) group.taints, groups),
        []
      ),
      share: {
        cpu: smallest(groups, function(group) group.share.cpu),
        memory: smallest(groups, function(group) group.share.memory),
      },
      workerGpuMemoryMib: smallest(groups, function(group) group.workerGpuMemoryMib),
      scratchMib: smallest(groups, function(group) group.scratchMib),
      warm: if groups[0].warm == null then null
      else groups[0].warm { limitMib: smallest(groups, function(group) group.warm.limitMib) },
    },
}
