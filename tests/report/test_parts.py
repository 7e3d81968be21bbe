"""Rows that say where a change comes from, in points that add up as they are shown."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import sample
from rich.console import Console

from transferscope.core.attribution import Attribution, Causes
from transferscope.documents.comparison import Answered, FlagCounts, TunedResult
from transferscope.report import ReportInput, parts, render_html, render_markdown, words
from transferscope.report.terminal import print_comparison


def result() -> TunedResult:
    """One benchmark whose parts round to another sum than its change, and its group."""
    base = sample.tuned_result(sample.SFT)
    row = base.benchmarks[0]
    split = replace(
        row,
        delta=-0.3,
        artefact_points=-0.15,
        clean_points=-0.15,
        clean_delta=-0.2,
        clean_n=30,
        answered=Answered(98.0, 91.0),
        flags=FlagCounts(base={"truncated": 2}, tuned={"looped": 1}),
    )
    clean = {"artefact_points": 0.0, "clean_points": -1.0, "flags": FlagCounts({}, {})}
    unknown = {"artefact_points": None, "clean_points": None, "flags": None, "answered": None}
    rows = (
        split,
        replace(split, benchmark="chains", delta=-1.0, **clean),
        replace(row, benchmark="equations", **unknown),
    )
    mean = Attribution(-0.65, -0.08, {"looped": -0.08}, 3, 80)
    quiet = Attribution(-2.0, 0.0, {}, 0, 40)
    partly = Attribution(-2.0, -1.0, {"looped": -1.0}, 3, 40, unknown=-0.5)
    causes = Causes({}, {"math": mean, "other": quiet, "non": partly}, mean)
    return replace(base, benchmarks=rows, attribution=causes)


def test_verdict_cells_say_what_flagged_answers_carry() -> None:
    cut = Attribution(-22.4, -20.0, {"truncated": -20.0}, 40, 125, standing="loss")
    assert parts.standing_cell("loss", cut) == "loss established, 20.0 of 22.4 in flagged answers"
    assert parts.standing_cell("loss suggested", cut).startswith("loss suggested, 20.0 of")
    against = replace(cut, flagged=9.0)
    assert parts.standing_cell("loss", against) == "loss established, +9.0 in flagged answers"
    for said, made_by in (("open", cut), ("loss", None), ("loss", replace(cut, flagged=-2.0))):
        assert parts.standing_cell(said, made_by) == words.STANDING_WORDS[said]


def test_every_output_has_them() -> None:
    lost = sample.tuned_result(sample.SFT)
    row = lost.benchmarks[0]
    made = Attribution(-22.4, -20.0, {"truncated": -20.0}, 40, 125, standing="loss")
    row = replace(row, delta=-22.4, p=0.001, p_holm=0.001, smallest_p=0.0)
    group = replace(lost.plane[row.group], gain=-22.4, p=0.001, p_holm=0.001, smallest_p=0.0)
    causes = Causes({row.benchmark: made}, {row.group: made}, None)
    changed = replace(lost, benchmarks=(row,), plane={row.group: group}, attribution=causes)
    shown = replace(sample.comparison(), tuned=(changed,))
    said = "loss established, 20.0 of 22.4 in flagged answers"
    report = ReportInput("t", shown)
    assert render_markdown(report).count(f"| {said} |") == 2
    assert render_html(report).count(f">{said}</span>") == 2
    out = io.StringIO()
    print_comparison(shown, Console(file=out, width=80))
    assert out.getvalue().count("loss*") == 2


def test_rows_add_up_as_shown() -> None:
    grid = parts.artefact_grid(result())
    assert [row[0] for row in grid.rows] == [
        "word_problems",
        "chains",
        "math (mean)",
        "retention (mean)",
    ]
    assert grid.rows[0] == (
        "word_problems",
        "−0.3",
        "−0.1",
        "−0.2",
        "−0.2 (30 of 40)",
        "98 → 91",
        "looped 0 → 1, truncated 2 → 0",
    )
    assert grid.rows[2][1:4] == ("−0.7", "−0.1", "−0.6")
    for row in grid.rows:
        change, flagged, clean = (float(cell.replace("−", "-")) for cell in row[1:4])
        assert change == pytest.approx(flagged + clean)
        assert len(row) == len(grid.head)


def test_the_terminal_shows_what_was_flagged() -> None:
    grid = parts.flagged_grid(result())
    assert [row[0] for row in grid.rows] == ["word_problems", "math (mean)", "retention (mean)"]
    assert all(len(row) == len(grid.head) == 5 for row in grid.rows)
    one = result()
    clean = tuple(row for row in one.benchmarks if row.benchmark == "chains")
    assert parts.flagged_grid(replace(one, benchmarks=clean)).rows == ()


def test_flags_in_words() -> None:
    assert parts.flag_totals(result()) == "looped 0 → 1, truncated 2 → 0"
