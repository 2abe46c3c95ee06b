// How the pods of a GPU node group share its nodes.
local required = import 'required.libsonnet';

// Equal pods on one node, and the GPUs, or slices of one, that a worker asks for.
local modes = {
  // The model server, which holds the GPUs, and one worker, which asks the server.
  server: { pods(group): 2, workerGpus: 0 },
  job: { pods(group): group.gpusPerNode, workerGpus: 1 },
  shared: { pods(group): group.gpusPerNode * group.slices, workerGpus: 1 },
};

local scratchMibPerNode = 40960;

// A node group of the renderer's argument, with what each of its pods may take of a node.
function(name, given)
  local group = required('nodeGroups.' + name, [
    'mode', 'slices', 'gpusPerNode', 'vcpu', 'memoryMib', 'gpuMemoryMib', 'selector', 'taints',
  ]) + given;
  assert group.mode in modes : 'nodeGroups.%s: `mode` is `%s`' % [name, group.mode];
  local mode = modes[group.mode];
  local pods = mode.pods(group);
  // A core and a fifth of the memory stay with the kubelet and the DaemonSets.
  local memory = std.floor(group.memoryMib * 4 / 5 / pods);
  group {
    name: name,
    workerGpus: mode.workerGpus,
    workerGpuMemoryMib: std.floor(group.gpuMemoryMib * group.gpusPerNode / pods),
    resources(gpus):: { cpu: std.floor((group.vcpu - 1) * 1000 / pods), memory: memory, gpus: gpus },
    shmMib: std.floor(memory / 4),
    // Models, or shards on their way through. Images and logs lie on the same volume.
    scratchMib: std.floor(scratchMibPerNode / pods),
  }
