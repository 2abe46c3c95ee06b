"""Our schema check beside kubeconform, as whole processes: `python -m tests.bench.validate [FOLDER...]`.

Both read every YAML file under the folder, parse it and check each object against the same strict schemas.
Without a folder, 2,000 objects of 14 kinds are made for it. Ours is one process, kubeconform uses every core.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import yaml

from generators.checks.schemas import CRDS, SchemaChecker, schema_folder
from generators.tools.binaries import require

VERSION = "1.35"
ROUNDS = 5
OBJECTS = 2_000
OBJECTS_IN_A_FILE = 10
KUBERNETES_IO = "https://kubernetes.io/api/"

SAMPLES = """
- apiVersion: apps/v1
  kind: Deployment
  metadata: &meta {name: sample, namespace: apps, labels: {app.kubernetes.io/name: sample}, annotations: {a: "1"}}
  spec:
    replicas: 2
    selector: &selector {matchLabels: {app.kubernetes.io/name: sample}}
    strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}
    template: &template
      metadata: {labels: {app.kubernetes.io/name: sample}}
      spec:
        serviceAccountName: sample
        restartPolicy: Always
        nodeSelector: {kubernetes.io/os: linux}
        tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
        containers:
          - name: main
            image: registry.example.com/sample:1.0.0
            args: [serve, --port=8080]
            env:
              - {name: MODE, value: "1"}
              - {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
            ports: [{name: http, containerPort: 8080, protocol: TCP}]
            resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 1Gi, nvidia.com/gpu: 1}}
            readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 5}
            securityContext: {runAsNonRoot: true, capabilities: {drop: [ALL]}}
            volumeMounts: [{name: config, mountPath: /etc/sample, readOnly: true}]
        volumes: [{name: config, configMap: {name: sample}}]
- {apiVersion: apps/v1, kind: DaemonSet, metadata: *meta, spec: {selector: *selector, template: *template}}
- {apiVersion: batch/v1, kind: Job, metadata: *meta, spec: {backoffLimit: 3, template: *template}}
- apiVersion: batch/v1
  kind: CronJob
  metadata: *meta
  spec: {schedule: "*/5 * * * *", concurrencyPolicy: Forbid, jobTemplate: {spec: {template: *template}}}
- apiVersion: v1
  kind: Service
  metadata: *meta
  spec: {selector: {app.kubernetes.io/name: sample}, ports: [{name: http, port: 80, targetPort: http}]}
- {apiVersion: v1, kind: ConfigMap, metadata: *meta, data: {settings.toml: "a = 1\\nb = 2\\n", mode: fast}}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: *meta
  spec: {minAvailable: 50%, selector: *selector}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: sample}
  rules: [{apiGroups: [""], resources: [pods, nodes], verbs: [get, list, watch]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: sample}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sample}
  subjects: [{kind: ServiceAccount, name: sample, namespace: apps}]
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: *meta
  spec:
    podSelector: {}
    policyTypes: [Ingress]
    ingress: [{from: [{namespaceSelector: *selector}], ports: [{protocol: TCP, port: 8080}]}]
