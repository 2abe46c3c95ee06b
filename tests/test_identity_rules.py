"""Each rule of identity by itself: what is good passes in silence, what is bad is told in these words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest

from generators.checks.identity import chart_rules, charts, closed, environment, pods, role_names, tfvars
from generators.checks.identity.evidence import Account, Document, Spot
from generators.checks.policy.objects import TEMPLATES
from generators.model.base import Finding
from generators.model.catalog import App, ChartValues, Identity
from generators.model.catalog_rules import UNBOUND, app_findings
from generators.model.identities import ROLE_ANNOTATION, STS_ANNOTATION, WorkloadIdentity
from tests.fleets import ROOT, committed

ARN = "arn:aws:iam::123456789012:role/"
REGIONAL = {STS_ANNOTATION: "true"}
ROLES: dict[str, Any] = {
    "account_id": "123456789012",
    "cluster_name": "demo",
    "identities": {
        "demo-shop-web": {"app": "shop", "namespace": "shop", "service_account": "web"},
        "demo-shop-db": {"app": "shop", "namespace": "shop", "service_account": "db"},
    },
}


def account(name: str, role: str, *, app: str = "shop", number: int = 0, **changes: Any) -> Account:
    annotations = {ROLE_ANNOTATION: role if role.startswith("arn") else ARN + role, **REGIONAL} if role else {}
    found = Account(app, "shop", name, annotations, Spot("object", number), ("metadata",))
    return replace(found, **changes)


WEB, DB = account("web", "demo-shop-web"), account("db", "demo-shop-db", number=1)


def words(told: Iterable[tuple[Spot, Finding]]) -> list[str]:
    return [finding.message for _, finding in told]


def roles(**entries: Mapping[str, str] | None) -> tfvars.Tfvars:
    given = {name.replace("_", "-"): entry for name, entry in entries.items()}
    found = {name: entry for name, entry in {**ROLES["identities"], **given}.items() if entry is not None}
    return tfvars.read({**ROLES, "identities": found})


def disagreements(*accounts: Account, held: tfvars.Tfvars | None = None) -> list[str]:
    return words(closed.findings(closed.Sides(held or roles(), accounts, {("shop", "web"), ("shop", "db")})))


def test_roles_and_service_accounts_that_agree() -> None:
    assert disagreements(WEB, DB, account("plain", "")) == []
    assert words(tfvars.findings(roles(), "123456789012")) == []


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ((WEB,), "trusts shop/db, and the app shop makes no such ServiceAccount"),
        ((WEB, account("db", "")), "is missing: nothing gives the pods of shop/db the role `demo-shop-db`"),
        ((WEB, replace(DB, made=False)), "is false, and nothing else makes shop/db, which the role `demo-shop-db`"),
        ((WEB, DB, replace(WEB, app="other")), "shop/web is made by app shop too"),
        ((WEB, DB, account("x", "demo-shop-web")), "`demo-shop-web` trusts shop/web only, and this is shop/x"),
        ((WEB, account("bd", "demo-shop-db")), "`bd` is not the name that its role trusts, `db`"),
        ((WEB, DB, account("x", "other")), f"names the role `{ARN}other`, which no app.yaml declares for shop/x"),
        ((WEB, DB, account("x", "demo-node")), "`demo-node` is the role of the nodes"),
        ((WEB, DB, account("x", "arn:aws:iam::1:user/x")), "`arn:aws:iam::1:user/x` is not the ARN of an IAM role"),
        ((WEB, DB, account("x", f"{ARN.replace('1234', '0000')}y")), "names a role of account 000056789012"),
        ((WEB, replace(DB, annotations={ROLE_ANNOTATION: DB.role_arn})), "is not `true`: its pods would sign in at"),
    ],
)
def test_roles_and_service_accounts_that_do_not(accounts: tuple[Account, ...], message: str) -> None:
    assert message in "\n".join(disagreements(*accounts))


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("demo_x", {"app": "shop", "namespace": "shop"}, "is missing or no text"),
        ("demo_x", {"app": "shop", "namespace": "shop", "service_account": "*"}, "`*` is no exact name"),
        (
            "demo_x",
            {"app": "shop", "namespace": "shop", "service_account": "web"},
            "trusts shop/web, as `demo-shop-web`",
        ),
        ("demo_node", {"app": "x", "namespace": "x", "service_account": "x"}, "is the name of the role of the nodes"),
        (
            "x",
            {"app": "x", "namespace": "kube-system", "service_account": "aws-node"},
            "belongs to EKS's add-on vpc-cni",
        ),
    ],
)
def test_tfvars_that_are_wrong_by_themselves(name: str, entry: dict[str, str], message: str) -> None:
    assert message in "\n".join(words(tfvars.findings(roles(**{name: entry}), "123456789012")))


def test_tfvars_of_another_account() -> None:
    assert "is not the cluster's account" in words(tfvars.findings(roles(), "210987654321"))[0]


def test_the_other_roles_are_those_that_terraform_makes() -> None:
    """Two roles of one name would be one role; the names are in the modules, where no Python reads them."""
    text = "\n".join(path.read_text() for path in (ROOT / "terraform" / "modules").glob("*/*.tf"))
    blocks = re.findall(r'^resource "aws_iam_role" .*?^}', text, re.MULTILINE | re.DOTALL)
    found = {
        name[1] for block in blocks if (name := re.search(r'\n  name = "\$\{var\.(?:cluster_)?name}-(.*)"', block))
    }
    assert found == set(tfvars.OTHER_ROLES)
    assert len(blocks) == len(found) + 1  # the identities' own has a name without a pattern


def identity(namespace: str, name: str) -> WorkloadIdentity:
    role = f"demo-{namespace}-{name}"
    return WorkloadIdentity("shop", namespace, name, role, ARN + role, "", "any", [])


def test_two_identities_whose_role_would_be_one() -> None:
    assert words(role_names.findings([identity("a", "b-c"), identity("x", "y")])) == []
    assert words(role_names.findings([identity("a-b", "c"), identity("a", "b-c")])) == [
        "its role would be `demo-a-b-c`, as that of a-b/c is"
    ]


def test_two_clusters_whose_role_would_be_one() -> None:
    first, second = ("demo", "1", [("demo-a-node", "a/node")]), ("demo-a", "1", [("demo-a-node", "the nodes")])
    (found,) = role_names.across([second, first])
    assert found[0] == "demo-a"
    assert (
        found[1].message == "the role `demo-a-node` of the nodes would be that of a/node in demo: they share account 1"
    )
    assert list(role_names.across([first, (second[0], "2", second[2])])) == []


# Charts


def app(**changes: Any) -> App:
    statements = [{"actions": ["s3:ListBucket"], "resources": ["arn:aws:s3:::x"]}]
    facts = {
        "description": "x",
        "owner": "x",
        "namespace": "kube-system",
        "kind": "helm",
        "chart": {"repository": "https://charts.example.com", "name": "cluster-autoscaler", "version": "9.59.0"},
        "wave": 0,
        "identities": {"cluster-autoscaler": {"values_path": "rbac.serviceAccount", "statements": statements}},
        **changes,
    }
    return App.model_validate_json(json.dumps(facts))


GOOD = {"extraEnv": {"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "10"}}


def release(values: dict[str, object] | None = None, chart: str = "cluster-autoscaler") -> charts.Release:
    return charts.Release("cluster-autoscaler", "kube-system", chart, GOOD | (values or {}))


def test_a_chart_with_its_identity_and_environment() -> None:
    assert words(chart_rules.findings(release(), app(), None)) == []


@pytest.mark.parametrize(
    ("found", "of", "message"),
    [
        (release(), app(identities={}), "pods of cluster-autoscaler call AWS (autoscaler), and no identity has"),
        (release(chart="new"), app(), "nobody has looked up the ServiceAccounts of new"),
        (release({"extraEnv": {}}), app(), "AWS_RETRY_MODE is not `adaptive`"),
        (release({"extraEnv": {"AWS_RETRY_MODE": "adaptive"}}), app(), "AWS_MAX_ATTEMPTS is not above 3"),
        (
            release({"extraEnv": {**GOOD["extraEnv"], "AWS_MAX_ATTEMPTS": "3"}}),
            app(),
            "AWS_MAX_ATTEMPTS is not above 3",
        ),
        (release({"extraEnv": {**GOOD["extraEnv"], "AWS_ACCESS_KEY_ID": "x"}}), app(), "would come before the role"),
        (release({"awsAccessKeyID": "x"}), app(), "is a static key"),
        (release({"podAnnotations": {ROLE_ANNOTATION: "x"}}), app(), "a role here is the role of nobody"),
    ],
)
def test_a_chart_without(found: charts.Release, of: App, message: str) -> None:
    told = words(chart_rules.findings(found, of, None))
    assert len(told) >= 1
    assert message in "\n".join(told)


def test_a_chart_that_calls_aws_in_one_way_of_running_only() -> None:
    calm = app(identities={})
    assert words(chart_rules.findings(release(chart="aws-node-termination-handler"), calm, None)) == []
    queue = release({"enableSqsTerminationDraining": True}, "aws-node-termination-handler")
    assert "pods of aws-node-termination-handler call AWS" in words(chart_rules.findings(queue, calm, None))[0]


def test_an_identity_at_a_path_that_the_chart_does_not_have() -> None:
    of = app()
    wrong = of.identities["cluster-autoscaler"].model_copy(update={"values_path": "rbac.serviceAcount"})
    told = list(chart_rules.findings(release(), of.model_copy(update={"identities": {"x": wrong}}), None))
    assert told[0][1].message == "cluster-autoscaler takes no ServiceAccount at `rbac.serviceAcount`"
    assert told[0][1].hint == "did you mean `rbac.serviceAccount`?"


def test_the_catalogue_and_the_pinned_chart_part_ways() -> None:
    index = ChartValues("9.59.0", {"serviceAccount": "map"})
    assert words(chart_rules.findings(release(), app(), index))[:2] == [
        "cluster-autoscaler 9.59.0 has no `rbac.serviceAccount` any more",
        "cluster-autoscaler 9.59.0 takes a ServiceAccount at `serviceAccount`",
    ]


@pytest.mark.parametrize(
    ("name", "chart", "values", "account"),
    [
        ("cluster-autoscaler", "cluster-autoscaler", {}, "cluster-autoscaler-aws-cluster-autoscaler"),
        ("aws-cluster-autoscaler", "cluster-autoscaler", {}, "aws-cluster-autoscaler"),
        ("x-aws-cluster-autoscaler", "cluster-autoscaler", {}, "x-aws-cluster-autoscaler-aws-cluster-autoscaler"),
        ("ca", "cluster-autoscaler", {"fullnameOverride": "it"}, "it"),
        ("ca", "cluster-autoscaler", {"rbac": {"serviceAccount": {"name": "me"}}}, "me"),
        ("ca", "cluster-autoscaler", {"rbac": {"serviceAccount": {"create": False}}}, "default"),
        ("my-metrics-server", "metrics-server", {}, "my-metrics-server"),
        ("metrics", "metrics-server", {}, "metrics-metrics-server"),
        ("metrics", "metrics-server", {"nameOverride": "m"}, "metrics"),
        ("plugin", "nvidia-device-plugin", {}, "plugin-nvidia-device-plugin-service-account"),
        ("ebs", "aws-ebs-csi-driver", {"controller": {"serviceAccount": {"create": False}}}, "ebs-csi-controller-sa"),
    ],
)
def test_a_chart_names_its_service_account(name: str, chart: str, values: dict[str, object], account: str) -> None:
    """As helm rendered each of them from the chart of the catalogue's version."""
    assert next(charts.Release(name, "x", chart, values).accounts()).name == account


