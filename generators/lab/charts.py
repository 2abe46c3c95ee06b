"""Charts that lie elsewhere: which of them Argo CD gets, and which are left out."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from generators.lab import Charts
from generators.model.catalog import Chart, Inputs

ANSWER_SECONDS = 5.0
UNAUTHORISED = 401


def left_out(inputs: Inputs, choice: Charts = "none") -> dict[str, str]:
    """Apps whose third-party charts Argo CD does not get in a lab, each with the reason."""
    charts = {name: app.chart for name, app in inputs.apps().items() if app.chart}
    if choice == "all":
        return {}
    if choice == "none":
        return {name: _where(chart) for name, chart in charts.items()}
    silent = _silent({chart.repository for chart in charts.values()})
    reasons = {name: silent.get(chart.repository) for name, chart in charts.items()}
    return {name: f"{_where(charts[name])}: {reason}" for name, reason in reasons.items() if reason}


def _where(chart: Chart) -> str:
    return f"its chart {chart.name} {chart.version} is at {chart.repository}"


def _silent(repositories: Iterable[str]) -> dict[str, str]:
    """Those of the repositories that do not answer from here, each with what was said instead."""
    asked = sorted(repositories)
    with ThreadPoolExecutor(max_workers=len(asked) or 1) as several:
        return {repository: said for repository, said in zip(asked, several.map(_asked, asked), strict=True) if said}


def _asked(repository: str) -> str:
    """Nothing where the repository has an index, or is an OCI registry, which may ask for a sign-in first."""
    index = repository.startswith(("http://", "https://"))
    url = f"{repository.rstrip('/')}/index.yaml" if index else f"https://{repository.partition('/')[0]}/v2/"
    try:
        # As helm does it: by the proxies of the environment.
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=ANSWER_SECONDS):  # noqa: S310 (http, https)
            return ""
    except urllib.error.HTTPError as error:
        return "" if error.code == UNAUTHORISED and not index else str(error)
    except urllib.error.URLError as error:
        return str(error.reason)
    except OSError as error:
        return str(error)
