"""Every committed cluster, broken by hand in one place: `fleet validate` names the file, the line and the cure."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generators.errors import Problem
from generators.model.catalog import App
from generators.pipeline import fleet
from generators.pipeline.validate import validate_cluster
from generators.source.workspace import Workspace
from generators.tools import helm, kustomize
from tests import fleets
from tests.tool_needed import needed

TFVARS = "generated/terraform/cluster.tfvars.json"
CLUSTERS = fleets.committed().workspace.names()


def facts(cluster: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((fleets.ROOT / "clusters" / cluster / TFVARS).read_text())
    return found


ROLES = [(cluster, role) for cluster in CLUSTERS for role in facts(cluster)["identities"]]


def app_of(cluster: str, role: str) -> App:
    return fleets.committed().catalog.apps[facts(cluster)["identities"][role]["app"]]


HELM = [each for each in ROLES if app_of(*each).kind == "helm"]
KINDS = list({(app_of(*each).kind, app_of(*each).own_chart is None): each for each in ROLES}.values())
"""One role of each way in which a ServiceAccount comes about."""


@dataclass
class Scene:
    """A copy of the checkout with one committed cluster, and one of its identities."""

    workspace: Workspace
    cluster: str
    role: str

    @property
    def folder(self) -> Path:
        return self.workspace.clusters / self.cluster

    @property
    def tfvars(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / TFVARS).read_text())
        return found

    @property
    def entry(self) -> dict[str, Any]:
        found: dict[str, Any] = self.tfvars["identities"][self.role]
        return found

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.tfvars['account_id']}:role/{self.role}"

    @property
    def name(self) -> str:
        return f"{self.entry['namespace']}/{self.entry['service_account']}"

    def problems(self) -> list[Problem]:
        return validate_cluster(fleet.read(self.workspace), self.cluster).problems

    def carrier(self) -> Path:
        """The generated file that names the role, the tfvars apart."""
        files = [*self.folder.glob("generated/values/*.yaml"), *self.folder.glob("generated/manifests/*/*.yaml")]
        files += self.folder.glob("generated/overlays/*/*.yaml")
        return next(path for path in files if f"{self.arn}\n" in path.read_text())

    def shown(self, path: Path) -> str:
        return path.relative_to(self.workspace.root).as_posix()

    def replace(self, path: Path, old: str, new: str) -> int:
        """Edits a file in one place; the line that changed."""
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def override(self, field: str, value: object) -> Path:
        """An override by hand of one field of the identity's ServiceAccount."""
        declared = fleets.committed().catalog.apps[self.entry["app"]].identities[self.entry["service_account"]]
        found: object = {field: value}
        for step in reversed((declared.values_path or "").split(".")):
            found = {step: found}
        path = self.folder / "values" / f"{self.entry['app']}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found))
        return path


MADE: dict[str, str] = {}


def once(run: Callable[..., str]) -> Callable[..., str]:
    """A real kustomize or helm, once for each state of the files that it reads: most hands do not touch them."""

    def made(folder: Path, *arguments: str, values: Sequence[Path] = (), **options: str) -> str:
        base = [] if values else [folder.parents[4] / "apps" / folder.name]
        parts = [path for root in (folder, *base) for path in sorted(root.rglob("*")) if path.is_file()]
        state = b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in (*parts, *values))
        key = f"{hashlib.sha256(state).hexdigest()} {arguments} {options}"
        if key not in MADE:
            MADE[key] = run(folder, *arguments, **options, **({"values": values} if values else {}))
        return MADE[key]

    return made


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    needed("kustomize")
    needed("helm")
    monkeypatch.setattr(kustomize, "build", once(kustomize.build))
    monkeypatch.setattr(helm, "template", once(helm.template))
    cluster, role = request.param
    found = fleets.workspace(tmp_path / "checkout")
    shutil.copytree(fleets.ROOT / "clusters" / cluster, found.clusters / cluster)
    return Scene(found, cluster, role)


