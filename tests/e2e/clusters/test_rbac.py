"""What ServiceAccounts may do, as the API server answers: all that their roles say, and not what leads further."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generators.lab.lab import Lab
from tests.pipelines import NAMESPACE
from tests.test_pipelines_admission import PARTS, RIGHTS

Object = dict[str, Any]
Question = tuple[str, str, str, str, str]
"""ServiceAccount (`namespace:name`), verb, group, resource, namespace."""
NEVER = (
    ("get", "", "secrets", "kube-system"),
    ("create", "", "pods", "kube-system"),
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings", ""),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles", ""),
    ("impersonate", "", "users", ""),
    ("create", "", "serviceaccounts/token", "kube-system"),
)
"""What no workload of ours needs, and with what it could take the cluster."""

DNS, AGENT, LOGS = "kube-system:coredns", "amazon-cloudwatch:cloudwatch-agent", "amazon-cloudwatch:fluent-bit"
NEEDED = (
    *((DNS, verb, "", resource, "") for verb in ("list", "watch") for resource in ("namespaces", "services")),
    *((DNS, verb, "discovery.k8s.io", "endpointslices", "") for verb in ("list", "watch")),
    *((AGENT, verb, "", resource, "") for verb in ("get", "list", "watch") for resource in ("nodes", "pods")),
    *((AGENT, verb, "apps", "daemonsets", "") for verb in ("get", "list", "watch")),
    (AGENT, "create", "", "configmaps", "amazon-cloudwatch"),
)
"""What programs ask for, by their sources: a rule that a role lost is not missed by that role."""


def bound(lab: Lab) -> Iterator[tuple[str, str, list[Object]]]:
    """ServiceAccount, namespace of the binding (empty: the whole cluster) and rules, of all that apps bring."""
    roles = {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each["rules"]
        for each in lab.get("roles,clusterroles", "-A")
    }
    for binding in lab.get("rolebindings,clusterrolebindings", "-A"):
        namespace = binding["metadata"].get("namespace", "")
        tracked = "argocd.argoproj.io/tracking-id" in binding["metadata"].get("annotations", {})
        for subject in binding.get("subjects", []) if tracked else []:
            if subject["kind"] == "ServiceAccount":
                ref = binding["roleRef"]
                rules = roles[ref["kind"], namespace if ref["kind"] == "Role" else "", ref["name"]]
                yield f"{subject['namespace']}:{subject['name']}", namespace, rules


def ask(lab: Lab, questions: list[Question]) -> list[bool]:
    """The API server's answers to SubjectAccessReviews, in order."""
    reviews = [_review(*question) for question in questions]
    answers = lab.kubectl("create", "-f", "-", "-o", "json", stdin="\n---\n".join(map(json.dumps, reviews)))
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(answers.rstrip()):
        answer, at = decoder.raw_decode(answers, at)
        found += [each["status"]["allowed"] for each in answer.get("items", [answer])]
        at += len(answers[at:]) - len(answers[at:].lstrip())
    return found


def _review(account: str, verb: str, group: str, resource: str, namespace: str) -> Object:
    name, _, sub = resource.partition("/")
    where = {"verb": verb, "group": group, "resource": name, "subresource": sub, "namespace": namespace}
    spec = {"user": f"system:serviceaccount:{account}", "resourceAttributes": where}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def test_each_right_of_a_role_is_given(synced: Lab) -> None:
    questions = [
        (account, verb, group, resource, namespace)
        for account, namespace, rules in bound(synced)
        for rule in rules
        if not rule.get("resourceNames")
        for group in rule.get("apiGroups", [])
        for resource in rule.get("resources", [])
        for verb in rule["verbs"]
    ]
    assert len(questions) > 50
    refused = [each for each, allowed in zip(questions, ask(synced, questions), strict=True) if not allowed]
    assert refused == []


def needed(lab: Lab) -> dict[Question, bool]:
    """What is to be given and what is not, by the programs' sources; of Kubeflow Pipelines only in its namespace."""
    rights = RIGHTS | PARTS[lab.inputs.cluster.name]
    pipelines = {_split(*each, NAMESPACE): allowed for each, allowed in rights.items() if not _named(each[2])}
    return dict.fromkeys(NEEDED, True) | pipelines | {_split(*each, "kube-system"): False for each in rights}


def _split(account: str, verb: str, resource: str, namespace: str) -> Question:
    group, _, kind = resource.partition("/")
    return f"{NAMESPACE}:{account}", verb, group, kind, namespace


def _named(resource: str) -> bool:
    """Whether it is one object, as in `/configmaps/kfp-launcher`: those are asked about in another test."""
    return resource.startswith("/configmaps/")


def test_what_programs_need_is_given_and_what_they_do_not_is_denied(synced: Lab) -> None:
    expected = needed(synced)
    found = dict(zip(expected, ask(synced, list(expected)), strict=True))
    assert {each: allowed for each, allowed in found.items() if allowed != expected[each]} == {}


def test_nothing_that_leads_further_is_given(synced: Lab) -> None:
    accounts = sorted({account for account, _, _ in bound(synced)})
    questions = [(account, *question) for account in accounts for question in NEVER]
    given = [each for each, allowed in zip(questions, ask(synced, questions), strict=True) if allowed]
    assert given == []
