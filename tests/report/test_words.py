"""Plain words for numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import sample

from transferscope.report import words


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [
        (12.34, "12.3", "+12.3"),
        (-0.04, "0.0", "0.0"),
        (0.04, "0.0", "0.0"),
        (-5.06, "−5.1", "−5.1"),
        (math.inf, "∞", "+∞"),
        (-math.inf, "−∞", "−∞"),
        (math.nan, "n/a", "n/a"),
        (None, "n/a", "n/a"),
    ],
)
def test_numbers(value: float | None, plain: str, with_sign: str) -> None:
    assert words.number(value) == plain
    assert words.signed(value) == with_sign


def test_change_sentences() -> None:
    assert words.change("math", 12.3, (8.0, 16.4)) == (
        "gained 12.3 points on math (95 % interval 8.0 to 16.4): gain established"
    )
    assert words.change("law", -5.0, (-8.0, -2.0)) == (
        "lost 5.0 points on law (change −5.0, 95 % interval −8.0 to −2.0): loss established"
    )
    # Half width 2.8, so SE 2.8 / 1.96 and 2.80 SE = 4.0.
    assert words.change("law", -1.0, (-3.8, 1.8)) == (
        "changed by −1.0 points on law (95 % interval −3.8 to 1.8): no change established; "
        "a change below 4.0 points could not have been seen reliably"
    )


def test_a_bound_at_zero_establishes_nothing() -> None:
    assert words.standing((0.0, 3.0)) == "open"
    assert words.standing((-3.0, 0.0)) == "open"


def test_a_benchmark_needs_holm() -> None:
    row = sample.tuned_result(sample.SFT).benchmarks[0]
    assert words.benchmark_standing(replace(row, delta=-9.0, p=0.01, p_holm=0.12)) == "open"
    assert words.benchmark_standing(replace(row, delta=-9.0, p=0.001, p_holm=0.012)) == "loss"
    assert words.benchmark_standing(replace(row, delta=9.0, p=0.001, p_holm=0.012)) == "gain"
    assert words.benchmark_standing(replace(row, delta=9.0, p_holm=math.nan)) == "open"


def test_index_words() -> None:
    rl, sft = (sample.tuned_result(m).index for m in (sample.RL, sample.SFT))
    assert rl is not None
    assert sft is not None
    assert words.index_value(rl, "other") == "33 % (95 % interval −32 to 78)"
    assert words.index_value(replace(rl, ci={}), "other") == "33 % (no interval)"
    assert words.index_value(sft, "non").startswith("undefined: the gain on the source group")
    (sentence,) = words.index_sentences(sft, "mini-TI")
    assert sentence.startswith("mini-TI other reasoning and non-reasoning: undefined: the gain")
    assert words.index_label("mini") == "mini-TI"
    assert words.index_label("paper") == "TI"
    assert words.index_note("paper") is None


def test_p_values() -> None:
    assert [words.p_value(p) for p in (0.0004, 0.0123, 1.0)] == ["<0.001", "0.012", "1.000"]


def test_no_item_changed_is_not_worded_as_a_bound() -> None:
    said = words.change("math", 0.0, (0.0, 0.0))
    assert said == "did not change on math: base and tuned score the same on every item"
