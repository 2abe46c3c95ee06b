# What a node is told when it boots. MIME by hand: EKS merges a part with a NodeConfig with its own, and cloud-init runs a
# script, which is over before nodeadm starts the kubelet (nodeadm-run.service is ordered after cloud-final.service).
locals {
  node_config = {
    for name, group in var.node_groups : name => group.max_pods == null ? [] : [{
      type = "application/node.eks.aws"
      text = jsonencode({
        apiVersion = "node.eks.aws/v1alpha1"
        kind       = "NodeConfig"
        spec       = { kubelet = { config = { maxPods = group.max_pods } } }
      })
    }]
  }

  # The pods that share it run as user and group 1000. With the group and its mode as a pod's fsGroup wants them, the
  # kubelet finds nothing to change when it mounts the folder.
  model_folder = {
    for name, group in var.node_groups : name => group.model_folder == null ? [] : [{
      type = "text/x-shellscript; charset=\"us-ascii\""
      text = "#!/bin/sh\nexec install -d -o 1000 -g 1000 -m 2770 ${group.model_folder}\n"
    }]
  }

  parts = {
    for name in keys(var.node_groups) : name =>
    concat(local.node_config[name], local.model_folder[name], local.partition[name])
  }

  user_data = {
    for name, parts in local.parts : name => length(parts) == 0 ? null : base64encode(join("\n", concat(
      ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=\"//\"", ""],
      flatten([for part in parts : ["--//", "Content-Type: ${part.type}", "", part.text]]),
      ["--//--", ""],
    )))
  }
}
