"""Gains over the steps of a training run, as a terminal table and an HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from ..core.errors import InputError
from ..core.files import read_text, write_atomically
from . import views, words
from .chart_data import Curves, model_mark
from .escaping import name
from .figures import Figure
from .fitted_table import plain_table
from .html import render_page

if TYPE_CHECKING:
    from ..compare import Comparison

MARK = '<p class="eyebrow">transferscope'
"""Start of the header on each of our pages (templates/)."""
REMEDY = "move it, or name a different folder with --out"
Rows = Sequence[Mapping[str, Any]]


def trace_grid(rows: Rows) -> views.Grid:
    """Table with a row per step: each group's gain with its interval, retention and KL.

    If all rows have intervals that hold over all looks (:func:`joint`), those are shown.
    """
    ci, retention_ci = ("bound", "retention_bound") if joint(rows) else ("ci", "retention_ci")
    groups = list(dict.fromkeys(group for row in rows for group in row["gain"]))
    heads = [f"{words.group_name(group)}, points" for group in groups]
    return views.Grid(
        ("step", *heads, "retention", "KL(tuned ‖ base)"),
        tuple(
            (
                str(row["step"]),
                *(_gain(row["gain"].get(group), row[ci].get(group)) for group in groups),
                _gain(row["retention"], row[retention_ci]),
                views.digits(row["kl"]),
            )
            for row in rows
        ),
    )


def joint(rows: Rows) -> bool:
    """Whether all rows have bounds that hold over all looks; older files don't."""
    return bool(rows) and all(row.get("bound") is not None for row in rows)


def trace_verdicts(rows: Rows) -> list[str]:
    """One sentence per group other than the source: whether a loss is established.

    It names the number of looks and has no full stop.
    """
    if not joint(rows):
        return []
    looks = _looks(rows)
    told = []
    for group, lowest in rows[-1]["lowest"].items():
        what = words.group_name(group)
        first = next((row for row in rows if row["lowest"].get(group, 0.0) < 0.0), None)
        if first is None:
            told.append(f"{what}: no loss established over {looks}")
            continue
        told.append(
            f"{what}: loss established over {looks} (first shown at step {first['step']}): at one "
            f"or more of them the true change was below {words.number(lowest)} points"
        )
    return told


def trace_figures(rows: Rows) -> tuple[list[str], list[Figure]]:
    """Group labels, and the charts of gain and KL over steps; every run begins at 0, 0."""
    gains = [
        {"model": words.group_name(group), "x": row["step"], "y": value}
        for row in [_start(rows), *rows]
        for group, value in row["gain"].items()
    ]
    labels = list(dict.fromkeys(point["model"] for point in gains))
    chart = Curves(gains, labels, ("step", "change from the base, points"))
    made = [Figure("trace-gain", "Change of every group", "Step 0 is the base.", chart)]
    kl = [
        {"model": "KL", "x": row["step"], "y": row["kl"]}
        for row in [_start(rows), *rows]
        if row["kl"] is not None
    ]
    if len(kl) > 1:
        chart = Curves(kl, ["KL"], ("step", "nats per token"))
        caption = "Along the base's own answers; means over answers."
        made.append(Figure("trace-kl", "KL(tuned ‖ base)", caption, chart))
    return labels, made


def check_page(out: Path) -> None:
    """Raise :class:`InputError` if the ``report.html`` in ``out`` is not a transferscope page."""
    path = out / "report.html"
    if path.exists() and MARK not in read_text(path, remedy=REMEDY):
        raise InputError("is not a transferscope page", place=str(path), remedy=REMEDY)


def write_trace(out: Path, comparison: Comparison, rows: Rows) -> Path:
    """Write ``report.html`` into ``out`` and return its path."""
    labels, charts = trace_figures(rows)
    page = render_page(
        "probe.html.j2",
        title=f"{name(comparison.base)} over {len(rows)} checkpoints",
        intro=" ".join(
            [
                *(f"{told[0].upper()}{told[1:]}." for told in trace_verdicts(rows)),
                words.MEASURES["plane"],
            ]
        ),
        legends=[(label, model_mark(at)) for at, label in enumerate(labels)],
        charts=charts,
        grids=[("In numbers", trace_grid(rows))],
        folded=[],
        cloud=None,
        passages=[],
        small=_small(rows),
    )
    write_atomically(out / "report.html", page)
    return out / "report.html"


def print_trace(rows: Rows, console: Console) -> None:
    """Print the table (80 columns) and the verdicts."""
    grid = trace_grid(rows)
    what = f"95 % intervals that hold over {_looks(rows)}" if joint(rows) else "95 % intervals"
    table = plain_table(f"Change from the base over the steps ({what})")
    for head in grid.head:
        table.add_column(head, justify="right", overflow="fold")
    for row in grid.rows:
        table.add_row(*map(Text, row))
    console.print(table)
    for told in trace_verdicts(rows):
        console.print(Text(told))


def _looks(rows: Rows) -> str:
    return "1 look" if len(rows) == 1 else f"{len(rows)} looks"


def _small(rows: Rows) -> str:
    if not joint(rows):
        return words.MEASURES["interval"]
    return (
        f"The same questions were asked at {_looks(rows)}, and among many looks some differ from "
        "the base by chance. These intervals allow for that: the chance that a group's interval "
        "misses the true change at any look is at most 5 %. They are therefore wider than those "
        "of a single comparison, and only they establish a loss."
    )


def _start(rows: Rows) -> Mapping[str, Any]:
    gain = {group: 0.0 for row in rows for group in row["gain"]}
    return {"step": 0, "gain": gain, "kl": 0.0}


def _gain(value: float | None, ci: Sequence[float] | None) -> str:
    if value is None:
        return "n/a"
    if ci is None:
        return words.signed(value)
    return f"{words.signed(value)} ({words.interval((ci[0], ci[1]), 0)})"
