"""kubectl on the cluster that is meant, and what it refuses in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generators.errors import FleetError, wrong
from generators.model import names
from generators.model.catalog import Inputs
from generators.tools.kubectl import Kubectl, of_person

Object = dict[str, Any]

APP = "gpu-inference"
ROLE = "eks.amazonaws.com/role-arn"
BATCH, INDEX, JOB = "inference-fleet/job", "batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/job-name"
MANAGED = "app.kubernetes.io/managed-by"
OURS = "fleet"
"""Who manages a Job that `fleet jobs submit` made, by its label."""
WORKERS = f"app.kubernetes.io/name={APP},app.kubernetes.io/component=worker"
_SAID: tuple[tuple[str, Callable[[re.Match[str], str], tuple[str, str, str]]], ...] = (
    (
        r'context "([^"]*)" does not exist|no context exists with the name: "([^"]*)"',
        lambda found, cluster: (
            "--context",
            f"the kubeconfig has no context `{found[1] or found[2]}`",
            f"`kubectl config get-contexts` lists them; `aws eks update-kubeconfig --name {cluster}` makes one",
        ),
    ),
    (
        r"localhost:8080|Missing or incomplete configuration info|current-context is not set",
        lambda _, cluster: (
            "--kubeconfig",
            "there is no kubeconfig, or no context in it",
            f"`aws eks update-kubeconfig --name {cluster}` makes both; or name them: --kubeconfig, --context",
        ),
    ),
    (
        r"\(Forbidden\).*?User \"([^\"]*)\" cannot (\w+) resource \"([^\"]*)\"",
        lambda found, cluster: (
            "kubectl",
            f"`{found[1]}` may not {found[2]} {found[3]} here",
            f"who may: access.admins and apps.gpu-inference.submit.roles of clusters/{cluster}/cluster.yaml",
        ),
    ),
    (
        r"Unauthorized|must be logged in|getting credentials",
        lambda _, cluster: (
            "kubectl",
            f"the API server of {cluster} refuses these credentials",
            "sign in to AWS (`aws sso login`) as a role that the cluster file lets in",
        ),
    ),
    (
        r"Unable to connect|was refused|no such host|i/o timeout|deadline exceeded|TLS handshake|connection reset",
        lambda found, _: (
            "kubectl",
            f"the API server cannot be reached: {found.string.strip().splitlines()[-1]}",
            "it may answer within the VPC alone: see docs/how-to/run-a-batch.md",
        ),
    ),
)
"""What kubectl says, by a pattern → key, message and hint."""


class Gone(FleetError):
    """What was asked for is not on the cluster."""


@dataclass(frozen=True)
class Live:
    """A cluster's namespace of batches, behind kubectl."""

    kubectl: Kubectl
    cluster: str
    namespace: str

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What `kubectl ARGUMENTS` printed, in the namespace. Raises FleetError, Gone for what is not there."""
        done = self.kubectl.tried(*arguments, "--namespace", self.namespace, stdin=stdin)
        if done.returncode:
            raise told(done.stderr, self.cluster)
        return done.stdout

    def listed(self, kinds: str, selector: str = WORKERS) -> list[Object]:
        """Objects of the kinds that have the labels. Raises FleetError."""
        found: list[Object] = json.loads(self("get", kinds, "--selector", selector, "--output", "json"))["items"]
        return found

    def job(self, name: str) -> Object:
        """A Job by its name. Raises FleetError, Gone where there is none."""
        found: Object = json.loads(self("get", "jobs", name, "--output", "json"))
        return found


def told(said: str, cluster: str) -> FleetError:
    """What kubectl said, as one problem."""
    last = (said.strip().splitlines() or ["it ended without a word"])[-1]
    if "(NotFound)" in said:
        return Gone(wrong("kubectl", last.partition("(NotFound): ")[2] or last).problems)
    for pattern, tell in _SAID:
        if found := re.search(pattern, said, re.DOTALL):
            key, message, hint = tell(found, cluster)
            return wrong(cluster if key == "kubectl" else "kubectl", message, key=key, hint=hint)
    return wrong("kubectl", last.removeprefix("error: "), hint="kubectl's own words; it was called for " + cluster)


def reached(inputs: Inputs, kubeconfig: Path | None, context: str) -> Live:
    """The cluster of `inputs`. Raises FleetError where kubectl leads nowhere, or to another cluster.

    Told apart by the role of the workers' ServiceAccount, which holds the account and the cluster's name: whoever may
    submit may read it, and AWS need not be asked.
    """
    cluster, namespace = inputs.cluster, inputs.catalog.apps[APP].namespace
    if cluster.apps.gpu_inference is None:
        file = f"clusters/{cluster.name}/cluster.yaml"
        raise wrong(file, "does not run batches", key="apps", hint=f"add `{APP}: {{}}` to its apps")
    live = Live(of_person(kubeconfig, context), cluster.name, namespace)
    own = names.role_arn(cluster, namespace, APP)
    choose = f"name the context of {cluster.name}: --context, or kubectl config use-context"
    try:
        account = json.loads(live("get", "serviceaccounts", APP, "--output", "json"))
    except Gone:
        what = f"leads to a cluster without {APP}, so it is not {cluster.name}, or nothing was synced there yet"
        raise wrong("kubectl", what, hint=choose) from None
    found = account["metadata"].get("annotations", {}).get(ROLE, "none")
    if found != own:
        raise wrong("kubectl", f"leads to another cluster: workers have the role {found} there, not {own}", hint=choose)
    return live
