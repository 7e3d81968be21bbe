"""The comparison as a flat table: one row per tuned model and benchmark."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from ..core.typed_record import plain
from .escaping import sentence

if TYPE_CHECKING:
    from ..documents.comparison import Comparison
    from .report_input import ReportInput

COLUMNS = (
    "model",
    "base_model",
    "group",
    "benchmark",
    "n",
    "base",
    "tuned",
    "delta",
    "ci_low",
    "ci_high",
    "test",
    "p",
    "p_holm",
    "mde",
    "clean_delta",
    "clean_n",
    "artefact_points",
    "lost",
    "won",
)

_NAMES = ("model", "base_model", "group", "benchmark")
_FORMULA = tuple("=+-@＝＋－＠")


def render_csv(report: ReportInput) -> str:
    """Scores and changes in percent and points; a cell is empty where there is no value."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in flat_rows(report.comparison):
        writer.writerow(row | {name: _text(row[name]) for name in _NAMES})
    return out.getvalue()


def flat_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One row per tuned model and benchmark with :data:`COLUMNS`; ``None`` is a missing value."""
    rows = []
    for result in comparison.tuned:
        for change in result.benchmarks:
            cells = plain(change)
            low, high = cells["ci"] or (None, None)
            cells |= (cells["flips"] or {}) | {"ci_low": low, "ci_high": high}
            cells |= {"model": result.model, "base_model": comparison.base}
            rows.append({name: cells.get(name) for name in COLUMNS})
    return rows


def _text(value: str) -> str:
    """A name as a cell, without escape codes and not readable as a spreadsheet formula."""
    shown = sentence(value)
    return f"'{shown}" if shown[:1] in _FORMULA else shown
