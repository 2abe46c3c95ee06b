"""What became of all movies: figures, and a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from inference_worker.stages import Report

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5rem; color: #1c1c1c; background: #fff }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .3rem .8rem; text-align: left;
border-bottom: 1px solid #ddd; vertical-align: top } td.n, th.n { text-align: right } .bad { color: #a40000 }
.bar { display: inline-block; height: .7em; background: #3b6fb6; margin-right: .4em }
"""


def metrics(reports: Sequence[Report]) -> dict[str, float]:
    """Figures across the movies: movies, failed, frames, seconds, and the share of each label among all frames."""
    labels = _labels(reports)
    frames = sum(labels.values())
    whole = {
        "movies": len(reports),
        "movies_failed": sum(1 for report in reports if report.problem),
        "frames": frames,
        "movie_seconds": round(sum(report.seconds for report in reports), 3),
    }
    return whole | {f"share_{label}": round(count / frames, 6) for label, count in labels.items()}


def page(title: str, reports: Sequence[Report]) -> str:
    """One HTML page that needs nothing from elsewhere: failures first, then labels, then every movie."""
    reports = sorted(reports, key=lambda report: (not report.problem, report.movie))
    failed = [report for report in reports if report.problem]
    head = f"{len(reports) - len(failed)} of {len(reports)} movies done"
    rows = "".join(_row(report) for report in reports)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{head}{f', <span class=bad>{len(failed)} failed</span>' if failed else ''}.</p>"
        f"{_shares(reports)}"
        f'<table><tr><th>movie<th class="n">frames<th>labels<th>results</tr>{rows}</table></html>'
    )


def _labels(reports: Sequence[Report]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for report in reports:
        found.update(report.labels or {})
    return dict(sorted(found.items()))


def _shares(reports: Sequence[Report]) -> str:
    labels = _labels(reports)
    most = max(labels.values(), default=1)
    rows = "".join(
        f'<tr><td>{escape(label)}<td class="n">{count}<td><span class="bar" style="width:{12 * count / most:.1f}em">'
        f"</span></tr>"
        for label, count in labels.items()
    )
    return f'<table><tr><th>label<th class="n">frames<th></tr>{rows}</table>' if rows else ""


def _row(report: Report) -> str:
    movie = f"<tr><td>{escape(report.movie)}"
    if report.problem:
        return f'{movie}<td colspan="3" class="bad">{escape(report.problem)}</tr>'
    labels = ", ".join(f"{escape(label)} {count}" for label, count in (report.labels or {}).items())
    return (
        f'{movie}<td class="n">{report.frames}<td>{labels}<td>{escape(report.results)}<br>{escape(report.sheet)}</tr>'
    )
