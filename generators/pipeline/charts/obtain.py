"""Gets a chart in a version: from an archive or folder, or from its repository by a real helm."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from generators.errors import wrong
from generators.model.base import did_you_mean
from generators.model.catalog import Chart
from generators.pipeline.fleet import Fleet
from generators.source import chart_archive
from generators.source.chart_archive import Packed
from generators.tools import helm
from generators.tools.binaries import ToolFailed, ToolMissing

WHO = "fleet charts index"


def pinned(fleet: Fleet, name: str) -> Chart:
    """The chart as an app of the catalogue pins it. Raises FleetError where none does."""
    charts = {app.chart.name: app.chart for app in fleet.catalog.apps.values() if app.chart}
    if name not in charts:
        hint = did_you_mean(name, charts, "give its app an apps/<app>/app.yaml first: that says where the chart is")
        raise wrong(WHO, f"no app has a chart `{name}`", hint=hint)
    return charts[name]


def packed(chart: Chart, version: str, given: Path | None) -> Packed:
    """The chart in this version, from `given` where that is said. Raises FleetError."""
    found = chart_archive.read(given) if given else _pulled(chart, version)
    if (found.name, found.version) != (chart.name, version):
        what = f"holds {found.name} {found.version}, not {chart.name} {version}"
        raise wrong(str(given or chart.repository), what, hint="say the version that it holds, or get the other one")
    return found


def _pulled(chart: Chart, version: str) -> Packed:
    with TemporaryDirectory(prefix="fleet-") as folder:
        try:
            return chart_archive.read(helm.pull(chart.repository, chart.name, version, Path(folder)))
        except ToolMissing as error:
            raise wrong(WHO, str(error), hint=f"{error.hint}; or give the chart's archive or folder: --from") from None
        except ToolFailed as error:
            hint = "where the repository is out of reach, give the chart's archive or folder: --from"
            raise wrong(chart.repository, " ".join(str(error).split()), hint=hint) from None
