"""Images that GPU nodes pull ahead."""

from __future__ import annotations

import kubernetes_validate
import pytest

from tests.gpu_inference import EVERYTHING, VERSIONS, groups_of, library, names, of_kind, render

IMAGES = ["nvcr.io/nvidia/tritonserver:25.09-py3", "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/other:1"]
WARM = {**EVERYTHING, "warmImages": IMAGES}


def test_each_gpu_group_pulls_them_and_nothing_is_left_without_them() -> None:
    more = names(render(WARM)) - names(render(EVERYTHING))
    warmers = {f"DaemonSet/warmer-{group}" for group in EVERYTHING["nodeGroups"]}
    assert more == warmers | {"PriorityClass/gpu-inference-warmer"}


def test_a_warmer_takes_no_gpu_and_next_to_nothing_else() -> None:
    for each in of_kind(render(WARM), "DaemonSet"):
        if each["metadata"]["name"].startswith("warmer-"):
            pod = each["spec"]["template"]["spec"]
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
