"""Plain words for numbers."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sample

from transferscope.documents.comparison import PlanePoint
from transferscope.report import verdict, words


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


def point(gain: float, low: float, high: float, p: float, **other: Any) -> PlanePoint:
    return PlanePoint(gain, (low, high), **{"p": p, "p_holm": p, "mde": 4.0, **other})


def test_change_sentences() -> None:
    assert words.change("math", point(12.3, 8.0, 16.4, 0.001)) == (
        "gained 12.3 points on math (95 % interval 8.0 to 16.4): gain established"
    )
    assert words.change("law", point(-5.0, -8.0, -2.0, 0.001)) == (
        "lost 5.0 points on law (change −5.0, 95 % interval −8.0 to −2.0): loss established"
    )
    assert words.change("law", point(-1.0, -3.8, 1.8, 0.5)) == (
        "changed by −1.0 points on law (95 % interval −3.8 to 1.8): no change established; "
        "a change below 4.0 points could not have been seen reliably"
    )
    assert words.change("law", point(-1.0, -60.0, 60.0, 0.5, mde=None)).endswith(
        "no change established; no change of any size could have been seen reliably"
    )
    assert words.change("law", point(-75.0, -100.0, 100.0, 0.0625, smallest_p=0.0625)).endswith(
        "too few questions to establish anything (the smallest possible p is 0.0625)"
    )
    assert words.change("law", point(-9.0, -17.0, -1.0, 0.03, p_holm=0.36)).endswith(
        "loss suggested, not established (p 0.030 by itself, 0.360 after Holm's correction)"
    )
    assert words.change("law", point(-9.0, math.nan, math.nan, math.nan)) == (
        "changed by −9.0 points on law (no interval, so nothing is established)"
    )


def test_an_interval_without_a_test_establishes_nothing_at_zero() -> None:
    assert words.interval_standing((0.0, 3.0)) == "open"
    assert words.interval_standing((-3.0, 0.0)) == "open"
    assert words.interval_standing((-3.0, -0.1)) == "loss"


def test_what_cannot_be_established_is_said_once() -> None:
    result = sample.tuned_result(sample.SFT)
    assert words.limits(result) == []
    rows = [replace(row, smallest_p=0.0625, p=0.2) for row in result.benchmarks[:2]]
    barred = [replace(result.benchmarks[2], smallest_p=0.01)]
    few, holm = words.limits(replace(result, benchmarks=(*rows, *barred, *result.benchmarks[3:])))
    assert few.startswith("Too few clusters to establish anything on word_problems, chains: the")
    assert "0.062" in few
    # 40 questions could give far smaller ones; 5 questions alone give just this.
    alone = [replace(row, n=5) for row in rows]
    (said,) = words.limits(replace(result, benchmarks=(*alone, *result.benchmarks[3:])))
    assert said.startswith("Too few questions to establish anything on word_problems, chains: the")
    assert "on equations after Holm's correction for 12 benchmarks" in holm
    assert "0.12" in holm


def test_what_a_row_could_have_shown() -> None:
    row = sample.tuned_result(sample.SFT).benchmarks[0]
    assert words.mde(replace(row, mde=7.84)) == "7.8"
    assert words.mde(replace(row, mde=None)) == "none"
    assert words.mde(replace(row, mde=None, p=math.nan)) == "n/a"
    assert [words.count(n) for n in (40, None)] == ["40", "n/a"]


def test_a_benchmark_needs_holm() -> None:
    row = sample.tuned_result(sample.SFT).benchmarks[0]
    said = [
        replace(row, delta=-9.0, p=0.01, p_holm=0.12),
        replace(row, delta=-9.0, p=0.001, p_holm=0.012),
        replace(row, delta=9.0, p=0.001, p_holm=0.012),
        replace(row, delta=9.0, p=math.nan, p_holm=math.nan),
        replace(row, delta=9.0, p=0.0625, p_holm=0.7, smallest_p=0.0625),
    ]
    assert [r.standing for r in said] == ["loss suggested", "loss", "gain", "unknown", "too few"]


def test_index_words() -> None:
    rl, sft = (sample.tuned_result(m).index for m in (sample.RL, sample.SFT))
    assert rl is not None
    assert sft is not None
    assert words.index_value(rl, "other") == "33 % (95 % interval −32 to 78)"
    assert words.index_value(replace(rl, ci={}), "other") == "33 % (no interval)"
    silent = replace(rl, ci={}, no_interval={"other": "nothing moved"})
    assert words.index_value(silent, "other") == "33 % (no interval: nothing moved)"
    assert words.index_value(sft, "non").startswith("undefined: the gain on the source group")
    (sentence,) = verdict.index_sentences(sft, None, "mini-TI")
    assert sentence.startswith("mini-TI other reasoning and non-reasoning are undefined: the gain")
    assert words.index_label("mini") == "mini-TI"
    assert words.index_label("paper") == "TI"
    assert words.index_note("paper") is None


def test_p_values() -> None:
    assert [words.p_value(p) for p in (0.0004, 0.0123, 1.0)] == ["<0.001", "0.012", "1.000"]


def test_the_coverage_shown_is_that_of_the_table() -> None:
    """docs/coverage.md: 91.0 to 98.6 and 83.4 to 95.4; 94.2 to 97.0 and 87.3 to 96.2."""
    shown = [int(word) for word in re.findall(r"\b\d\d\b", words.COVERAGE)]
    assert shown == [95, 91, 99, 83, 95, 20, 94, 97, 87, 96]
    short = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text(encoding="utf-8")
    said = " ".join(short.split())
    assert "covered 94.2 to 97.0 % and the percentile interval of `robust` 91.0 to 98.6 %" in said
    assert "`linear` covered 87.3 to 96.2 % and `robust` 83.4 to 95.4 %" in said
