"""Images that GPU nodes pull ahead."""

from __future__ import annotations

import kubernetes_validate
import pytest

from tests.gpu_inference import EVERYTHING, VERSIONS, groups_of, library, names, of_kind, render, the

IMAGES = ["nvcr.io/nvidia/tritonserver:25.09-py3", "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/other:1"]
WARM = {**EVERYTHING, "warmImages": IMAGES}


def test_each_gpu_group_pulls_them_and_nothing_is_left_without_them() -> None:
    more = names(render(WARM)) - names(render(EVERYTHING))
    warmers = {f"DaemonSet/warmer-{group}" for group in EVERYTHING["nodeGroups"]}
    assert more == warmers | {"PriorityClass/gpu-inference-warmer", "ServiceAccount/image-warmer"}


def test_images_of_others_run_without_any_right_in_aws() -> None:
    assert "annotations" not in the(render(WARM), "ServiceAccount", "image-warmer")["metadata"]


def test_no_more_than_a_tenth_of_the_nodes_pull_at_once_and_nobody_makes_room_for_it() -> None:
    objects = render(WARM)
    for group in EVERYTHING["nodeGroups"]:
        update = the(objects, "DaemonSet", f"warmer-{group}")["spec"]["updateStrategy"]
        assert update == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}}
    pods = [each["spec"]["template"]["spec"] for each in of_kind(objects, "DaemonSet") if "warmer-" in str(each)]
    assert {pod["priorityClassName"] for pod in pods} >= {"gpu-inference-warmer"}
    ahead = the(objects, "PriorityClass", "gpu-inference-warmer")
    assert (ahead["value"], ahead["preemptionPolicy"]) == (0, "Never")


def test_a_warmer_goes_where_the_taints_of_its_nodes_keep_others_away() -> None:
    taint = {"key": "team", "value": "a", "effect": "NoSchedule"}
    groups = {name: {**each, "taints": [*each["taints"], taint]} for name, each in EVERYTHING["nodeGroups"].items()}
    for each in of_kind(render({**WARM, "nodeGroups": groups}), "DaemonSet"):
        assert {**taint, "operator": "Equal"} in each["spec"]["template"]["spec"]["tolerations"]


def test_a_warmer_takes_no_gpu_and_next_to_nothing_else() -> None:
    for each in of_kind(render(WARM), "DaemonSet"):
        if each["metadata"]["name"].startswith("warmer-"):
            pod = each["spec"]["template"]["spec"]
            assert pod["serviceAccountName"] == "image-warmer"
            assert groups_of(pod) == {each["metadata"]["labels"]["inference-fleet/node-group"]}
            assert [container["image"] for container in pod["initContainers"]] == IMAGES
            for container in [*pod["initContainers"], *pod["containers"]]:
                assert container["resources"]["requests"] == {"cpu": "10m", "memory": "16Mi"}
                assert container["resources"]["limits"] == {"memory": "16Mi"}
                assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in container["env"]
                assert container["securityContext"]["readOnlyRootFilesystem"] is True
                assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_they_are_valid(version: str) -> None:
    for each in render(WARM):
        if "warmer" in each["metadata"]["name"]:
            kubernetes_validate.validate(each, version, strict=True)


def test_a_warmer_without_images_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Warmer: `images` is required"):
        library("(import 'warmer.libsonnet').Template({})")
    with pytest.raises(RuntimeError, match="Warmer: `images` is empty"):
        library("(import 'warmer.libsonnet').Template({ images: [] })")
