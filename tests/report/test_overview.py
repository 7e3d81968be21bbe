from __future__ import annotations

from dataclasses import replace
from typing import Any

import cohort
import pytest
import sample

from transferscope.documents.comparison import PlanePoint, TunedResult
from transferscope.report import overview


def tuned(source: float, other: float, non: float, half: float = 2.0) -> TunedResult:
    """A model whose groups changed by so much, with intervals ``half`` wide to either side."""
    one = sample.tuned_result(sample.RL)
    points: dict[str, PlanePoint] = {
        group: sample._point(gain, half)
        for group, gain in zip(sample.GROUPS, (source, other, non), strict=True)
    }
    return replace(one, plane=points, retention=sample._point((other + non) / 2, half))


@pytest.mark.parametrize(
    ("changes", "verdict", "tone"),
    [
        ((10, 10, 10), "better on math, better elsewhere", "gain"),
        ((10, 0, 0), "better on math, no change elsewhere shown", "gain"),
        ((10, -9, -9), "better on math, loss elsewhere", "loss"),
        ((0, 0, 0), "no change shown", "open"),
        ((-9, 0, 0), "worse on math, no change elsewhere shown", "loss"),
        (
            (10, 9, -9),
            "better on math, no change elsewhere shown, loss on non-reasoning",
            "loss",
        ),
    ],
)
def test_verdict_and_tone(changes: Any, verdict: str, tone: str) -> None:
    result = tuned(*changes)
    assert overview.short_verdict(result, "math") == verdict
    assert overview.outcome(result, "math") == tone


def test_what_is_missing_is_said() -> None:
    result = tuned(10, 10, 10)
    bare = replace(result, plane={"other": result.plane["other"]}, retention=None)
    assert overview.short_verdict(bare, "math") == "math not compared, nothing else compared"
    doubted = replace(result, contradictions={"chains": "accuracy"})
    assert overview.short_verdict(doubted, "math").endswith("samples contradict the results")


def test_models_are_ordered_by_retention_and_numbered() -> None:
    comparison = overview.by_retention(cohort.comparison(24))
    lost = replace(comparison, tuned=(replace(comparison.tuned[0], retention=None),))
    labels = [t.model for t in comparison.tuned]
    rows = overview.overview_rows(comparison, labels, labels)
    kept = [row.retention.value for row in rows]
    assert kept == sorted(kept, reverse=True)
    assert [row.number for row in rows] == list(range(1, 25))
    both = replace(comparison, tuned=(*lost.tuned, comparison.tuned[1]))
    assert overview.by_retention(both).tuned[-1].retention is None
    (row,) = overview.overview_rows(lost, ["m"], ["h"])
    assert (row.retention.text, row.retention.value) == ("n/a", None)


def test_matrix_has_a_cell_per_benchmark() -> None:
    comparison = sample.comparison()
    cut = replace(comparison.tuned[0], benchmarks=comparison.tuned[0].benchmarks[1:])
    (row,) = overview.change_matrix(replace(comparison, tuned=(cut,)), ["m"])
    assert row.cells[0] is None
    assert [cell.text for cell in row.cells[1:3] if cell] == ["+27.5", "+17.5"]
    assert [cell.tone for cell in row.cells[1:3] if cell] == ["gain", "open"]


def test_a_star_where_flagged_answers_made_the_change() -> None:
    comparison = sample.comparison()
    rows = overview.overview_rows(comparison, ["a", "b"], ["", ""])
    for row, result in zip(rows, comparison.tuned, strict=True):
        found = result.attribution.retention
        assert result.retention is not None
        notable = found is not None and found.notable and result.retention.standing == "loss"
        source = result.attribution.groups.get("math")
        made = source is not None and source.notable and result.plane["math"].standing != "open"
        assert row.starred == (notable or made)