- {apiVersion: v1, kind: ServiceAccount, metadata: *meta, automountServiceAccountToken: false}
- {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: sample}, value: 1000, globalDefault: false}
- {apiVersion: v1, kind: Namespace, metadata: {name: sample, labels: {team: serving}}}
- apiVersion: argoproj.io/v1alpha1
  kind: Application
  metadata: {name: sample, namespace: argocd, annotations: {argocd.argoproj.io/sync-wave: "1"}}
  spec:
    project: default
    source: {repoURL: https://git.example.com/fleet.git, path: clusters/sample, targetRevision: main}
    destination: {name: sample, namespace: apps}
    syncPolicy: {automated: {prune: true, selfHeal: true}, syncOptions: [ServerSideApply=true]}
"""


def samples() -> list[dict[str, Any]]:
    """One valid object of each of 14 kinds."""
    return [*json.loads(json.dumps(yaml.load(SAMPLES, yaml.CSafeLoader)))]  # the copy parts what aliases share


def generate(folder: Path, count: int = OBJECTS) -> None:
    """Writes `count` valid objects under names of their own, ten a file."""
    objects = [
        obj | {"metadata": obj["metadata"] | {"name": f"sample-{number}"}}
        for number, obj in enumerate(islice(cycle(samples()), count))
    ]
    for start in range(0, count, OBJECTS_IN_A_FILE):
        text = yaml.dump_all(objects[start : start + OBJECTS_IN_A_FILE], Dumper=yaml.CSafeDumper, sort_keys=False)
        (folder / f"objects-{start:05}.yaml").write_text(text, encoding="utf-8")


def compare(folder: Path, rounds: int = ROUNDS) -> dict[str, float]:
    """Checks `folder` both ways, best of the `rounds` taken in turns, so that a busy machine hits both alike.

    Keys: objects; ours_s and kubeconform_s, wall time of the process; ratio, ours by theirs; ours_ms_per_object,
    parse and check without the start of Python. Raises RuntimeError when an object is refused or overlooked.
    """
    ours = [sys.executable, "-m", "tests.bench.validate", "--ours", str(folder)]
    with tempfile.TemporaryDirectory() as schemas:
        theirs = _kubeconform(folder, Path(schemas))
        runs = [(_run(ours), _run(theirs)) for _ in range(rounds)]
    ours_s, theirs_s = (min(seconds for seconds, _ in side) for side in zip(*runs, strict=True))
    reports = [report for (_, report), _ in runs]
    objects = reports[0]["objects"]
    if objects != (valid := runs[0][1][1]["summary"]["valid"]):
        raise RuntimeError(f"we checked {objects} objects, kubeconform {valid}")
    return {
        "objects": objects,
        "ours_s": round(ours_s, 3),
        "kubeconform_s": round(theirs_s, 3),
        "ratio": round(ours_s / theirs_s, 2),
        "ours_ms_per_object": round(min(report["seconds"] for report in reports) / objects * 1e3, 4),
    }


def check(folder: Path) -> int:
    """Checks every object under `folder` and returns their number. Raises RuntimeError at the first bad one."""
    checker, count = SchemaChecker(VERSION), 0
    for file in sorted(folder.rglob("*.yaml")):
        for obj in yaml.load_all(file.read_bytes(), yaml.CSafeLoader):
            if found := checker.problems(obj):
                raise RuntimeError(f"{file}: {found[0]}")
            count += 1
    return count


def _kubeconform(folder: Path, schemas: Path) -> list[str]:
    """The command, and in `schemas` our strict schemas under the addresses by which they refer to each other."""
    for file in schema_folder(VERSION).glob("*.json"):
        text = file.read_text(encoding="utf-8").replace(KUBERNETES_IO, f"file://{schemas}/")
        (schemas / file.name).write_text(text.replace('"/api/', f'"file://{schemas}/'), encoding="utf-8")
    locations = [
        f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        f"{CRDS}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
    ]
    options = [word for location in locations for word in ("-schema-location", location)]
    cores = str(os.cpu_count() or 1)
    command = [str(require("kubeconform")), "-strict", "-n", cores, "-summary", "-output", "json", *options]
    return [*command, "-kubernetes-version", f"{VERSION}.0", str(folder)]


def _run(command: list[str]) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds, json.loads(done.stdout)


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--ours"]:
        started = time.perf_counter()
        count = check(Path(arguments[1]))
        sys.stdout.write(json.dumps({"objects": count, "seconds": time.perf_counter() - started}))
        return
    with tempfile.TemporaryDirectory() as made:
        if not arguments:
            generate(Path(made))
        for folder in arguments or [made]:
            sys.stdout.write(f"{folder}: {json.dumps(compare(Path(folder)))}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
