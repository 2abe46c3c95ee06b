"""What a new EKS cluster comes with before anybody applies anything: CoreDNS in EKS's own shape."""

from __future__ import annotations

from typing import Any

from generators.model import names
from generators.model.catalog import Inputs

Object = dict[str, Any]
FIELD_MANAGER = "eks"
LABELS = {"eks.amazonaws.com/component": "coredns", "k8s-app": "kube-dns"}
COREFILE = """\
.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
"""


def objects(inputs: Inputs) -> list[Object]:
    """EKS's self-managed CoreDNS: selector, zone spread and the memory limit as in eksctl's assets, 2026-08-20."""
    return [
        _object("v1", "ServiceAccount", "coredns"),
        {**_object("v1", "ConfigMap", "coredns"), "data": {"Corefile": COREFILE}},
        _service(inputs),
        _deployment(inputs),
    ]


def _object(api: str, kind: str, name: str) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "kube-system", "labels": LABELS}}


def _service(inputs: Inputs) -> Object:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]
    spec = {"clusterIP": names.cluster_dns(inputs.cluster), "selector": {"k8s-app": "kube-dns"}, "ports": ports}
    return {**_object("v1", "Service", "kube-dns"), "spec": spec}


def _deployment(inputs: Inputs) -> Object:
    container = {
        "name": "coredns",
        "image": names.coredns_image(inputs),
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "tolerations": [
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
        ],
        "topologySpreadConstraints": [spread],
        "containers": [container],
        "volumes": [
            {
                "name": "config-volume",
                "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]},
            }
        ],
    }
    return {
        **_object("apps/v1", "Deployment", "coredns"),
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
        },
    }
