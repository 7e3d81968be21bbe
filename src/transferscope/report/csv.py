"""The comparison as a flat table: one row per tuned model and benchmark."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from ..core.typed_record import plain
from .escaping import sentence

if TYPE_CHECKING:
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

_FORMULA = tuple("=+-@＝＋－＠")


def render_csv(report: ReportInput) -> str:
    """CSV text; scores are in percent, changes in points, and cells without a value empty."""
    comparison = report.comparison
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for result in comparison.tuned:
        for row in result.benchmarks:
            cells = plain(row)
            low, high = cells["ci"] or ("", "")
            flips = cells["flips"] or {}
            names = {"model": _text(result.model), "base_model": _text(comparison.base)}
            names |= {"group": _text(row.group), "benchmark": _text(row.benchmark)}
            writer.writerow(cells | flips | {"ci_low": low, "ci_high": high} | names)
    return out.getvalue()


def _text(value: str) -> str:
    """A name as a cell, without escape codes and not readable as a spreadsheet formula."""
    shown = sentence(value)
    return f"'{shown}" if shown[:1] in _FORMULA else shown
