"""A control plane that a person has already, in the folder that `KUBEBUILDER_ASSETS` names."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from generators.tools import binaries, build
from generators.tools.binaries import CONTROL_PLANE, DNS, ENVTEST, ENVTEST_PROGRAMS
from tests.test_tools import program

VERSION = CONTROL_PLANE.kubernetes()
SAID = {
    "etcd": f"etcd Version: {CONTROL_PLANE.version('go.etcd.io/etcd/server/v3')}\nGit SHA: 1.2.3",
    "kube-apiserver": f"Kubernetes v{VERSION}",
    "kubectl": f"Client Version: v{VERSION}\nKustomize Version: v5.8.1",
}
GO = """
[ "$1" = env ] && echo go1.99.0 && exit
for word; do
  case $word in */) folder=$word;; -*) ;; *) echo "$word" >> "$LOG"; packages="$packages $word";; esac
done
mkdir -p "$folder"
for package in $packages; do printf '#!/bin/sh\\n' > "$folder/${package##*/}"; chmod +x "$folder/${package##*/}"; done
"""


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Go, and with etcd, kube-apiserver and kubectl of the pinned versions from envtest."""
    for variable, name in (("FLEET_TOOLS", "mine"), ("XDG_CACHE_HOME", "cache"), ("PATH", "path"), (ENVTEST, "k8s")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    program(tmp_path / "path" / "go", GO)
    for name, said in SAID.items():
        program(tmp_path / "k8s" / name, f"echo {shlex.quote(said)}")
    return tmp_path / "k8s"


def test_it_is_found_before_the_cache_and_for_its_programs_alone(assets: Path) -> None:
    cache = CONTROL_PLANE.cache_folder() or Path()
    for name in (*ENVTEST_PROGRAMS, "kwok"):
        program(cache / name)
        program(assets / name)
    assert {name: binaries.find(name) for name in ENVTEST_PROGRAMS} == {
        name: assets / name for name in ENVTEST_PROGRAMS
    }
    assert binaries.find("kwok") == cache / "kwok"
    mine = program(assets.parent / "mine" / "etcd")
    assert binaries.find("etcd") == mine


def test_what_was_brought_is_told_and_not_built(assets: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert build.main(CONTROL_PLANE) == 0
    asked = {word.rpartition("/")[2] for word in (assets.parent / "log").read_text().split()} - {"build"}
    assert asked >= {"kwok", "helm", "argocd", "kube-scheduler", "kube-controller-manager"}
    assert not asked & ENVTEST_PROGRAMS
    told = capfd.readouterr().err
    for name in ENVTEST_PROGRAMS:
        assert f"taken from {ENVTEST}, not built: {assets / name}, which is " in told
    assert ", not " not in told.replace(", not built", "")
    assert build.main(CONTROL_PLANE) == 0
    assert "tools are up to date" in capfd.readouterr().err


@pytest.mark.usefixtures("assets")
def test_without_them_the_rest_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    build.main(CONTROL_PLANE)
    monkeypatch.delenv(ENVTEST)
    assert binaries.find("etcd") is None
    assert build.main(CONTROL_PLANE) == 0
    assert binaries.find("etcd") == (CONTROL_PLANE.cache_folder() or Path()) / "etcd"


@pytest.mark.parametrize(
    ("name", "says", "told"),
    [
        ("kube-apiserver", "Kubernetes v1.33.1", f"kube-apiserver, which is 1.33.1, not {VERSION}\n"),
        ("etcd", "devel", f"etcd, which is of an unknown version, not {SAID['etcd'].split()[2]}\n"),
    ],
)
def test_another_version_is_told(
    name: str, says: str, told: str, assets: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program(assets / name, f"echo {says}")
    assert build.main(CONTROL_PLANE) == 0
    assert told in capfd.readouterr().err


def test_a_program_that_does_not_run_is_told(assets: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program(assets / "etcd", "echo 'wrong machine' >&2; exit 1")
    assert build.main(CONTROL_PLANE) == 2
    assert "error: etcd --version: wrong machine" in capfd.readouterr().err


def test_coredns_comes_with_the_control_plane() -> None:
    assert set(DNS.pinned()) == {"coredns"}
    assert binaries.how_to_get("coredns").startswith("run `make control-plane` (needs Go 1.")
