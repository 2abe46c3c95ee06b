"""How a node's GPUs are partitioned as it starts, which has not run on a node of AWS.

No GPU is here: a stand-in plays nvidia-smi, as its output is known, and systemctl. Bash, Terraform and systemd's own
check of units are real.
"""

from __future__ import annotations

import base64
import email
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

from tests.fleets import ROOT
from tests.terraform import Terraform
from tests.tool_needed import needed

SCRIPT = ROOT / "terraform" / "modules" / "node-groups" / "partition-gpus.sh"
STAND_IN = r"""#!/usr/bin/env python3
import json, os, re, sys
path = os.environ["GPUS"]
gpus = json.load(open(path))
args = sys.argv[1:]
with open(path + ".asked", "a") as asked:
    asked.write(" ".join([os.path.basename(sys.argv[0]), *args]) + "\n")
every = gpus["of"]
if sys.argv[0].endswith("systemctl"):
    sys.exit(0 if args == ["reboot"] else 1)
if args[0] == "-L":
    for number, gpu in enumerate(every):
        print(f"GPU {number}: NVIDIA H100 80GB HBM3 (UUID: GPU-{number})")
        for index, name in enumerate(gpu["instances"]):
            print(f"  MIG {name}     Device  {index}: (UUID: MIG-{number}-{index})")
elif args[0].startswith("--query-gpu="):
    key = args[0].partition("=")[2]
    keys = {"mig.mode.current": "current", "mig.mode.pending": "pending"}
    for number, gpu in enumerate(every):
        print(number if key == "index" else gpu[keys[key]])
elif args == ["-mig", "1"]:
    for gpu in every:
        gpu["pending"] = "Enabled" if gpus["capable"] else "[N/A]"
        if gpus["resets"] and gpus["capable"]:
            gpu["current"] = "Enabled"
    json.dump(gpus, open(path, "w"))
    sys.exit(0 if gpus["capable"] else 3)
elif args == ["mig", "--destroy-compute-instance"] or args == ["mig", "--destroy-gpu-instance"]:
    for gpu in every:
        gpu["instances"] = [] if args[1].endswith("gpu-instance") else gpu["instances"]
elif args[:2] == ["mig", "-i"]:
    gpu, flag, names, default = every[int(args[2])], *args[3:]
    if flag != "--create-gpu-instance" or default != "--default-compute-instance" or gpu["current"] != "Enabled":
        sys.exit(4)
    wanted = names.split(",")
    if len(gpu["instances"]) + len(wanted) > gpus["room"]:
        wanted = wanted[: gpus["room"] - len(gpu["instances"])]
    gpu["instances"] += wanted
else:
    sys.exit(5)
json.dump(gpus, open(path, "w"))
"""


@dataclass(frozen=True)
class Node:
    """A node with two GPUs of the stand-in's."""

    folder: Path

    def run(self, profile: str = "1g.10gb", count: int = 7) -> subprocess.CompletedProcess[str]:
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        path = f"{self.folder}:{os.environ['PATH']}"
        env = {"PATH": path, "GPUS": str(self.folder / "gpus"), "STATE_DIRECTORY": str(state)}
        command = ["bash", str(SCRIPT), profile, str(count)]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    def instances(self) -> list[list[str]]:
        return [each["instances"] for each in json.loads((self.folder / "gpus").read_text())["of"]]

    def asked(self) -> list[str]:
        return (self.folder / "gpus.asked").read_text().splitlines()

    def reboot(self) -> None:
        """A100 takes the mode over; no instance lives on."""
        gpus = json.loads((self.folder / "gpus").read_text())
        for each in gpus["of"]:
            each |= {"current": each["pending"], "instances": []}
        (self.folder / "gpus").write_text(json.dumps(gpus))


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Node]:
    def made(*, resets: bool = True, capable: bool = True, room: int = 7, there: list[str] | None = None) -> Node:
        for name in ("nvidia-smi", "systemctl"):
            (tmp_path / name).write_text(STAND_IN)
            (tmp_path / name).chmod(0o755)
        mode = "Enabled" if there is not None else "Disabled"
        of = [{"current": mode, "pending": mode, "instances": there or []} for _ in range(2)]
        (tmp_path / "gpus").write_text(json.dumps({"resets": resets, "capable": capable, "room": room, "of": of}))
        return Node(tmp_path)

    return made


