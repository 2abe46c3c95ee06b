"""What `apps/kubeflow-pipelines` becomes for each committed cluster: parts, rights, sizes, names and where pods go."""

from __future__ import annotations

import re
import shutil

import pytest
import yaml

from generators.model import names
from generators.model.allocatable import allocatable
from generators.renderers import kubeflow_pipelines
from generators.source import catalog
from generators.source.workspace import Workspace
from tests import fleets
from tests.pipelines import (
    APP,
    CLUSTERS,
    NAMESPACE,
    Object,
    committed,
    container,
    environment,
    inputs,
    mib,
    milli,
    of_kind,
    pod,
    rendered,
    the,
    workloads,
)

ALWAYS = {
    "metadata-envoy-deployment",
    "metadata-grpc-deployment",
    "ml-pipeline",
    "ml-pipeline-persistenceagent",
    "ml-pipeline-ui",
    "workflow-controller",
}
PARTS = {"prod-tokyo": {"ml-pipeline-scheduledworkflow"}, "dev-tokyo": {"ml-pipeline-viewer-crd"}}
ARGO_CRDS = {
    *("clusterworkflowtemplates", "cronworkflows", "workflowartifactgctasks", "workfloweventbindings"),
    *("workflows", "workflowtaskresults", "workflowtasksets", "workflowtemplates"),
}
DAEMON_SETS = {"aws-node": (50, 0), "kube-proxy": (100, 0), "eks-node-monitoring-agent": (10, 30)}
"""Requests in millicores and MiB of what EKS puts on each node: two containers of 25m (amazon-vpc-cni-k8s
charts/aws-vpc-cni/values.yaml, v1.23.1); kube-proxy's and the agent's as EKS's add-ons have them, from memory."""


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_parts_are_those_that_v2_needs_and_that_the_cluster_file_turns_on(name: str) -> None:
    assert {each["metadata"]["name"] for each in of_kind(committed(name), "Deployment")} == ALWAYS | PARTS[name]


