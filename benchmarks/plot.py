"""Plots of the results as SVG: `python -m benchmarks.plot` draws those of the stored run anew."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pygal  # type: ignore[import-untyped]
from pygal.etree import etree  # type: ignore[import-untyped]
from pygal.style import Style  # type: ignore[import-untyped]

from .figures import LIMIT, Results, stored
from .goals import cost
from .growth import ANY, EQUAL
from .throughput import JOBS

# Its importer of maps speaks a protocol that Python no longer does: every later import that fails would say so.
sys.meta_path[:] = [each for each in sys.meta_path if type(each).__module__ != pygal.__name__]

FOLDER = Path(__file__).parent / "results"
_STYLE = Style(
    background="#ffffff", plot_background="#ffffff", font_family="sans-serif", opacity="1", opacity_hover="1",
    colors=("#c2410c", "#374151", "#0f766e", "#5eada5", "#7c3aed", "#2563eb", "#93b4ee"),
)  # fmt: skip
_LEAST_MILLISECONDS = 0.1


def speed(results: Results) -> pygal.Bar:
    """Return the ratios of every server at every job to what the raw application answers."""
    chart = pygal.Bar(**_looks(f"Answers per second at 32 connections, x {LIMIT}"))
    chart.x_labels = list(JOBS)
    for server in dict.fromkeys(server for job in JOBS for server in results.servers(job)):
        ratios = [results.ratio(job, "rate", server, LIMIT, 32) for job in JOBS]
        chart.add(server, [None if ratio is None else round(ratio, 3) for ratio in ratios])
    return chart


def lateness(results: Results) -> pygal.Bar:
    """Return p50 and p99 of creations and polls at 32 connections, on a logarithmic scale."""
    shown = [(job, quantity) for job in ("creation", "polling") for quantity in ("p50", "p99")]
    rows = {
        server: [results.find(job, quantity, server, 32) for job, quantity in shown]
        for server in results.servers("creation")
    }
    most = max((value or 0.0 for values in rows.values() for value in values), default=1.0)
    looks = _looks("Milliseconds to an answer at 32 connections")
    chart = pygal.Bar(logarithmic=True, zero=_LEAST_MILLISECONDS, range=(_LEAST_MILLISECONDS, most), **looks)
    chart.x_labels = [f"{job}, {quantity}" for job, quantity in shown]
    chart.y_labels = [power * digit for power in (0.1, 1, 10, 100) for digit in (1, 3) if power * digit <= most]
    for server, values in rows.items():
        chart.add(server, [None if value is None else round(value, 2) for value in values])
    return chart


def growth(results: Results) -> pygal.Line:
    """Return what an answer costs beside ever more tasks and rules, on a logarithmic scale."""
    lines = {
        "polling, by tasks": cost(results, "tasks, polling"),
        "creation, by tasks": cost(results, "tasks, creation"),
        "creation, by equal rules": cost(results, EQUAL),
        "creation, by any rules": cost(results, ANY),
    }
    amounts = sorted({at for costs in lines.values() for at in costs})
    chart = pygal.Line(logarithmic=True, **_looks("What an answer costs beside more tasks or rules, x the fewest"))
    chart.x_labels = [f"{at:,}" for at in amounts]
    for title, costs in lines.items():
        chart.add(title, [round(costs[at], 3) if at in costs else None for at in amounts])
    return chart


def _looks(title: str) -> dict[str, object]:
    # Names that do not change: the same figures give the same bytes.
    return {
        "title": title, "style": _STYLE, "no_prefix": True, "width": 900, "height": 420,
        "legend_at_bottom": True, "legend_at_bottom_columns": 4, "truncate_legend": -1,
    }  # fmt: skip


PLOTS: dict[str, Callable[[Results], pygal.graph.graph.Graph]] = {
    "speed": speed, "lateness": lateness, "growth": growth,
}  # fmt: skip


def drawn(results: Results) -> dict[str, bytes]:
    """Return every plot, by the name of its file."""
    etree.to_etree()  # lxml, which it would prefer where there is any, writes the same otherwise
    charts = {f"{name}.svg": plot(results) for name, plot in PLOTS.items()}
    for chart in charts.values():
        chart.add_xml_filter(_plain)
    return {name: chart.render() for name, chart in charts.items()}


def _plain(root: Any) -> Any:
    """Return a plot without scripts, and without the comments, which tell the day."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == "script" or not isinstance(child.tag, str):
                parent.remove(child)
    return root


def draw(results: Results, folder: Path = FOLDER) -> None:
    """Write every plot into `folder`."""
    for name, content in drawn(results).items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    draw(stored())
