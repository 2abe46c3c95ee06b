"""Secrets reach pods through stores: each for one namespace and one prefix, and the operator's role reads no others."""

from __future__ import annotations

import re
from typing import Any

import pytest

from generators.errors import FleetError
from generators.model import names
from generators.model.catalog import Inputs
from generators.model.secrets import secret_stores
from generators.pipeline import fleet
from generators.renderers import render
from generators.source.workspace import Workspace
from tests import fleets

CLUSTERS = ["dev-tokyo", "prod-tokyo"]


def with_reader(workspace: Workspace, cluster: str = "prod-tokyo") -> Inputs:
    """The cluster with one more app: `movies`, which reads secrets in the namespace `film`."""
    folder = workspace.root / "apps" / "movies"
    folder.mkdir()
    (folder / "app.yaml").write_text(
        "description: For tests\nowner: platform\nnamespace: film\nkind: jsonnet\nwave: 0\npod_security: restricted\n"
        "secrets: true\n"
    )
    (folder / "main.jsonnet").write_text("function(cluster) []\n")
    fleets.add(workspace, cluster, fleets.text(cluster) + "  movies: {}\n")
    return fleet.read(workspace).load(cluster)


def manifests(inputs: Inputs, app: str) -> list[Any]:
    return [document for path, document in render(inputs).items() if path.startswith(f"manifests/{app}/")]


def allowed(inputs: Inputs) -> list[str]:
    """Names that the operator's role may read, as patterns of IAM."""
    tree: Any = render(inputs)
    facts = tree["terraform/cluster.tfvars.json"]
    name = names.role_name(inputs.cluster, "external-secrets", "external-secrets")
    (statement,) = facts["identities"][name]["statements"]
    assert statement["Action"] == ["secretsmanager:GetSecretValue"]
    where = f"arn:aws:secretsmanager:{inputs.cluster.region}:{inputs.cluster.account}:secret:"
    assert all(each.startswith(where) for each in statement["Resource"])
    return [each.removeprefix(where) for each in statement["Resource"]]


def matches(pattern: str, name: str) -> bool:
    """Whether IAM's pattern takes the secret of this name, whose ARN ends in six characters of AWS's."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return bool(re.fullmatch(expression, f"{name}-AbC123"))


def test_each_app_has_a_store_for_its_namespace_and_prefix_alone(workspace: Workspace) -> None:
    inputs = with_reader(workspace)
    stores = {each["metadata"]["name"]: each["spec"] for each in manifests(inputs, "secret-stores")}
    assert stores["movies"]["conditions"] == [{"namespaces": ["film"]}]
    assert stores["movies"]["provider"]["aws"]["prefix"] == "prod-tokyo/movies/"
    assert [each["namespaces"] for store in stores.values() for each in store["conditions"]] == [
        [store.namespace] for store in secret_stores(inputs)
    ]
    for store in stores.values():
        assert store["provider"]["aws"].keys() == {"service", "region", "prefix"}, "no key, no role of its own"


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_role_reads_this_clusters_secrets_and_gits_and_no_others(name: str) -> None:
    inputs = fleets.committed().load(name)
    patterns = allowed(inputs)
    readable = [names.database_secret(inputs.cluster), inputs.cluster.git.credential or ""]
    for secret in readable:
        assert any(matches(each, secret) for each in patterns), secret
    for secret in (f"{name}2/kubeflow-pipelines/database", "other/secret", f"{readable[1]}hub"):
        assert not any(matches(each, secret) for each in patterns), secret


def test_the_databases_secret_is_below_the_prefix_of_its_store() -> None:
    cluster = fleets.committed().load("prod-tokyo").cluster
    whole = names.secret_prefix(cluster, "kubeflow-pipelines") + names.DATABASE_SECRET_KEY
    assert names.database_secret(cluster) == whole == "prod-tokyo/kubeflow-pipelines/database"


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_git_credential_is_the_secret_that_the_bootstrap_made(name: str) -> None:
    inputs = fleets.committed().load(name)
    (kept,) = manifests(inputs, "git-credential")
    spec = kept["spec"]
    assert (kept["metadata"]["namespace"], spec["target"]["name"]) == ("argocd", names.GIT_SECRET)
    assert spec["target"]["template"]["data"] == {"type": "git", "url": inputs.cluster.git.repository}
    stores = {each["metadata"]["name"]: each["spec"] for each in manifests(inputs, "secret-stores")}
    prefix = stores[spec["secretStoreRef"]["name"]]["provider"]["aws"]["prefix"]
    assert prefix + spec["dataFrom"][0]["extract"]["key"] == inputs.cluster.git.credential
    assert kept["metadata"]["namespace"] in stores[spec["secretStoreRef"]["name"]]["conditions"][0]["namespaces"]


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_operator_comes_before_stores_and_both_before_whoever_reads(name: str) -> None:
    apps = fleets.committed().load(name).apps()
    assert apps["external-secrets"].wave < apps["secret-stores"].wave
    for app, facts in apps.items():
        if facts.secrets or app == "git-credential":
            assert apps["secret-stores"].wave < facts.wave, app
    for app in ("external-secrets", "secret-stores", "git-credential"):
        assert not apps[app].cascade, "removing it would take Secrets from running pods"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  secret-stores: {}\n", "", "apps.git-credential: its secrets come through a store"),
        (
            "  external-secrets: {}\n",
            "",
            "apps.secret-stores: nothing reads through them without apps.external-secrets",
        ),
        ("  git-credential: {}\n", "", "apps.external-secrets: nobody renews the Secret of git.credential"),
        ("  credential: fleet/git\n", "  revision: main\n", "apps.git-credential: git.credential is not set"),
    ],
)
def test_secrets_without_what_brings_them_are_refused(workspace: Workspace, old: str, new: str, message: str) -> None:
    text = fleets.text()
    assert old in text
    fleets.add(workspace, "prod-tokyo", text.replace(old, new))
    with pytest.raises(FleetError, match=re.escape(message)):
        fleet.read(workspace).load("prod-tokyo")


def test_a_store_that_nobody_reads_is_refused(workspace: Workspace) -> None:
    text = fleets.text()
    for words in ("  credential: fleet/git\n", "  git-credential: {}\n", "  kubeflow-pipelines: {}\n"):
        assert words in text
        text = text.replace(words, "  revision: main\n" if "fleet/git" in words else "")
    fleets.add(workspace, "prod-tokyo", text)
    with pytest.raises(FleetError, match=r"apps\.secret-stores: no app of this cluster reads secrets"):
        fleet.read(workspace).load("prod-tokyo")
