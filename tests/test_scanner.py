"""A security scanner reads the Terraform code: nothing found, and each exception stands in the code with its reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fleets import ROOT

SHORTEST_REASON = 20
OPEN_BUCKET = """
resource "aws_s3_bucket" "open" {
  bucket = "open"
  acl    = "public-read"
}
"""


def scan(folder: Path) -> dict[str, Any]:
    """What checkov found: lists of `passed_checks`, `failed_checks`, `skipped_checks` and `parsing_errors`."""
    command = [sys.executable, "-m", "checkov.main", "--framework", "terraform", "--skip-download", "--output", "json"]
    done = subprocess.run(
        [*command, "--directory", folder],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
    )
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    results: dict[str, Any] = said["results"]
    return results


def test_nothing_found_and_every_exception_has_its_reason() -> None:
    found = scan(ROOT / "terraform")
    assert found["parsing_errors"] == []
    assert [(each["check_id"], each["resource"], each["check_name"]) for each in found["failed_checks"]] == []
    read = {each["resource"].split(".")[1] for each in found["passed_checks"] if each["resource"].startswith("module.")}
    assert read >= {"cluster", "database[0]", "identity", "network", "node_groups", "storage"}
    for each in found["skipped_checks"]:
        reason = each["check_result"]["suppress_comment"]
        assert len(reason) >= SHORTEST_REASON, f"{each['file_path']}: {each['check_id']}: say why"


def test_the_scanner_sees_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(OPEN_BUCKET)
    assert "CKV_AWS_20" in {each["check_id"] for each in scan(tmp_path)["failed_checks"]}