def test_every_gpu_is_partitioned(node: Callable[..., Node]) -> None:
    """As on H100: the mode needs no reset."""
    found = node()
    done = found.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert found.instances() == [["1g.10gb"] * 7] * 2
    assert "systemctl reboot" not in found.asked()


def test_what_is_partitioned_already_is_left_alone(node: Callable[..., Node]) -> None:
    found = node(there=["1g.10gb"] * 7)
    assert found.run().returncode == 0
    assert not [each for each in found.asked() if " mig " in each or each.endswith("-mig 1")]


@pytest.mark.parametrize("there", [["3g.40gb", "3g.40gb"], ["1g.10gb"], ["1g.10gb"] * 6 + ["1g.20gb"], []])
def test_other_instances_make_room(node: Callable[..., Node], there: list[str]) -> None:
    found = node(there=there)
    assert found.run().returncode == 0
    assert found.instances() == [["1g.10gb"] * 7] * 2


def test_a_profile_is_not_mistaken_for_one_whose_name_begins_like_it(node: Callable[..., Node]) -> None:
    found = node(there=["1g.10gb+me"] * 7)
    assert found.run().returncode == 0
    assert found.instances() == [["1g.10gb"] * 7] * 2


def test_a_mode_that_waits_for_a_reset_takes_one_reboot(node: Callable[..., Node]) -> None:
    """As on A100 in a virtual machine. Meanwhile kubelet does not start."""
    found = node(resets=False)
    first = found.run()
    assert first.returncode == 1
    assert "MIG takes a reboot" in first.stderr
    assert found.asked()[-1] == "systemctl reboot"
    found.reboot()
    assert found.run().returncode == 0
    assert found.instances() == [["1g.10gb"] * 7] * 2
    assert list((found.folder / "state").iterdir()) == []  # so that a later change may reboot again


def test_there_is_no_second_reboot(node: Callable[..., Node]) -> None:
    found = node(resets=False)
    found.run()
    again = found.run()
    assert again.returncode == 1
    assert "MIG is not enabled after a reboot either; this node stays out of the cluster" in again.stderr
    assert found.asked().count("systemctl reboot") == 1


def test_a_gpu_without_mig_keeps_the_node_out_and_reboots_nothing(node: Callable[..., Node]) -> None:
    found = node(capable=False)
    done = found.run()
    assert done.returncode == 1
    assert "MIG cannot be enabled; this node stays out of the cluster" in done.stderr
    assert "systemctl reboot" not in found.asked()


def test_fewer_instances_than_pods_count_on_keep_the_node_out(node: Callable[..., Node]) -> None:
    done = node(room=5).run()
    assert done.returncode == 1
    assert "10 instances of 1g.10gb, not 14; this node stays out of the cluster" in done.stderr


GROUP = {
    "ami_type": "AL2023_x86_64_NVIDIA",
    "capacity_type": "SPOT",
    "disk_gb": 200,
    "gpus": 7,
    "instance_types": ["p5.4xlarge"],
    "labels": {},
    "max_pods": 110,
    "max_size": 4,
    "mig": {"profile": "1g.10gb", "instances": 7},
    "min_size": 0,
    "name": "gpu-00000001",
    "repair": True,
    "role": "worker",
    "taints": [],
    "zones": ["ap-northeast-1a"],
}
SYSTEM = GROUP | {
    "ami_type": "AL2023_x86_64_STANDARD",
    "capacity_type": "ON_DEMAND",
    "gpus": 0,
    "mig": None,
    "min_size": 1,
    "name": "system-00000001",
    "role": "system",
}


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    found = Terraform(needed("terraform"), tmp_path_factory.mktemp("terraform"))
    found.init("modules/node-groups")
    return found


