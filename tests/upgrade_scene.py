"""A cluster that is ready for Kubernetes 1.36, and ways to make it not so: each with the place and words to expect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from generators.source.workspace import Workspace
from tests import fleets

TODAY = "2026-11-24"
CLUSTER = "clusters/demo/cluster.yaml"
APP = """\
description: An app of kind kustomize, for tests
owner: platform
namespace: tests
kind: kustomize
wave: 0
pod_security: restricted
"""
CHART_APP = APP.replace("kind: kustomize", "kind: helm\nown_chart: sample")
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: tests}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
        - name: main
          image: IMAGE
"""


@dataclass(frozen=True)
class Trouble:
    """`make` breaks the checkout; then the check says `message` where `text` stands in `file`, and the `cure`."""

    level: str
    file: str
    text: str
    message: str
    cure: str
    make: Callable[[Path], None]
    tool: str = ""

    def place(self, root: Path) -> str:
        """`file:line:column` of the text; without a text, the file alone."""
        if not self.text:
            return f"{self.file}:"
        content = (root / self.file).read_text()
        start = content.index(self.text)
        return f"{self.file}:{content.count(chr(10), 0, start) + 1}:{start - content.rfind(chr(10), 0, start)}:"


def ready(workspace: Workspace) -> Path:
    """A cluster `demo` with three apps for troubles to begin in; its folder. The checkout's root holds all of it."""
    root = workspace.root
    for name, app in (("extra", APP), ("sample", CHART_APP)):
        (root / "apps" / name).mkdir()
        (root / "apps" / name / "app.yaml").write_text(app)
    base, chart = root / "apps" / "extra" / "base", root / "charts" / "sample"
    base.mkdir()
    (base / "kustomization.yaml").write_text("resources: []\n")
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: sample\nversion: 1.0.0\n")
    (chart / "values.schema.json").write_text("{}")
    text = fleets.text().replace("prod-tokyo", "demo") + "  extra: {}\n  sample: {}\n"
    return fleets.add(workspace, "demo", text)


