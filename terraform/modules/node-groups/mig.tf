locals {
  # Kubelet requires the unit, so that a node whose GPUs could not be partitioned never joins: the device plugin would
  # offer them whole. By a link of our own and first of all, as nothing after a failure here would be done.
  partition = {
    for name, group in var.node_groups : name => group.mig == null ? [] : [{
      type = "text/x-shellscript; charset=\"us-ascii\""
      text = <<-EOT
        #!/bin/bash
        set -o errexit -o nounset
        trap 'systemctl daemon-reload' EXIT
        mkdir -p /etc/systemd/system/kubelet.service.requires
        ln -sf ../partition-gpus.service /etc/systemd/system/kubelet.service.requires/partition-gpus.service
        cat >/etc/systemd/system/partition-gpus.service <<'END'
        [Unit]
        Description=Partition the GPUs before Kubernetes counts them
        After=nvidia-kmod-load.service nvidia-fabricmanager.service nvidia-persistenced.service set-nvidia-clocks.service
        Before=kubelet.service
        [Service]
        Type=oneshot
        RemainAfterExit=true
        TimeoutStartSec=600
        StateDirectory=partition-gpus
        StandardError=journal+console
        ExecStart=/bin/bash /usr/local/lib/partition-gpus ${group.mig.profile} ${group.mig.instances}
        END
        base64 -d >/usr/local/lib/partition-gpus <<'END'
        ${filebase64("${path.module}/partition-gpus.sh")}
        END
      EOT
    }]
  }
}