@pytest.mark.parametrize("name", CLUSTERS)
def test_nothing_is_kept_on_a_volume_or_in_a_store_of_its_own(name: str) -> None:
    kinds = {each["kind"] for each in committed(name)}
    assert not kinds & {"PersistentVolume", "PersistentVolumeClaim", "StatefulSet", "Secret"}
    images = [container(each)["image"] for each in workloads(committed(name))]
    assert not [image for image in images if re.search(r"minio|seaweedfs|mysqld|alpine", image)]
    # The Job's image holds a server too; only its client runs.
    assert container(the(committed(name), "Job", "database-users"))["command"] == ["/bin/sh", "-ec"]


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_image_is_pinned_and_kubeflow_pipelines_is_of_one_version(name: str) -> None:
    images = [container(each)["image"] for each in workloads(committed(name))]
    images += [
        value for key, value in environment(the(committed(name), "Deployment", "ml-pipeline")).items() if "IMAGE" in key
    ]
    assert all(re.search(r":v?\d+\.\d+", image) for image in images)
    assert {image.rpartition(":")[2] for image in images if "/kfp-" in image} == {"2.17.0"}
    controller = container(the(committed(name), "Deployment", "workflow-controller"))
    [executor] = [each for each in controller["args"] if each.startswith("--executor-image=")]
    assert executor.rpartition(":")[2] == controller["image"].rpartition(":")[2]


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_crd_is_there_in_the_version_that_its_controller_reads(name: str) -> None:
    found = {each["metadata"]["name"]: each for each in of_kind(committed(name), "CustomResourceDefinition")}
    own = {"scheduledworkflows.kubeflow.org"} | ({"viewers.kubeflow.org"} if name == "dev-tokyo" else set())
    assert found.keys() == {f"{plural}.argoproj.io" for plural in ARGO_CRDS} | own
    for full, crd in found.items():
        spec = crd["spec"]
        assert full == f"{spec['names']['plural']}.{spec['group']}"
        [version] = spec["versions"]
        assert version["name"] == ("v1alpha1" if spec["group"] == "argoproj.io" else "v1beta1")
        assert crd["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "-30"


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_pod_is_restricted_bounded_and_stays_on_the_system_nodes(name: str) -> None:
    for each in workloads(committed(name)):
        found, one = pod(each), container(each)
        assert found["securityContext"]["runAsNonRoot"] is True, each["metadata"]["name"]
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert found["nodeSelector"] == {names.ROLE_LABEL: "system"}
        assert [toleration["key"] for toleration in found["tolerations"]] == [names.SYSTEM_TAINT["key"]]
        assert found["priorityClassName"] == the(committed(name), "PriorityClass", APP)["metadata"]["name"]
        assert {"cpu", "memory"} <= one["resources"]["requests"].keys()
        assert "memory" in one["resources"]["limits"]
        assert found["dnsConfig"] == {"options": [{"name": "ndots", "value": "2"}]}
        # Kubernetes' variables of each Service would be read as settings.
        assert found["enableServiceLinks"] is False


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_install_fits_one_c5_xlarge_beside_the_system_daemon_sets(name: str) -> None:
    node = catalog.load(Workspace(fleets.ROOT)).instances["c5.xlarge"]
    left = allocatable(node, node.max_pods)
    pods = [each for each in workloads(committed(name)) for _ in range(each["spec"].get("replicas", 1))]
    requests = [container(each)["resources"]["requests"] for each in pods]
    local = yaml.safe_load((fleets.ROOT / "apps" / "node-local-dns" / "values.yaml").read_text())["resources"][
        "requests"
    ]
    cpu = sum(milli(each["cpu"]) for each in [*requests, local]) + sum(each[0] for each in DAEMON_SETS.values())
    memory = sum(mib(each["memory"]) for each in [*requests, local]) + sum(each[1] for each in DAEMON_SETS.values())
    assert cpu <= left.cpu_milli
    assert memory <= left.memory_mib
    assert len(pods) + len(DAEMON_SETS) + 1 <= left.pods
    # Room for runs too: what is left is more than what is used.
    assert cpu < left.cpu_milli / 2
    assert memory < left.memory_mib * 0.6


@pytest.mark.parametrize("name", CLUSTERS)
def test_everything_that_a_pod_names_is_there(name: str) -> None:
    objects = committed(name)
    there = {(each["kind"], each["metadata"]["name"]) for each in objects}
    there |= {
        ("Secret", each["spec"]["target"].get("name", each["metadata"]["name"]))
        for each in of_kind(objects, "ExternalSecret")
    }
    for each in workloads(objects):
        wanted = {("ServiceAccount", pod(each)["serviceAccountName"])}
        for volume in pod(each)["volumes"]:
            wanted |= {("ConfigMap", volume["configMap"]["name"])} if "configMap" in volume else set()
            wanted |= {("Secret", volume["secret"]["secretName"])} if "secret" in volume else set()
        wanted |= {("Secret", source["secretRef"]["name"]) for source in container(each).get("envFrom", ())}
        for variable in container(each).get("env", ()):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            wanted |= {("Secret", reference["name"])} if reference else set()
        assert wanted <= there, each["metadata"]["name"]
        mounted = {mount["name"] for mount in container(each)["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod(each)["volumes"]}


@pytest.mark.parametrize("name", CLUSTERS)
def test_services_and_budgets_select_one_deployment_each(name: str) -> None:
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in of_kind(committed(name), "Deployment")
    }
    for service in of_kind(committed(name), "Service"):
        wanted = service["spec"]["selector"].items()
        [deployment] = [each for each, found in labels.items() if wanted <= found.items()]
        ports = {each["containerPort"] for each in container(the(committed(name), "Deployment", deployment))["ports"]}
        assert {each["targetPort"] for each in service["spec"]["ports"]} <= ports
    for budget in of_kind(committed(name), "PodDisruptionBudget"):
        wanted = budget["spec"]["selector"]["matchLabels"].items()
        [deployment] = [each for each, found in labels.items() if wanted <= found.items()]
        # One pod at a time, of two: an eviction is always allowed.
        assert the(committed(name), "Deployment", deployment)["spec"]["replicas"] == 2
        assert budget["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_pages_are_at_the_port_that_the_load_balancer_asks(name: str) -> None:
    ui = inputs(name).catalog.apps[APP].ui
    assert ui
    [port] = the(committed(name), "Service", "ml-pipeline-ui")["spec"]["ports"]
    assert port["nodePort"] == ui.node_port
    probe = container(the(committed(name), "Deployment", "ml-pipeline-ui"))["readinessProbe"]["httpGet"]
    assert probe["path"] == ui.health_path


@pytest.mark.parametrize("name", CLUSTERS)
def test_secrets_come_through_the_app_s_own_store(name: str) -> None:
    found = of_kind(committed(name), "ExternalSecret")
    assert len(found) == 4
    for each in found:
        assert each["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": names.secret_store(APP)}
        assert each["spec"]["dataFrom"] == [{"extract": {"key": names.DATABASE_SECRET_KEY}}]


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_order_is_secrets_then_users_then_programs(name: str) -> None:
    def wave(each: Object) -> int:
        return int(each["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", 0))

    objects = committed(name)
    job = the(objects, "Job", "database-users")
    assert job["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "Sync"
    assert "ttlSecondsAfterFinished" not in job["spec"]
    # A hook that waits for ever keeps Argo CD from every later commit, the one that takes the cause back included.
    assert 300 < job["spec"]["activeDeadlineSeconds"] <= 900
    [external] = {each["spec"]["refreshInterval"] for each in of_kind(objects, "ExternalSecret")}
    assert external == "5m"
    before = [
        *of_kind(objects, "ExternalSecret"),
        *(the(objects, "NetworkPolicy", each) for each in ("default-deny", "dns", "database")),
        *(the(objects, "ConfigMap", each) for each in ("rds-ca", "database-users")),
        the(objects, "ServiceAccount", "database-users"),
        the(objects, "PriorityClass", APP),
    ]
    assert max(map(wave, of_kind(objects, "CustomResourceDefinition"))) < min(map(wave, before))
    assert max(map(wave, before)) < wave(job) < min(map(wave, of_kind(objects, "Deployment")))


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_client_of_the_database_verifies_it(name: str) -> None:
    objects = committed(name)
    authorities = the(objects, "ConfigMap", "rds-ca")["data"]["rds-ca.pem"]
    assert authorities.count("BEGIN CERTIFICATE") == 3
    for kind, program in (
        ("Deployment", "ml-pipeline"),
        ("Deployment", "metadata-grpc-deployment"),
        ("Job", "database-users"),
    ):
        found = the(objects, kind, program)
        [mount] = [each for each in container(found)["volumeMounts"] if each["name"] == "rds-ca"]
        assert mount["mountPath"] == "/etc/rds-ca"
    config = yaml.safe_load(the(objects, "ConfigMap", "ml-pipeline-config")["data"]["config.json"])
    assert config["DBConfig"]["MySQLConfig"]["ExtraParams"] == {"tls": "true"}
    assert environment(the(objects, "Deployment", "ml-pipeline"))["SSL_CERT_DIR"].endswith(":/etc/rds-ca")
    store = the(objects, "ExternalSecret", "metadata-database")["spec"]["target"]["template"]["data"]["config.pbtxt"]
    assert 'ca: "/etc/rds-ca/rds-ca.pem"' in store
    assert "verify_server_cert: true" in store
    assert "--ssl-mode=VERIFY_IDENTITY" in container(the(objects, "Job", "database-users"))["args"][0]


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_default_denies_and_every_pod_has_what_it_needs_by_name(name: str) -> None:
    policies = of_kind(committed(name), "NetworkPolicy")
    everything = the(policies, "NetworkPolicy", "default-deny")["spec"]
    assert everything == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    vpc = str(inputs(name).cluster.network.vpc_cidr)
    [to_database] = the(policies, "NetworkPolicy", "database")["spec"]["egress"]
    assert to_database == {"to": [{"ipBlock": {"cidr": vpc}}], "ports": [{"protocol": "TCP", "port": 3306}]}
    [to_pages] = the(policies, "NetworkPolicy", "ml-pipeline-ui")["spec"]["ingress"]
    assert to_pages == {"from": [{"ipBlock": {"cidr": vpc}}], "ports": [{"protocol": "TCP", "port": 3000}]}
    # Instance metadata answers on port 80 of 169.254.169.254: nobody gets out on it.
    for policy in policies:
        for rule in policy["spec"].get("egress", ()):
            wide = [peer for peer in rule["to"] if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"]
            assert not wide or rule["ports"] == [{"protocol": "TCP", "port": 443}]


@pytest.mark.parametrize("name", CLUSTERS)
def test_names_that_are_asked_for_most_need_no_search(name: str) -> None:
    objects = committed(name)
    assert environment(the(objects, "Deployment", "ml-pipeline"))["CLUSTER_DOMAIN"] == "cluster.local."
    ui = environment(the(objects, "Deployment", "ml-pipeline-ui"))
    services = {f"{each['metadata']['name']}.{NAMESPACE}.svc.cluster.local." for each in of_kind(objects, "Service")}
    assert {ui["ML_PIPELINE_SERVICE_HOST"], ui["METADATA_ENVOY_SERVICE_SERVICE_HOST"]} <= services
    envoy = the(objects, "ConfigMap", "metadata-envoy")["data"]["envoy.yaml"]
    [upstream] = re.findall(r"address: (metadata-grpc\S+)", envoy)
    assert upstream in services
    # Signatures and TLS hold these without it.
    assert not [value for value in ui.values() if value.endswith("amazonaws.com.")]


def settings(name: str) -> Object:
    return dict(
        yaml.safe_load(the(committed(name), "ConfigMap", "workflow-controller-configmap")["data"]["workflowDefaults"])[
            "spec"
        ]
    )


@pytest.mark.parametrize("name", CLUSTERS)
def test_tasks_go_to_the_workers_and_outlive_them(name: str) -> None:
    found = settings(name)
    workers = [group for group in inputs(name).cluster.node_groups.values() if names.node_role(group) == "worker"]
    assert workers
    assert found["nodeSelector"] == {names.ROLE_LABEL: "worker"}
    assert found["podMetadata"]["annotations"] == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    retry = found["templateDefaults"]["retryStrategy"]
    assert retry["expression"] == kubeflow_pipelines.RETRY


ONCE: dict[str, str] = {}
"""Inputs of a template that KFP's compiler makes for a task without `set_retry`, as far as the expression asks."""
POD = {"retry-max-count": "3"}
AROUND_POD = {"retry-max-count": "3", "cached-decision": "false"}
"""With it: of the task's pod, and of the DAG around that (backend/src/v2/compiler/argocompiler/container.go)."""


@pytest.mark.parametrize(
    ("message", "code", "given", "again"),
    [
        ("Pod was terminated in response to imminent node shutdown.", "-1", ONCE, True),
        ("pod deleted", "-1", ONCE, True),
        ("Error (exit code 143)", "143", ONCE, True),
        ("Error (exit code 1)", "1", ONCE, False),
        ("OOMKilled (exit code 137)", "137", ONCE, False),
        # A pipeline that asks for retries itself means every failure.
        ("Error (exit code 1)", "1", POD, True),
        # But not six times as many: the DAG around the pod must not begin from the start.
        ("", "-1", AROUND_POD, False),
        ("", "-1", AROUND_POD | {"cached-decision": "true"}, False),
    ],
)
def test_only_what_the_node_did_is_tried_again_unless_a_pipeline_asks(
    message: str, code: str, given: dict[str, str], again: bool
) -> None:
    """The language of the expression is Go's, and was run once by hand: here its few words are put into Python's."""
    text = kubeflow_pipelines.RETRY
    for name, value in given.items():
        text = text.replace(f"{{{{inputs.parameters.{name}}}}}", value)
    text = text.replace("lastRetry.message", f"'{message}'").replace("lastRetry.exitCode", f"'{code}'")
    text = re.sub(r"'([^']*)' matches '([^']*)'", lambda found: str(bool(re.search(found[2], found[1]))), text)
    text = re.sub(r"'([^']*)' == '([^']*)'", lambda found: str(found[1] == found[2]), text)
    assert not set(re.findall(r"\w+", text)) - {"True", "False"}
    assert eval(text.replace("||", "or").replace("&&", "and").replace("!", "not ")) is again  # noqa: S307


def test_taints_that_all_workers_have_are_tolerated_and_those_of_some_are_not(workspace: Workspace) -> None:
    text = fleets.text().replace("prod-tokyo", "demo")
    shared = "    taints: [{key: team.example.com/batch, value: all}]\n"
    text = re.sub(r"(  workers(-on-demand)?:\n)", r"\1" + shared, text)
    found, objects, _ = rendered(workspace, text)
    defaults = yaml.safe_load(the(objects, "ConfigMap", "workflow-controller-configmap")["data"]["workflowDefaults"])
    wanted = {"key": "team.example.com/batch", "operator": "Equal", "value": "all", "effect": "NoSchedule"}
    assert defaults["spec"]["tolerations"] == [wanted]
    shutil.rmtree(workspace.clusters / "demo")
    # Now one of the two groups has none: the other is kept for who asks.
    text = "".join(text.rpartition(shared)[::2])
    _, objects, _ = rendered(workspace, text)
    defaults = yaml.safe_load(the(objects, "ConfigMap", "workflow-controller-configmap")["data"]["workflowDefaults"])
    assert "tolerations" not in defaults["spec"]
    assert found.cluster.name == "demo"