def test_components_that_are_off_make_nothing() -> None:
    def made(values: dict[str, object]) -> set[str]:
        return {each.name for each in charts.Release("argocd", "argocd", "argo-cd", values).accounts() if each.made}

    assert "argocd-dex-server" in made({})
    assert "argocd-dex-server" not in made({"dex": {"enabled": False}})


def test_the_catalogue_covers_the_charts_of_the_talk_and_names_known_sdks() -> None:
    assert set(charts.catalogue()) >= {each.chart.name for each in committed().catalog.apps.values() if each.chart}
    for facts in charts.catalogue().values():
        assert facts.source
        for each in facts.accounts:
            assert bool(each.sdk) == bool(each.env)
            assert not each.sdk or charts.reads(each.sdk) is not None


def test_each_sdk_of_an_identity_has_its_row() -> None:
    for sdk in get_args(Identity.model_fields["sdk"].annotation):
        assert set(charts.reads(sdk)) <= set(charts.reads("any"))


# Pods


def pod(account: str, env: dict[str, str] | None = None, of: str = "shop", kind: str = "Deployment") -> Document:
    entries = [{"name": name, "value": value} for name, value in (env or {}).items()]
    spec: dict[str, Any] = {"serviceAccountName": account, "containers": [{"name": "one", "env": entries}]}
    for step in reversed((*TEMPLATES[kind], "spec")):
        spec = {str(step): spec}
    return Document({"kind": kind, "metadata": {"namespace": "shop"}, **spec}, of)


