from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from generators.tools import binaries, build, kustomize
from generators.tools.binaries import TOOLS, Module, ToolFailed, ToolMissing
from tests.tool_needed import needed

GO_THAT_BUILDS = """
[ "$1" = env ] && echo go1.99.0 && exit
for word; do case $word in */) folder=$word;; esac; done
echo "$folder" >> "$LOG"
echo "go: downloading example.com/module v1.0.0" >&2
echo "example.com/module/package" >&2
mkdir -p "$folder" && printf '#!/bin/sh\\n' > "$folder/kustomize" && chmod +x "$folder/kustomize"
cp "$folder/kustomize" "$folder/kubeconform"
cp "$folder/kustomize" "$folder/jsonnetfmt"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any tool: folders `mine` (FLEET_TOOLS), `cache` and `path`, all empty."""
    for variable, name in (("FLEET_TOOLS", "mine"), ("XDG_CACHE_HOME", "cache"), ("PATH", "path")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setattr(build, "SECONDS_BETWEEN_LINES", 0)
    return tmp_path


def program(file: Path, script: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}")
    file.chmod(0o755)
    return file


def in_cache(name: str) -> Path:
    return (TOOLS.cache_folder() or Path()) / name


def test_override_then_cache_then_path(home: Path) -> None:
    assert binaries.find("kustomize") is None
    for file in (home / "path" / "kustomize", in_cache("kustomize"), home / "mine" / "kustomize"):
        program(file)
        assert binaries.find("kustomize") == file


def test_what_cannot_be_run_is_not_found(home: Path) -> None:
    program(home / "mine" / "kustomize").chmod(0o644)
    assert binaries.find("kustomize") is None


def test_a_relative_cache_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert in_cache("x").is_relative_to(Path.home() / ".cache" / "inference-fleet" / "tools")


@pytest.mark.parametrize("changed", ["go.mod", "go.sum"])
def test_the_cache_is_keyed_by_the_versions(changed: str, tmp_path: Path) -> None:
    keys = set()
    for number, text in enumerate(("a", "a", "b")):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in ("go.mod", "go.sum"):
            (folder / name).write_text(text if name == changed else "a")
        keys.add(Module(folder, "tools", "").cache_folder())
    assert len(keys) == 2


def test_the_hints() -> None:
    major, minor = TOOLS.go_needed() or (0, 0)
    make = f"run `make tools` (needs Go {major}.{minor} or newer), or put"
    assert binaries.how_to_get("helm").startswith("run `make control-plane` (needs Go 1.")
    assert binaries.how_to_get("kustomize") == f"{make} kustomize 5 on PATH"
    assert binaries.how_to_get("kubeconform") == f"{make} kubeconform on PATH"
    assert binaries.how_to_get("go").startswith(f"install Go {major}.{minor} or newer")


def test_missing_kustomize(home: Path) -> None:
    with pytest.raises(ToolMissing, match="kustomize is not installed") as caught:
        kustomize.build(home)
    assert caught.value.hint == binaries.how_to_get("kustomize")


@pytest.mark.parametrize("said", ["{Version:kustomize/v4.5.7 GitCommit:x}", "(devel)", ""])
def test_another_kustomize_is_refused(home: Path, said: str) -> None:
    file = program(home / "path" / "kustomize", f"echo '{said}'")
    with pytest.raises(ToolFailed) as caught:
        kustomize.build(home)
    assert f"{file} is version {said or '(unknown)'}, but kustomize 5 is needed" in str(caught.value)
    assert "put kustomize 5 on PATH" in str(caught.value)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


CONFIG = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {mode: slow}}"


def test_kustomize_builds_an_overlay(tmp_path: Path) -> None:
    needed("kustomize")
    write(tmp_path / "base", kustomization="resources: [config.yaml]", config=CONFIG)
    patch = CONFIG.replace("slow", "fast")
    overlay = "{resources: [../base], namespace: apps, patches: [{path: patch.yaml}]}"
    built = kustomize.build(write(tmp_path / "overlay", kustomization=overlay, patch=patch))
    assert "mode: fast" in built
    assert "namespace: apps" in built


def test_kustomize_refuses_a_file_outside(tmp_path: Path) -> None:
    needed("kustomize")
    write(tmp_path / "other", config=CONFIG)
    folder = write(tmp_path / "app", kustomization="resources: [../other/config.yaml]")
    with pytest.raises(ToolFailed, match=r"security; file .* is not in or below"):
        kustomize.build(folder)


def test_a_broken_kustomization_fails_with_its_message(tmp_path: Path) -> None:
    needed("kustomize")
    folder = write(tmp_path / "app", kustomization="resourcez: []")
    with pytest.raises(ToolFailed, match=rf'^kustomize build {folder}: .*unknown field "resourcez"') as caught:
        kustomize.build(folder)
    assert str(caught.value) == str(caught.value).strip()


@pytest.mark.usefixtures("home")
def test_build_without_go(capfd: pytest.CaptureFixture[str]) -> None:
    assert build.main() == 2
    assert capfd.readouterr().err == f"error: go is not installed\nhint: {binaries.how_to_get('go')}\n"


@pytest.mark.parametrize("said", ["go1.20.3", "devel", ""])
def test_build_with_another_go(home: Path, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    go = program(home / "path" / "go", f"echo {said}")
    assert build.main() == 2
    assert f"error: {go} is {said or 'of an unknown version'}, but the tools need Go 1." in capfd.readouterr().err


def test_build_then_nothing_to_do(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    go = program(home / "path" / "go", GO_THAT_BUILDS)
    leftover = write(in_cache("kustomize").parent.with_suffix(".killed.partial"), half="made")
    assert build.main() == 0
    assert "fetched 1 modules, built 1 packages\n" in capfd.readouterr().err
    assert binaries.find("kustomize") == in_cache("kustomize")
    assert binaries.find("kubeconform") == in_cache("kubeconform")
    assert not leftover.exists()
    go.unlink()
    assert build.main() == 0
    assert capfd.readouterr().err == f"tools are up to date: {TOOLS.cache_folder()}\n"


def test_a_deleted_tool_is_built_again(home: Path) -> None:
    program(home / "path" / "go", GO_THAT_BUILDS)
    build.main()
    in_cache("kubeconform").unlink()
    assert build.main() == 0
    assert binaries.find("kubeconform") == in_cache("kubeconform")


def test_a_failed_build_leaves_nothing(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = '[ "$1" = env ] && echo go1.99.0 && exit\necho "go: no such module" >&2; exit 1'
    program(home / "path" / "go", script)
    assert build.main() == 1
    assert "error: go build failed\ngo: no such module\n" in capfd.readouterr().err
    assert [file.suffix for file in in_cache("x").parents[1].iterdir()] == [".lock"]


def test_two_builds_at_once_build_once(home: Path) -> None:
    program(home / "path" / "go", GO_THAT_BUILDS)
    command = [sys.executable, "-m", "generators.tools.build"]
    with build._lock(in_cache("x").parent):
        both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        first_lines = [process.stderr.readline() for process in both if process.stderr]
        assert not (home / "log").exists()
    assert first_lines == ["another build of the tools is under way; waiting for it\n"] * 2
    for process in both:
        process.communicate()
    assert [process.returncode for process in both] == [0, 0]
    assert len((home / "log").read_text().splitlines()) == 1


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_tool_fails_in_ci_and_skips_elsewhere(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises((pytest.fail.Exception, pytest.skip.Exception), match="kubeconform is missing: run") as caught:
        needed("kubeconform")
    assert caught.type is outcome