def told(problems: list[Problem], file: str, line: int, words: str) -> Problem:
    """The problem at this place that says this; it has a hint."""
    at = [each for each in problems if (each.place.file, each.place.line) == (file, line) and words in each.message]
    assert at, f"{file}:{line}: {words}\n\nwas not told; but:\n" + "\n".join(map(str, problems))
    assert at[0].hint
    return at[0]


every = pytest.mark.parametrize("scene", ROLES, indirect=True, ids=str)
by_values = pytest.mark.parametrize("scene", HELM, indirect=True, ids=str)
each_kind = pytest.mark.parametrize("scene", KINDS, indirect=True, ids=str)


@every
def test_as_committed_it_is_closed(scene: Scene) -> None:
    assert scene.problems() == []


@every
def test_the_role_renamed_in_the_tfvars(scene: Scene) -> None:
    carrier = scene.carrier()
    line = 1 + carrier.read_text()[: carrier.read_text().index(scene.arn)].count("\n")
    words = f"names the role `{scene.arn}`, which Terraform does not make for {scene.name}"
    changed = scene.replace(scene.folder / TFVARS, f'"{scene.role}"', f'"{scene.role}-new"')
    problems = scene.problems()
    told(problems, scene.shown(carrier), line, words)
    told(problems, scene.shown(scene.folder / TFVARS), changed, "which is annotated with")


@every
@pytest.mark.parametrize("key", ["namespace", "service_account"])
def test_whom_the_role_trusts_changed_in_the_tfvars(scene: Scene, key: str) -> None:
    path, value = scene.folder / TFVARS, scene.entry[key]
    text = path.read_text()
    start = text.index(f'"{scene.role}"')
    at = text.index(f'"{key}": "{value}"', start)
    path.write_text(text[:at] + text[at:].replace(f'"{value}"', '"elsewhere"', 1))
    problems = scene.problems()
    told(problems, scene.shown(path), text[:at].count("\n") + 1, "is not what the sources say")
    hurt = [each for each in problems if "elsewhere" in each.message]
    assert hurt
    assert all(each.hint and each.place.line for each in hurt)


@every
def test_the_annotation_changed_where_it_is_generated(scene: Scene) -> None:
    carrier = scene.carrier()
    line = scene.replace(carrier, f"{scene.arn}\n", f"{scene.arn}-old\n")
    told(
        scene.problems(), scene.shown(carrier), line, f"names the role `{scene.arn}-old`, which Terraform does not make"
    )


@every
def test_the_annotation_taken_away_where_it_is_generated(scene: Scene) -> None:
    carrier = scene.carrier()
    text = carrier.read_text()
    line = next(each for each in text.splitlines() if each.endswith(scene.arn))
    carrier.write_text(text.replace(f"{line}\n", ""))
    problems = scene.problems()
    found = [each for each in problems if f"nothing gives the pods of {scene.name} the role" in each.message]
    assert found
    assert found[0].place.file == scene.shown(carrier)
    assert found[0].place.line
    assert found[0].hint


@each_kind
@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("arn:aws:iam::{account}:role/{cluster}-node", "is the role of the nodes, and no ServiceAccount"),
        ("arn:aws:iam::{account}:role/{cluster}-kube-system-aws-node", "is the role of EKS's add-on vpc-cni"),
        ("arn:aws:iam::000000000000:role/{role}", "names a role of account 000000000000"),
        ("{role}", "is not the ARN of an IAM role"),
    ],
)
def test_the_annotation_names_a_role_that_is_not_for_apps(scene: Scene, role: str, words: str) -> None:
    carrier, account = scene.carrier(), scene.tfvars["account_id"]
    other = role.format(account=account, cluster=scene.cluster, role=scene.role)
    line = scene.replace(carrier, f"{scene.arn}\n", f"{other}\n")
    told(scene.problems(), scene.shown(carrier), line, words)


