"""A study in the terminal: its arms averaged over training runs, and the claims' verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from . import study_grids, words
from .escaping import sentence
from .fitted_table import plain_table

if TYPE_CHECKING:
    from rich.console import Console

    from .report_input import ReportInput

STYLES = {"confirmed": "green", "contradicted": "red", "undecided": "dim"}


def print_study(report: ReportInput, console: Console) -> None:
    """Print what the study lacks, a row per arm, and a verdict with the measurement per claim."""
    for note in report.notes:
        console.print(Text(sentence(note), style="yellow"), highlight=False)
    grid = study_grids.arm_grid(report.arm_means, report.comparison.source)
    table = plain_table("Mean change in points over training runs (95 % interval)")
    table.add_column(grid.head[0], overflow="fold")
    for title in grid.head[1:4]:
        table.add_column(Text(title), justify="right", no_wrap=True)
    for row in grid.rows:
        table.add_row(*map(Text, row[:4]))
    console.print(table)
    console.print()
    console.print(Text("The paper's claims, at this scale", style="bold"))
    for claim, verdict, measured, interval, threshold, runs in study_grids.claim_grid(
        report.claims
    ).rows:
        decided, _, why = verdict.partition(" ")
        console.print(Text.assemble((decided, STYLES.get(decided, "")), f": {claim}"))
        said = f"measured {measured}, 95 % interval {interval}, threshold {threshold}, runs {runs}"
        console.print(Padding(Text(f"{said} {why}".strip()), (0, 0, 0, 2)), highlight=False)
    console.print(Text(words.MEASURES["arms"], style="dim"), highlight=False)
