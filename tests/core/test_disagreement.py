"""Two readings of the same answers that disagree about a change."""

from __future__ import annotations

import pytest

from transferscope.core.disagreement import disagreements, format_share
from transferscope.core.standing import Standing
from transferscope.core.typed_record import plain

STRICT, FLEXIBLE = "exact_match,strict-match", "exact_match,flexible-extract"
Table = dict[str, dict[str, float]]


def tables(first: str, before: float, after: float, **others: tuple[float, float]) -> list[Table]:
    return [
        {"task": {first: score, **{key: pair[at] for key, pair in others.items()}}}
        for at, score in enumerate((before, after))
    ]


def found(
    base: Table, tuned: Table, *, standing: Standing = "loss", n: int | None = 300
) -> list[str]:
    return [d.sentence for d in disagreements(base, tuned, {"task": (standing, n)})]


def test_a_fall_that_only_the_strict_filter_sees_is_format() -> None:
    base, tuned = tables(STRICT, 0.61, 0.0, **{FLEXIBLE: (0.61, 0.613)})
    assert found(base, tuned) == [
        "strict-match falls 61.0 points but flexible-extract changes by +0.3: "
        "a change of format, not of ability"
    ]
    (row,) = disagreements(base, tuned, {"task": ("loss", 300)})
    assert row.format
    assert row.difference == pytest.approx(-61.3)
    assert plain(row)["compared"] == STRICT
    assert format_share([row], {"task": 0.5, "other": 0.5}) == pytest.approx(-30.65)


def test_the_lenient_one_may_be_the_one_that_is_compared() -> None:
    """The fall is then not in the comparison, so it needs three standard errors of its own."""
    base, tuned = tables(FLEXIBLE, 0.61, 0.613, **{STRICT: (0.61, 0.0)})
    (said,) = found(base, tuned, standing="open")
    assert said.startswith("strict-match falls 61.0 points but flexible-extract")
    (row,) = disagreements(base, tuned, {"task": ("open", 300)})
    assert row.difference == pytest.approx(61.3)
    # 0.61 -> 0.51 at n = 100: sqrt(.61 * .39 + .51 * .49 + .01) / 10 = 7.0 points, 10 < 3 * 7.0
    base, tuned = tables(FLEXIBLE, 0.61, 0.613, **{STRICT: (0.61, 0.51)})
    assert found(base, tuned, standing="open", n=100) == []
    assert found(base, tuned, standing="open", n=None) == []


def test_a_third_of_the_change_the_same_way_agrees() -> None:
    base, tuned = tables(STRICT, 0.60, 0.30, **{FLEXIBLE: (0.60, 0.50)})
    assert found(base, tuned) == []
    base, tuned = tables(STRICT, 0.60, 0.30, **{FLEXIBLE: (0.60, 0.51)})
    assert found(base, tuned)[0].endswith("changes by −9.0: mostly a change of format")
    base, tuned = tables(STRICT, 0.60, 0.30, **{FLEXIBLE: (0.60, 0.80)})
    assert found(base, tuned)[0].endswith("+20.0: the format hides a change the other way")


def test_metrics_are_not_called_format() -> None:
    base, tuned = tables("acc,none", 0.50, 0.45, **{"acc_norm,none": (0.5, 0.503)})
    assert found(base, tuned) == [
        "acc falls 5.0 points but acc_norm changes by +0.3: the change depends on the metric"
    ]
    base, tuned = tables("exact_match,a", 0.50, 0.45, **{"exact_match,b": (0.5, 0.5)})
    assert found(base, tuned) == [
        "a falls 5.0 points but b changes by 0.0: the change depends on how the answers are read"
    ]


def test_strictness_may_be_in_the_metrics_name() -> None:
    """IFEval: one metric per strictness, and per prompt or instruction."""
    base, tuned = tables(
        "prompt_level_strict_acc,none",
        0.60,
        0.30,
        **{
            "inst_level_strict_acc,none": (0.7, 0.4),
            "prompt_level_loose_acc,none": (0.62, 0.61),
        },
    )
    assert found(base, tuned) == [
        "prompt_level_strict_acc falls 30.0 points but prompt_level_loose_acc changes by −1.0: "
        "a change of format, not of ability"
    ]


def test_the_filter_of_the_same_answers_goes_first() -> None:
    base, tuned = tables(STRICT, 0.6, 0.1, **{FLEXIBLE: (0.6, 0.6), "f1,none": (0.6, 0.9)})
    (row,) = disagreements(base, tuned, {"task": ("loss", 300)})
    assert row.other == FLEXIBLE


def test_nothing_is_said_of_what_is_not_shown_or_not_alike() -> None:
    base, tuned = tables(STRICT, 0.61, 0.55, **{FLEXIBLE: (0.61, 0.61)})
    assert found(base, tuned, standing="open") == []
    assert found(base, {}) == []
    other = {"task": {FLEXIBLE: 0.6, STRICT: 0.0}}  # another filter was compared there
    assert found(base, other) == []
