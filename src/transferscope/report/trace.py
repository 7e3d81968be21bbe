"""Gains over the steps of a training run: a table in the terminal, and one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from ..core.errors import InputError
from ..core.files import read_text, write_atomically
from . import figures, views, words
from .html import render_page
from .terminal import plain_table
from .text import name

if TYPE_CHECKING:
    from ..compare import Comparison

MARK = '<p class="eyebrow">transferscope'
"""What stands above every page (templates/)."""
REMEDY = "move it, or name another --out"
Rows = Sequence[Mapping[str, Any]]


def trace_grid(rows: Rows) -> views.Grid:
    """A row per step: each group's gain with its interval, retention, KL."""
    groups = list(dict.fromkeys(group for row in rows for group in row["gain"]))
    heads = [f"{words.group_name(group)}, points" for group in groups]
    return views.Grid(
        ("step", *heads, "retention", "KL(tuned ‖ base)"),
        tuple(
            (
                str(row["step"]),
                *(_gain(row["gain"].get(group), row["ci"].get(group)) for group in groups),
                _gain(row["retention"], row["retention_ci"]),
                views.digits(row["kl"]),
            )
            for row in rows
        ),
    )


def trace_figures(rows: Rows) -> tuple[list[str], list[figures.Figure]]:
    """Group labels, and the charts of gain and KL over steps; every run begins at 0, 0."""
    gains = [
        {"model": words.group_name(group), "x": row["step"], "y": value}
        for row in [_start(rows), *rows]
        for group, value in row["gain"].items()
    ]
    labels = list(dict.fromkeys(point["model"] for point in gains))
    spec = figures.curves(gains, labels, "step", "change from the base, points")
    made = [figures.Figure("trace-gain", "Change of every group", "Step 0 is the base.", spec)]
    kl = [
        {"model": "KL", "x": row["step"], "y": row["kl"]}
        for row in [_start(rows), *rows]
        if row["kl"] is not None
    ]
    if len(kl) > 1:
        spec = figures.curves(kl, ["KL"], "step", "nats per token")
        caption = "Along the base's own answers; means over answers."
        made.append(figures.Figure("trace-kl", "KL(tuned ‖ base)", caption, spec))
    return labels, made


def check_page(out: Path) -> None:
    """Raise :class:`InputError` where the ``report.html`` in ``out`` is not one of ours."""
    path = out / "report.html"
    if path.exists() and MARK not in read_text(path, remedy=REMEDY):
        raise InputError("is another tool's page", place=str(path), remedy=REMEDY)


def write_trace(out: Path, comparison: Comparison, rows: Rows) -> Path:
    """``report.html`` in ``out``; returns its path."""
    labels, charts = trace_figures(rows)
    page = render_page(
        "probe.html.j2",
        title=f"{name(comparison.base)} over {len(rows)} checkpoints",
        intro=words.MEASURES["plane"],
        legends=[(label, at) for at, label in enumerate(labels)],
        charts=charts,
        grids=[("In numbers", trace_grid(rows))],
        folded=[],
        cloud=None,
        passages=[],
        small=words.MEASURES["interval"],
    )
    write_atomically(out / "report.html", page)
    return out / "report.html"


def print_trace(rows: Rows, console: Console) -> None:
    """The table, 80 columns."""
    grid = trace_grid(rows)
    table = plain_table("Change from the base over the steps (95 % intervals)")
    for head in grid.head:
        table.add_column(head, justify="right", overflow="fold")
    for row in grid.rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _start(rows: Rows) -> Mapping[str, Any]:
    gain = {group: 0.0 for row in rows for group in row["gain"]}
    return {"step": 0, "gain": gain, "kl": 0.0}


def _gain(value: float | None, ci: Sequence[float] | None) -> str:
    if value is None:
        return "n/a"
    if ci is None:
        return words.signed(value)
    return f"{words.signed(value)} ({words.interval((ci[0], ci[1]), 0)})"