def user_data(terraform: Terraform, group: dict[str, object]) -> list[Message]:
    """The parts of the user data that the module makes for a group."""
    variables = {
        "cluster_name": "demo",
        "kubernetes_version": "1.35",
        "subnet_ids": {"ap-northeast-1a": "subnet-a"},
        "node_groups": {"system": SYSTEM, "gpu": group},
    }
    folder = terraform.root / "modules" / "node-groups"
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")
    done = terraform("modules/node-groups", "console", stdin='local.user_data["gpu"]\n')
    assert done.returncode == 0, done.stderr
    found = email.message_from_bytes(base64.b64decode(json.loads(done.stdout))).get_payload()
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, Message) and "install -d" not in str(each)]


def test_a_nodes_user_data_configures_kubelet_and_partitions(terraform: Terraform, tmp_path: Path) -> None:
    config, script = user_data(terraform, GROUP)
    assert config.get_content_type() == "application/node.eks.aws"
    assert json.loads(str(config.get_payload()))["spec"] == {"kubelet": {"config": {"maxPods": 110}}}
    assert script.get_content_type() == "text/x-shellscript"
    installed = install(str(script.get_payload()), tmp_path)
    assert (installed / "usr/local/lib/partition-gpus").read_bytes() == SCRIPT.read_bytes()
    units = installed / "etc/systemd/system"
    link = units / "kubelet.service.requires" / "partition-gpus.service"
    assert link.resolve() == units / "partition-gpus.service"
    text = (units / "partition-gpus.service").read_text()
    assert "\nBefore=kubelet.service\n" in text
    assert text.splitlines()[-1] == "ExecStart=/bin/bash /usr/local/lib/partition-gpus 1g.10gb 7"


def install(script: str, root: Path) -> Path:
    """Run the part in a folder instead of the node's root."""
    for folder in ("etc/systemd/system", "usr/local/lib", "bin"):
        (root / folder).mkdir(parents=True)
    (root / "bin/systemctl").write_text('#!/bin/sh\n[ "$*" = daemon-reload ]\n')
    (root / "bin/systemctl").chmod(0o755)
    inside = re.sub(r"(?<= |>)/(etc|usr)/", rf"{root}/\1/", script).replace(
        "ExecStart=/bin/bash " + str(root), "ExecStart=/bin/bash "
    )
    env = {"PATH": f"{root / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", inside], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return root


def test_kubelet_does_not_start_where_the_script_did_not_even_arrive(terraform: Terraform) -> None:
    """The link comes first: it requires a unit that is not there."""
    _, script = user_data(terraform, GROUP)
    commands = str(script.get_payload()).splitlines()
    link = next(index for index, line in enumerate(commands) if "kubelet.service.requires/partition-gpus" in line)
    assert not [line for line in commands[:link] if line.startswith(("cat", "base64"))]
    assert commands[2] == "trap 'systemctl daemon-reload' EXIT"


def test_systemd_takes_the_unit(terraform: Terraform, tmp_path: Path) -> None:
    _, script = user_data(terraform, GROUP)
    units = install(str(script.get_payload()), tmp_path) / "etc/systemd/system"
    (units / "kubelet.service").write_text("[Service]\nExecStart=/bin/true\n")
    unit = units / "partition-gpus.service"
    unit.write_text(unit.read_text().replace("/usr/local/lib/partition-gpus", str(SCRIPT)))
    done = subprocess.run(
        [needed("systemd-analyze"), "verify", "--man=no", str(unit), str(units / "kubelet.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        done.returncode,
        [line for line in done.stderr.splitlines() if "partition" in line or "kubelet" in line],
    ) == (0, [])


def test_without_mig_user_data_is_as_it_was(terraform: Terraform) -> None:
    """Another launch template would replace every node."""
    [config] = user_data(terraform, GROUP | {"mig": None, "gpus": 1})
    assert config.get_content_type() == "application/node.eks.aws"
