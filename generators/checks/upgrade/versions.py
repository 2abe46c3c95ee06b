"""The minor itself: how far it is, when AWS supports it, and what of the cluster file belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from generators.checks.upgrade.concern import Concern, Edit, judged, recommended, required
from generators.model.catalog import Inputs, MinorFacts
from generators.model.support import Support, days_left, ordinal, steps, verdict

KUBERNETES = ("kubernetes",)
OLDEST_KUBELET = 3
"""Minors that a kubelet or kube-proxy may be older than the control plane (Kubernetes version skew policy, 1.28 on)."""
NEAR = 60
"""Days before the end of a support at which to say so: AWS's own notice comes that early."""


def minor(present: Inputs, target: str, today: date) -> Iterator[Concern]:
    """One minor at a time, and one that AWS runs on that day."""
    source = present.cluster.kubernetes
    facts = present.catalog.minors[target]
    between = steps(source, target)
    if between > 1:
        following = f"1.{ordinal(source)[1] + 1}"
        what = f"EKS moves one minor at a time, and {target} is {between} after {source}"
        yield required("skew", KUBERNETES, what, f"go to {following} first: fleet upgrade … --to {following}")
    elif between == 1:
        edit = Edit(KUBERNETES, target)
        yield required("skew", KUBERNETES, f"is {source}", f'write `kubernetes: "{target}"`', edit)
    yield from _support(target, facts, today)


def _support(target: str, facts: MinorFacts, today: date) -> Iterator[Concern]:
    if (waiting := days_left(facts.on_eks_since, today)) > 0:
        what = f"EKS has {target} from {facts.on_eks_since} on, in {_days(waiting)}"
        yield required("support", KUBERNETES, what, "wait for it")
    elif (extended := days_left(facts.extended_support_ends, today)) < 0:
        what = f"AWS's extended support of {target} ended on {facts.extended_support_ends}: it upgrades such clusters"
        yield required("support", KUBERNETES, what, "go to a minor that AWS supports: see generators/data/minors.json")
    elif (standard := days_left(facts.standard_support_ends, today)) < 0:
        what = f"AWS's standard support of {target} ended on {facts.standard_support_ends}"
        hint = f"extended support costs more by the hour and ends in {_days(extended)}; go on to the next minor"
        yield recommended("support", KUBERNETES, what, hint)
    elif standard <= NEAR:
        what = f"AWS's standard support of {target} ends on {facts.standard_support_ends}, in {_days(standard)}"
        yield recommended("support", KUBERNETES, what, "plan the next minor now")


def _days(number: int) -> str:
    return f"{number} day{'s' * (number != 1)}"


def addons(present: Inputs, target: str, support: Support) -> Iterator[Concern]:
    """EKS leaves add-ons as they are when the control plane moves: each is pinned, or moved by hand."""
    pinned = present.cluster.addon_versions
    for name, version in sorted(pinned.items()):
        path = ("addon_versions", name)
        if name == "kube-proxy":
            yield from _kube_proxy(path, version, target)
        elif found := judged("addon", path, verdict(name, support.components.get(name), version, target)):
            yield found
    loose = [name for name in ("eks-node-monitoring-agent", "kube-proxy", "vpc-cni") if name not in pinned]
    if loose and target != present.cluster.kubernetes:
        what = f"{', '.join(loose)}: not pinned, so EKS leaves them at the versions that they were installed with"
        hint = f"after the nodes, pin each to what `{_versions('NAME', target)}` shows"
        yield recommended("addon", ("addon_versions",), what, hint)


def _kube_proxy(path: tuple[str, ...], version: str, target: str) -> Iterator[Concern]:
    older = steps(version, target)
    hint = f"pin the version that `{_versions('kube-proxy', target)}` shows"
    if older < 0:
        yield required("addon", path, f"kube-proxy {version} is newer than a control plane of {target}", hint)
    elif older > OLDEST_KUBELET:
        what = f"kube-proxy {version} is {older} minors older than {target}; {OLDEST_KUBELET} are allowed"
        yield required("addon", path, what, hint)
    elif older:
        yield recommended(
            "addon", path, f"kube-proxy {version} stays {older} behind {target}", f"after the nodes, {hint}"
        )


def _versions(addon: str, target: str) -> str:
    return f"aws eks describe-addon-versions --addon-name {addon} --kubernetes-version {target}"


def dns(present: Inputs, target: str) -> Iterator[Concern]:
    """CoreDNS moves with the minor where it is an app of ours; EKS's own stays as it was installed."""
    if present.cluster.apps.coredns is None:
        what = "coredns is not among them: the CoreDNS that EKS installed stays as it was installed"
        image = present.catalog.minors[target].coredns
        yield recommended("coredns", ("apps",), what, f"add `coredns: {{}}`, or move it by hand to {image}")
