"""The flat table: a row a benchmark, empty cells where there is no value, no formulas."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from math import nan

import pytest
import sample

from transferscope.report import render_csv


def test_a_row_a_benchmark_with_its_numbers() -> None:
    report = sample.sample()
    rows = list(csv.DictReader(io.StringIO(render_csv(report))))
    changes = [(t.model, row) for t in report.comparison.tuned for row in t.benchmarks]
    assert len(rows) == len(changes)
    for row, (model, change) in zip(rows, changes, strict=True):
        assert (row["benchmark"], row["group"]) == (change.benchmark, change.group)
        assert row["model"].lstrip("'") == model
        assert float(row["delta"]) == change.delta
        assert (float(row["ci_low"]), float(row["ci_high"])) == change.ci
        assert change.flips is not None
        assert int(row["lost"]) == change.flips.lost


def test_unknown_values_are_empty_and_names_no_formulas() -> None:
    report = sample.sample()
    first = report.comparison.tuned[0]
    lone = replace(first.benchmarks[0], ci=(nan, nan), p=nan, flips=None, clean_n=None)
    model = replace(first, model="=1+1", benchmarks=(lone,))
    changed = replace(report, comparison=replace(report.comparison, tuned=(model,)))
    (row,) = csv.DictReader(io.StringIO(render_csv(changed)))
    assert [row[key] for key in ("ci_low", "p", "lost", "clean_n")] == ["", "", "", ""]
    assert row["model"] == "'=1+1"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("+1", "'+1"),
        ("-cmd|x", "'-cmd|x"),
        ("@sum", "'@sum"),
        (" \t=1+1", "'=1+1"),
        ("\r\n=1+1", "'=1+1"),
        ("＝1", "'＝1"),
        ("\x1b[31m=1", "⟨U+001B⟩[31m=1"),
        ("a\nb", "a b"),
        ("3-shot", "3-shot"),
    ],
)
def test_a_name_is_no_formula_and_no_escape_code(name: str, cell: str) -> None:
    report = sample.sample()
    model = replace(report.comparison.tuned[0], model=name)
    changed = replace(report, comparison=replace(report.comparison, tuned=(model,)))
    rows = list(csv.DictReader(io.StringIO(render_csv(changed))))
    assert {row["model"] for row in rows} == {cell}
    assert any(float(row["delta"]) < 0 and row["delta"].startswith("-") for row in rows)