ENV = {"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "10"}
CALLERS = [pods.Identity("shop", ("shop", "web"), "any")]
MADE = pods.Made({("shop", "web"), ("shop", "plain")}, {"unseen"})


def about(*documents: Document, callers: list[pods.Identity] = CALLERS) -> list[str]:
    return words(pods.findings(documents, callers, MADE))


@pytest.mark.parametrize("kind", sorted(TEMPLATES))
def test_pods_that_run_as_they_should(kind: str) -> None:
    assert about(pod("web", ENV, kind=kind), pod("plain", kind=kind), pod("", of="calm", kind=kind)) == []


@pytest.mark.parametrize("kind", sorted(TEMPLATES))
def test_pods_that_do_not(kind: str) -> None:
    assert about(pod("", kind=kind)) == ["runs as shop/default, and its app calls AWS"]
    assert about(pod("default", kind=kind)) == ["runs as shop/default, and its app calls AWS"]
    assert "nothing makes the ServiceAccount shop/wbe" in about(pod("wbe", kind=kind))[0]
    assert "shop/web is an identity of the app shop" in about(pod("web", ENV, of="other", kind=kind))[0]
    assert "AWS_RETRY_MODE is not `adaptive`" in about(pod("web", kind=kind))[0]


def test_a_pod_in_a_namespace_that_nobody_could_build_is_not_judged() -> None:
    document = pod("somebody")
    assert about(replace(document, document={**document.document, "metadata": {"namespace": "unseen"}})) == []


def test_an_identity_whose_sdk_reads_nothing_needs_nothing() -> None:
    assert about(pod("web"), callers=[pods.Identity("shop", ("shop", "web"), "fluent-bit")]) == []


@pytest.mark.parametrize("name", environment.STATIC)
def test_no_pod_gets_a_static_key(name: str) -> None:
    assert f"{name} would come before the role" in about(pod("plain", {name: "x"}))[0]


def test_an_endpoint_that_overrules_the_annotation() -> None:
    assert (
        "overrules the ServiceAccount's annotation"
        in about(pod("web", {**ENV, "AWS_STS_REGIONAL_ENDPOINTS": "legacy"}))[0]
    )


# Statements


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"actions": ["s3:Get*"], "resources": ["x"]}, "`s3:Get*` is a pattern"),
        ({"actions": ["s3:GetObject"], "resources": ["*"], "reason": "x"}, "`s3:GetObject` on every resource"),
        ({"actions": ["s3:ListBucket"], "resources": ["*"]}, "allows every resource without a reason"),
        ({"actions": ["s3:GetObject"], "resources": ["{buckets}"]}, "`{buckets}` stands for nothing"),
        ({"actions": ["ec2:DescribeImages"], "resources": ["*"], "reason": "x"}, ""),
        ({"actions": ["s3:GetObject"], "resources": ["*"], "conditions": {"StringEquals": {"a": ["b"]}}}, ""),
    ],
)
def test_what_a_statement_may_allow(statement: dict[str, object], message: str) -> None:
    of = app(identities={"one": {"values_path": "x", "statements": [statement]}})
    told = [finding.message for finding in app_findings("shop", of)]
    assert told == ([message] if message else [])


def test_terraform_refuses_the_same_actions() -> None:
    text = (ROOT / "terraform" / "modules" / "identity" / "variables.tf").read_text()
    excepted = re.search(r'"\^\(\[a-z0-9-\]\+:\((.*?)\)\|(.*?)\)"', text)
    assert excepted
    assert f"({excepted[1]})" in UNBOUND.pattern
    assert {name.removesuffix("$") for name in excepted[2].split("|")} == set(UNBOUND.pattern.split("|")[2:])