def changed(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Replaces a text that must be there."""

    def make(root: Path) -> None:
        content = (root / file).read_text()
        assert old in content
        (root / file).write_text(content.replace(old, new))

    return make


def added(file: str, content: str) -> Callable[[Path], None]:
    """Writes a new file; one in the base of `extra` is a resource of it."""

    def make(root: Path) -> None:
        path = root / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        if path.parent.name == "base":
            listed = "".join(f"- {each.name}\n" for each in path.parent.glob("*.yaml") if each.stem != "kustomization")
            (path.parent / "kustomization.yaml").write_text(f"resources:\n{listed}")

    return make


def pinned(addon: str, version: str) -> Callable[[Path], None]:
    """Pins an add-on in the cluster file."""

    def make(root: Path) -> None:
        path = root / CLUSTER
        content = path.read_text()
        head = "" if "addon_versions:" in content else "\naddon_versions:\n"
        path.write_text(f"{content}{head}  {addon}: {version}\n")

    return make


def deployment(name: str, image: str) -> Callable[[Path], None]:
    """A Deployment in the base of `extra`."""
    return added(f"apps/extra/base/{name}.yaml", DEPLOYMENT.replace("NAME", name).replace("IMAGE", image))


TROUBLES: dict[str, Trouble] = {
    "two-minors": Trouble(
        "required",
        CLUSTER,
        '"1.34"',
        "EKS moves one minor at a time, and 1.36 is 2 after 1.34",
        "go to 1.35 first",
        changed(CLUSTER, 'kubernetes: "1.35"', 'kubernetes: "1.34"'),
    ),
    "chart-too-old": Trouble(
        "required",
        "apps/cluster-autoscaler/app.yaml",
        "9.47.0",
        "cluster-autoscaler 9.47.0 does not support Kubernetes 1.36: up to 1.33",
        "take 9.54.0 or newer",
        changed("apps/cluster-autoscaler/app.yaml", "9.59.0", "9.47.0"),
    ),
    "chart-unknown": Trouble(
        "recommended",
        "apps/nvidia-device-plugin/app.yaml",
        "2.0.0",
        "nothing is known of the Kubernetes versions that nvidia-device-plugin 2.0.0 supports",
        "add a row of nvidia-device-plugin to generators/data/support.json",
        changed("apps/nvidia-device-plugin/app.yaml", "version: 0.20.0", "version: 2.0.0"),
    ),
    "add-on-too-old": Trouble(
        "required",
        CLUSTER,
        "v1.16.0-eksbuild.1",
        "vpc-cni v1.16.0-eksbuild.1 does not support Kubernetes 1.36: up to 1.30",
        "take 1.17.1 or newer",
        pinned("vpc-cni", "v1.16.0-eksbuild.1"),
    ),
    "kube-proxy-too-old": Trouble(
        "required",
        CLUSTER,
        "v1.32.0-eksbuild.2",
        "kube-proxy v1.32.0-eksbuild.2 is 4 minors older than 1.36; 3 are allowed",
        "--addon-name kube-proxy --kubernetes-version 1.36",
        pinned("kube-proxy", "v1.32.0-eksbuild.2"),
    ),
    "autoscaler-tag-held": Trouble(
        "required",
        "clusters/demo/values/cluster-autoscaler.yaml",
        "v1.35.2",
        "cluster-autoscaler v1.35.2 is not of Kubernetes 1.36: their minors must be equal",
        "remove it, as `fleet` writes v1.36.1",
        added("clusters/demo/values/cluster-autoscaler.yaml", "image:\n  tag: v1.35.2\n"),
    ),
    "image-held": Trouble(
        "recommended",
        "clusters/demo/values/nvidia-device-plugin.yaml",
        "v0.17.0",
        "holds the image at v0.17.0, whatever the chart's version is made for",
        "see that it supports Kubernetes 1.36, or remove it",
        added("clusters/demo/values/nvidia-device-plugin.yaml", "image: {tag: v0.17.0}\n"),
    ),
    "api-gone": Trouble(
        "required",
        "apps/extra/base/class.yaml",
        "storage.k8s.io/v1alpha1",
        "Kubernetes 1.36 has no storage.k8s.io/v1alpha1 VolumeAttributesClass: it is gone since 1.35",
        "write `apiVersion: storage.k8s.io/v1`",
        added(
            "apps/extra/base/class.yaml",
            "kind: VolumeAttributesClass\napiVersion: storage.k8s.io/v1alpha1\n"
            "metadata: {name: fast}\ndriverName: ebs.csi.aws.com\n",
        ),
        tool="kustomize",
    ),
    "api-deprecated": Trouble(
        "recommended",
        "apps/extra/base/slow.yaml",
        "storage.k8s.io/v1beta1",
        "storage.k8s.io/v1beta1 VolumeAttributesClass is deprecated since 1.34; 1.37 is the first without it",
        "write `apiVersion: storage.k8s.io/v1`",
        added(
            "apps/extra/base/slow.yaml",
            "kind: VolumeAttributesClass\napiVersion: storage.k8s.io/v1beta1\n"
            "metadata: {name: slow}\ndriverName: ebs.csi.aws.com\n",
        ),
        tool="kustomize",
    ),
    "api-gone-in-jsonnet": Trouble(
        "required",
        "apps/lib/kube.libsonnet",
        "scheduling.k8s.io/v1beta1",
        "Kubernetes 1.36 has no scheduling.k8s.io/v1beta1 PriorityClass: it is gone since 1.22",
        "write `apiVersion: scheduling.k8s.io/v1`",
        changed("apps/lib/kube.libsonnet", "scheduling.k8s.io/v1", "scheduling.k8s.io/v1beta1"),
    ),
    "coredns-of-another-minor": Trouble(
        "required",
        "apps/extra/base/edge.yaml",
        "registry.k8s.io/coredns/coredns:v1.9.3",
        "CoreDNS is v1.9.3, and v1.14.3-eksbuild.11 belongs to Kubernetes 1.36",
        "take the tag v1.14.3-eksbuild.11",
        deployment("edge", "registry.k8s.io/coredns/coredns:v1.9.3"),
        tool="kustomize",
    ),
    "program-untested": Trouble(
        "recommended",
        "apps/extra/base/pipelines.yaml",
        "ghcr.io/kubeflow/kfp-api-server:2.15.0",
        "kubeflow-pipelines 2.15.0 is not tested on Kubernetes 1.36: 1.29–1.34 tested",
        "take 2.17.0 or newer, before 2.18.0",
        deployment("pipelines", "ghcr.io/kubeflow/kfp-api-server:2.15.0"),
        tool="kustomize",
    ),
    "own-chart-refuses": Trouble(
        "required",
        "charts/sample/Chart.yaml",
        "<1.36.0-0",
        "chart requires kubeVersion: <1.36.0-0 which is incompatible with Kubernetes v1.36.0",
        "helm template sample charts/sample",
        added("charts/sample/Chart.yaml", "apiVersion: v2\nname: sample\nversion: 1.0.0\nkubeVersion: <1.36.0-0\n"),
        tool="helm",
    ),
    "dns-of-nobody": Trouble(
        "recommended",
        CLUSTER,
        "apps:",
        "coredns is not among them",
        "add `coredns: {}`",
        changed(CLUSTER, "  coredns:\n    queries_per_node: 20\n    external_percentage: 20\n", ""),
    ),
}
