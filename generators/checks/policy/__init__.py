"""Policy: rules over rendered objects, each small and with a message that teaches. All of them are in `RULES`.

Those in `model.exceptions` may be broken with a reason, which stands in the app's app.yaml.
"""

from __future__ import annotations

from generators.checks.policy import (
    budgets,
    images,
    network,
    placement,
    pod_security,
    projects,
    rbac,
    resources,
    storage,
)  # fmt: skip
from generators.checks.policy.objects import REPLICATED
from generators.checks.policy.rule import PODS, Rule

REPLICAS = tuple(kind for kind in PODS if kind != "DaemonSet")
CLAIMS = (*PODS, "PersistentVolumeClaim")

RULES = (
    Rule("requests", "Each container requests CPU and memory.", PODS, resources.requests),
    Rule("memory-limit", "Each container has a memory limit.", PODS, resources.memory_limit),
    Rule("image-tag", "Each image has a tag other than `latest`, or a digest.", PODS, images.tag),
    Rule("image-registry", "Each image is from an allowed registry.", PODS, images.registry),
    Rule("system-nodes", "System pods run on the system node groups.", REPLICAS, placement.system_nodes),
    Rule("tolerations", "Each toleration is for a taint that exists.", PODS, placement.tolerations),
    Rule("node-selector", "Some node group has the labels that a pod asks for.", PODS, placement.node_selector),
    Rule("node-taints", "A pod tolerates the taints of a node group that it chooses.", PODS, placement.node_taints),
    Rule("spread", "More than one replica keep apart.", REPLICATED, placement.spread),
    Rule("budget", "A PodDisruptionBudget lets a pod go.", ("PodDisruptionBudget",), budgets.can_be_met),
    Rule("budget-pods", "It selects pods that no other one selects.", ("PodDisruptionBudget",), budgets.selects_pods),
    Rule("pod-security", "A pod fits its namespace's Pod Security level.", PODS, pod_security.of_namespace),
    Rule("host-path", "No pod mounts a folder of its node.", PODS, pod_security.host_path),
    Rule("privilege", "No pod has what the level `baseline` refuses.", PODS, pod_security.privilege),
    Rule("restricted", "No pod has what only the level `restricted` refuses.", PODS, pod_security.restricted),
    Rule("pipelines-volumes", "Pipelines keep nothing on volumes.", CLAIMS, storage.no_claim),
    Rule("rbac-wildcard", "A role names what it allows.", rbac.ROLES, rbac.no_wildcard),
    Rule("rbac-escalation", "A role gives no right that leads to all others.", rbac.ROLES, rbac.no_escalation),
    Rule("rbac-binding", "A binding is for one workload, and of a role of its own.", rbac.BINDINGS, rbac.bindings),
    Rule("network-policy", "A NetworkPolicy bounds who reaches a Service's pods.", ("Service",), network.bounded),
    Rule("app-project", "An Application does what its AppProject allows.", ("Application",), projects.allowed),
)
