"""A generated folder is whole at every moment: kill -9, full disk, two runs at once, folders that are not ours."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import Result

from generators.errors import FleetError
from generators.output import disk
from generators.output.plan import compare, files
from generators.output.text import MARK
from generators.source.workspace import Workspace
from tests import fleets

OLD = {"README.md": f"{MARK}\n", "a/one.yaml": "1\n", "a/two.yaml": "2\n", "gone.yaml": "x\n"}
NEW = {"README.md": f"{MARK}\n", "a/one.yaml": "1\n", "a/two.yaml": "changed\n", "b/three.yaml": "3\n"}
Fleet = Callable[..., Result]


def write(cluster: Path, texts: dict[str, str]) -> None:
    disk.recover(cluster)
    disk.guard(cluster, "clusters/c")
    disk.apply(cluster, "clusters/c", texts, compare(cluster / disk.GENERATED, texts))


def held(cluster: Path) -> dict[str, str]:
    folder = cluster / disk.GENERATED
    return {path: (folder / path).read_text() for path in files(folder)}


def killed_at(cluster: Path, moment: int) -> bool:
    """Writes NEW in a child that kills itself at its n-th touch of the file system; whether it came so far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, _: object) -> None:
            nonlocal seen
            if event in (
                "open",
                "os.mkdir",
                "os.rename",
                "os.link",
                "os.remove",
                "os.rmdir",
                "os.listdir",
                "os.scandir",
            ):
                seen += 1
                if seen == moment:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        write(cluster, NEW)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_render_killed_at_any_moment_leaves_the_old_or_the_new_folder(tmp_path: Path) -> None:
    moments = 0
    outcomes = set()
    while True:
        cluster = tmp_path / f"c{moments}"
        cluster.mkdir()
        write(cluster, OLD)
        if not killed_at(cluster, moments + 1):
            break
        moments += 1
        disk.recover(cluster)
        assert held(cluster) in (OLD, NEW)
        outcomes.add(held(cluster) == NEW)
        write(cluster, NEW)
        assert held(cluster) == NEW
        assert sorted(path.name for path in cluster.iterdir()) == [disk.GENERATED]
    assert moments > 15
    assert outcomes == {True, False}


def test_unchanged_files_are_not_rewritten(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    before = {path: (tmp_path / "generated" / path).stat().st_ino for path in OLD}
    write(tmp_path, NEW)
    after = {path: (tmp_path / "generated" / path).stat().st_ino for path in NEW}
    assert after["a/one.yaml"] == before["a/one.yaml"]
    assert after["a/two.yaml"] != before["a/two.yaml"]


def test_a_file_system_that_refuses_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(FleetError) as caught:
            write(tmp_path, NEW | {"large.yaml": "x" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "clusters/c/generated: cannot be written: File too large" in str(caught.value)
    assert "nothing was changed" in str(caught.value)
    assert held(tmp_path) == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == [disk.GENERATED]


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No real full disk can be had without mounting one: the error is raised by a stand-in for the write."""
    write(tmp_path, OLD)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FleetError, match="No space left on device") as caught:
        write(tmp_path, NEW)
    assert "hint: free some space; nothing was changed" in str(caught.value)
    assert held(tmp_path) == OLD


def test_a_folder_that_fleet_did_not_make_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "generated" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(FleetError, match=r"has no README.md made by fleet"):
        write(tmp_path, NEW)
    assert held(tmp_path) == {"notes.txt": "mine"}


@pytest.mark.parametrize("where", ["generated", "generated/a"])
def test_symbolic_links_are_refused(tmp_path: Path, where: str) -> None:
    outside, cluster = tmp_path / "outside", tmp_path / "c"
    outside.mkdir()
    cluster.mkdir()
    write(cluster, {"README.md": f"{MARK}\n"})
    if where == "generated":
        disk.remove_folder(cluster / where, "x")
    (cluster / where).symlink_to(outside)
    with pytest.raises(FleetError, match=r"is (not a real folder|neither a file nor a folder)"):
        write(cluster, NEW)
    assert list(outside.iterdir()) == []


def test_two_renders_at_once_do_not_mix(workspace: Workspace, fleet: Fleet) -> None:
    names = fleets.many(workspace, 8)
    assert fleet("render").exit_code == 0
    command = [str(Path(sys.executable).parent / "fleet"), "render"]
    for round_number in range(3):
        for name in names:
            path = workspace.clusters / name / "cluster.yaml"
            path.write_text(path.read_text().replace(f"max: {400 - round_number}", f"max: {399 - round_number}"))
        with ThreadPoolExecutor(3) as threads:
            runs = list(threads.map(lambda _: subprocess.run(command, capture_output=True, check=False), range(3)))
        assert [run.returncode for run in runs] == [0, 0, 0], [run.stderr for run in runs]
        assert fleet("render", "--check").exit_code == 0


def test_a_read_only_folder_is_told_and_left(workspace: Workspace) -> None:
    folder = fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    folder.chmod(0o555)
    with without_root(workspace.root), pytest.raises(FleetError) as caught:
        write(folder, NEW)
    assert "clusters/c/generated: cannot be written: Permission denied" in str(caught.value)
    assert "hint: make the folder writable; nothing was changed" in str(caught.value)
    assert sorted(path.name for path in folder.iterdir()) == ["cluster.yaml"]


@contextmanager
def without_root(root: Path) -> Iterator[None]:
    """Root may write everywhere; so it becomes nobody for a while, who may walk to the checkout."""
    if os.geteuid() != 0:
        yield
        return
    for parent in root.parents:
        if parent.stat().st_mode & 0o777 == 0o700:
            parent.chmod(0o711)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