@pytest.mark.parametrize("scene", [each for each in KINDS if not app_of(*each).chart], indirect=True, ids=str)
def test_the_regional_endpoint_taken_from_the_service_account(scene: Scene) -> None:
    carrier = scene.carrier()
    line = scene.replace(carrier, "sts-regional-endpoints: 'true'", "sts-regional-endpoints: 'false'")
    told(scene.problems(), scene.shown(carrier), line, "sign in at STS's one global endpoint")


@every
def test_a_second_service_account_that_uses_the_role(scene: Scene) -> None:
    path = scene.folder / "generated" / "manifests" / scene.entry["app"] / "serviceaccount-second.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: second\n  namespace: {scene.entry['namespace']}\n"
        f"  annotations:\n    eks.amazonaws.com/role-arn: {scene.arn}\n"
    )
    problems = scene.problems()
    words = f"`{scene.role}` trusts {scene.name} only, and this is {scene.entry['namespace']}/second"
    assert "one ServiceAccount, one role" in told(problems, scene.shown(path), 7, words).hint


@by_values
def test_an_override_that_renames_the_service_account(scene: Scene) -> None:
    path = scene.override("name", "other")
    told(scene.problems(), scene.shown(path), 1, "`other` is not the name that its role trusts")


@by_values
def test_an_override_that_stops_the_chart_from_making_it(scene: Scene) -> None:
    path = scene.override("create", False)
    app = fleets.committed().catalog.apps[scene.entry["app"]]
    if app.own_chart:
        words = f"trusts {scene.name}, and the app {scene.entry['app']} makes no such ServiceAccount"
        assert [each for each in scene.problems() if words in each.message and each.place.line and each.hint]
    else:
        told(scene.problems(), scene.shown(path), 1, f"is false, and nothing else makes {scene.name}")


@by_values
def test_an_override_that_takes_the_role_away(scene: Scene) -> None:
    path = scene.override("annotations", {"eks.amazonaws.com/role-arn": ""})
    told(scene.problems(), scene.shown(path), 1, f"nothing gives the pods of {scene.name} the role `{scene.role}`")


@pytest.mark.parametrize("scene", [(each, "") for each in CLUSTERS], indirect=True, ids=CLUSTERS)
class TestWholeCluster:
    def test_two_roles_swapped_in_the_tfvars(self, scene: Scene) -> None:
        first, second, *_ = list(scene.tfvars["identities"])
        path = scene.folder / TFVARS
        text = path.read_text()
        path.write_text(text.replace(first, "(between)").replace(second, first).replace("(between)", second))
        problems = scene.problems()
        for name in (first, second):
            assert [each for each in problems if each.message.startswith(f"`{name}` trusts ") and each.place.line]
            line = path.read_text()[: path.read_text().index(f'"{name}"')].count("\n") + 1
            told(problems, scene.shown(path), line, "which is annotated with")

    def test_the_account_changed_in_the_tfvars(self, scene: Scene) -> None:
        account = scene.tfvars["account_id"]
        line = scene.replace(scene.folder / TFVARS, f'"{account}"', '"000000000000"')
        told(
            scene.problems(),
            scene.shown(scene.folder / TFVARS),
            line,
            f"is not the cluster's account, which is {account}",
        )

    def test_a_service_account_deleted_in_the_base(self, scene: Scene) -> None:
        base = scene.workspace.root / "apps" / "coredns" / "base"
        (base / "service-account.yaml").unlink()
        scene.replace(base / "kustomization.yaml", "  - service-account.yaml\n", "")
        problems = [
            each for each in scene.problems() if "nothing makes the ServiceAccount kube-system/coredns" in each.message
        ]
        assert problems
        assert "coredns" in problems[0].place.file
        assert problems[0].hint

    def test_a_service_account_deleted_where_it_is_generated(self, scene: Scene) -> None:
        path = next(scene.folder.glob("generated/manifests/gpu-inference/serviceaccount-gpu-inference.yaml"))
        path.unlink()
        problems = scene.problems()
        assert [each for each in problems if "makes no such ServiceAccount" in each.message and each.place.line]
        assert [each for each in problems if "nothing makes the ServiceAccount gpu-inference/" in each.message]
