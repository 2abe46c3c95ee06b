"""Measures generators and worker against peers in the same run, and prints ratios: `make bench`.

Machines are noisy, so nothing here is a time to meet; each row is a ratio to something else that ran just before.
Exit code 1 where a ratio is over its limit.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import fleet_size, predict, start_up, validation, worker
from tests.bench.measure import Row


def main() -> int:
    """Runs every benchmark and prints one table."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as folder:
        for name, run in (
            ("start-up", start_up.rows),
            ("fleet size", fleet_size.rows),
            ("validation", validation.rows),
            ("worker", worker.rows),
            ("prediction", predict.rows),
        ):
            sys.stderr.write(f"measuring {name} …\n")
            rows += run(Path(folder))
    width = max(len(row.what) for row in rows)
    for row in rows:
        limit = f"limit {row.limit:g}" if row.limit else ""
        verdict = "" if not row.limit else "ok" if row.ratio <= row.limit else "OVER"
        sys.stdout.write(f"{row.what:{width}}  {row.ratio:8.2f}  {limit:10} {verdict:5} {row.detail}\n")
    return 1 if any(row.limit and row.ratio > row.limit for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
