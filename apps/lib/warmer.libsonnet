// Pods that have images pulled onto nodes before the pods that need them. Gone, they leave the images to the kubelet,
// which removes what nobody runs once the disk fills.
local pod = import 'pod.libsonnet';
local required = import 'required.libsonnet';

local resources = { cpu: 10, memory: 16, gpus: 0 };
// A CUDA image would otherwise be given the node's GPUs.
local env = { NVIDIA_VISIBLE_DEVICES: 'void' };

{
  pause:: 'registry.k8s.io/pause:3.10',

  // What Template takes but for the container, and `images`. Each must have `true`, as all have that hold a shell.
  Template(params)::
    local p = required('Warmer', ['images']) + params;
    assert p.images != [] : 'Warmer: `images` is empty';
    pod.Template(p {
      container: pod.Container({ name: 'pause', image: $.pause, env: env, resources: resources }),
      scratchMib: 1,
      shmMib: 1,
    }) {
      spec+: {
        initContainers: [
          pod.Container({ name: 'image-%d' % index, image: p.images[index], env: env, resources: resources })
          { command: ['true'] }
          for index in std.range(0, std.length(p.images) - 1)
        ],
      },
    },
}
