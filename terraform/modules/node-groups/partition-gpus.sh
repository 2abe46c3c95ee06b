#!/bin/bash
# usage: partition-gpus PROFILE COUNT
# So many MIG instances of a profile on each GPU, before kubelet starts, at each boot: none outlives one. On A100 the mode
# itself may take a reboot, as a hypervisor lets no guest reset a GPU: then there is one, and no second.
set -o errexit -o nounset -o pipefail
readonly profile=$1 count=$2 rebooted="${STATE_DIRECTORY:?}/rebooted"

fail() {
  echo "partition-gpus: $1; this node stays out of the cluster" >&2
  exit 1
}
# Whether MIG is enabled on every GPU; $1 is `current` or `pending`.
enabled() { ! nvidia-smi --query-gpu="mig.mode.$1" --format=csv,noheader | grep -qv '^Enabled$'; }
# Lines such as `  MIG 1g.10gb     Device  0: (UUID: MIG-…)`; $1 is a profile, or nothing for all.
instances() { nvidia-smi -L | grep -c "^ *MIG $1" || true; }

if ! enabled current; then
  nvidia-smi -mig 1 || true
  enabled current || {
    enabled pending || fail 'MIG cannot be enabled'
    [ ! -e "$rebooted" ] || fail 'MIG is not enabled after a reboot either'
    touch "$rebooted"
    systemctl reboot
    fail 'MIG takes a reboot'
  }
fi
rm -f "$rebooted"

gpus=$(nvidia-smi --query-gpu=index --format=csv,noheader)
readonly gpus wanted=$((count * $(wc -w <<<"$gpus")))
if [ "$(instances "$profile ")" != "$wanted" ] || [ "$(instances '')" != "$wanted" ]; then
  if [ "$(instances '')" != 0 ]; then
    nvidia-smi mig --destroy-compute-instance
    nvidia-smi mig --destroy-gpu-instance
  fi
  list=$(printf "$profile,%.0s" $(seq "$count"))
  for gpu in $gpus; do
    nvidia-smi mig -i "$gpu" --create-gpu-instance "${list%,}" --default-compute-instance
  done
fi
[ "$(instances "$profile ")" = "$wanted" ] || fail "$(instances "$profile ") instances of $profile, not $wanted"
