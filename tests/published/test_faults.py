"""Scores below guessing, counted here from the tables, and the faults that could explain them."""

from __future__ import annotations

import pytest

from transferscope.published import cohort_checks, faulty_columns, read_table
from transferscope.report.fault_rows import UNKNOWN, below_grid, fault_notes, released_grid

COLUMNS = {column.benchmark: column for column in faulty_columns()}


def test_gpqa_by_hand() -> None:
    gpqa = COLUMNS["GPQA-Diamond"]
    assert (gpqa.chance, gpqa.items, gpqa.models) == (25.0, 198, 30)
    assert {row.model: row.score for row in gpqa.below} == {
        "Llama3.1-8B": 2.4,
        "Llama3.1-8B-SimpleRL": 5.6,
        "Qwen2.5-1.5B-Base": 2.5,
        "Qwen2.5-1.5B-SimpleRL": 4.5,
    }
    llama = next(row for row in gpqa.below if row.model == "Llama3.1-8B")
    assert llama.read == pytest.approx(100 * 2.4 / 25)
    assert len(llama.could_explain) == 2
    assert all(row.p < 1e-12 for row in gpqa.below)  # 0.75^198 alone is 2e-25


def test_a_score_just_below_guessing_is_not_called_so() -> None:
    scores = {
        row["model"]: float(row["score"])
        for row in read_table("scores")
        if row["benchmark"] == "GPQA-Diamond"
    }
    assert scores["Qwen2.5-7B-Instruct"] == 23.4
    assert "Qwen2.5-7B-Instruct" not in {row.model for row in COLUMNS["GPQA-Diamond"].below}


def test_more_than_half_of_halueval_is_below_50() -> None:
    low = {
        row["model"]
        for row in read_table("scores")
        if row["benchmark"] == "HaluEval" and float(row["score"]) < 50
    }
    assert {row.model for row in COLUMNS["HaluEval"].below} == low
    assert len(low) == 20


def test_a_fault_that_ends_in_a_guess_does_not_explain_less_than_a_guess() -> None:
    acp = COLUMNS["ACPBench"]
    explained = {fault for row in acp.below for fault in row.could_explain}
    assert {fault.fault for fault in acp.faults if fault.lowest < 20} == explained
    assert len(explained) == 1 < len(acp.faults)


def test_without_options_no_score_is_below_guessing() -> None:
    for name in ("MATH-500", "OlympiadBench"):
        assert (COLUMNS[name].chance, COLUMNS[name].below) == (0.0, ())
        assert COLUMNS[name].faults


def test_notes_and_tables_say_could() -> None:
    checks = cohort_checks()
    notes = fault_notes(checks)
    assert notes[0].startswith(
        "GPQA-Diamond: 4 of 30 models score 2.4 to 5.6, where guessing gives 25. "
    )
    assert all("could explain this" in note for note in notes[:-1])
    assert notes[-1] == UNKNOWN
    below = below_grid(checks)
    assert len(below.rows) == sum(len(column.below) for column in COLUMNS.values())
    assert next(row[:5] for row in below.rows if row[1] == "Llama3.1-8B") == (
        "GPQA-Diamond",
        "Llama3.1-8B",
        "2.4",
        "25",
        "10 %",
    )
    assert len(released_grid(checks).rows) == len(read_table("released_faults"))
    document = checks.to_json()["faulty_columns"]
    assert [column["benchmark"] for column in document] == list(COLUMNS)
    assert document[2]["below"][0]["could_explain"]
