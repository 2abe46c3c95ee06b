"""How jsonnet is written here: as jsonnetfmt writes it, and no wider than other files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from generators.tools.jsonnet_format import files, main
from tests.fleets import ROOT
from tests.tool_needed import needed

FILES = list(files(ROOT))
WIDTH = 120


@pytest.mark.parametrize(
    "path", [each for each in FILES if each.is_relative_to(ROOT / "apps")], ids=lambda path: str(path.relative_to(ROOT))
)
def test_lines_fit(path: Path) -> None:
    assert [line for line in path.read_text(encoding="utf-8").splitlines() if len(line) > WIDTH] == []


def test_jsonnet_is_formatted() -> None:
    assert len(FILES) > 20
    done = subprocess.run([needed("jsonnetfmt"), "--test", *FILES], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), "mend it with: make fmt"


def test_make_fmt_mends_it(tmp_path: Path) -> None:
    needed("jsonnetfmt")
    written = tmp_path / "apps" / "lib" / "a.libsonnet"
    written.parent.mkdir(parents=True)
    (tmp_path / "terraform").mkdir()
    written.write_text('{ a: "b",\n\tc:1}')
    assert main(tmp_path) == 0
    assert written.read_text(encoding="utf-8") == "{\n  a: 'b',\n  c: 1,\n}\n"


def test_without_the_program_nothing_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("FLEET_TOOLS", "PATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    assert main(ROOT) == 0
    assert "make tools" in capsys.readouterr().err
