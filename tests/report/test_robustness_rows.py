"""Robustness in words and rows."""

import math
from dataclasses import replace

import numpy as np

from transferscope.core.constant_answer import ConstantAnswer
from transferscope.core.index import Layout
from transferscope.core.robustness import BelowChance, BenchmarkWeight, LeftOut, specification_curve
from transferscope.documents.comparison import AgainstBase, BelowChanceOf, Robustness
from transferscope.report.robustness_rows import curve_grid, left_out_grid, range_grid, sentences

from .sample import comparison

LAYOUT = Layout.of({"math": ["a", "b", "c"], "non": ["d"]}, "math")
BASE, TUNED = np.array([50.0, 50, 50, 50]), np.array([60.0, 60, 60, 45])


def robustness() -> Robustness:
    weights = tuple(
        BenchmarkWeight(b, "math", w) for b, w in (("a", 70.0), ("b", 20.0), ("c", 10.0))
    )
    left_out = tuple(
        LeftOut(b, {}, {"non": ti}, {} if ti else {"non": "why"})
        for b, ti in (("a", 10.0), ("b", None), ("c", -20.4))
    )
    low = BelowChance("d<b>", 3.0, 50.0, 100, 0.001)
    return Robustness(weights, left_out, BelowChanceOf(base=(), tuned=(low,)))


def test_sentences_name_what_carries_the_result() -> None:
    whole = comparison()
    row = whole.tuned[0].benchmarks[0]
    styled = AgainstBase(9, {"style_opening": 7, "script_change": 0})
    rows = (replace(row, against_base=styled),)
    result = replace(whole.tuned[0], robustness=robustness(), benchmarks=rows)
    text = "\n".join(sentences(result, whole))
    assert "d<b>: the tuned model scores 3.0 %, but guessing gives 50.0 %: likely" in text
    assert "a has 70 % of the weight of group math." in text
    assert "b carries" not in text
    assert "Leaving out any one benchmark gives a mini-TI non-reasoning of −20 to 10 %; it" in text
    assert f"{row.benchmark}: an opening that the base never uses in 7 of 9 answers." in text
    assert "another script" not in text
    assert "a constant answer" not in text


def test_a_constant_answer_is_said_of_whom_it_is() -> None:
    whole = comparison()
    row = whole.tuned[0].benchmarks[0]
    base, tuned = ConstantAnswer("n<o>", 19), ConstantAnswer("yes", 20)
    for found, said in (
        (
            (base, tuned),
            "the base answers “n<o>” 19 times out of 20 and the tuned model answers “yes” ",
        ),
        ((None, tuned), "the tuned model answers “yes” 20 times out of 20: a constant answer. Its"),
        ((base, None), "the base answers “n<o>” 19 times out of 20: a constant answer"),
    ):
        rows = (replace(row, against_base=AgainstBase(20, {}, *found)),)
        result = replace(whole.tuned[0], benchmarks=rows)
        assert f"{row.benchmark}: {said}" in "\n".join(sentences(result, whole))


def test_not_measured_is_said() -> None:
    whole = comparison()
    rows = tuple(replace(row, against_base=None) for row in whole.tuned[0].benchmarks)
    said = sentences(replace(whole.tuned[0], benchmarks=rows), whole)
    assert (
        "Style openings and changes of script: not measured, because no answers were kept." in said
    )


def test_grids() -> None:
    grid = left_out_grid(replace(comparison().tuned[0], robustness=robustness()))
    assert grid is not None
    assert grid.head == ("benchmark", "group", "weight %", "TI non-reasoning without it")
    assert grid.rows[0] == ("a", "math", "70", "10 %")
    assert grid.rows[1][-1] == "undefined"
    assert left_out_grid(replace(comparison().tuned[0], robustness=None)) is None
    two = specification_curve(["m"], LAYOUT, BASE[None], TUNED[None])
    shown = curve_grid(two, LAYOUT.targets)
    assert shown.head == ("specification", "m: non-reasoning")
    rows = dict(row for row in shown.rows)
    # robust: -sqrt 5 over sqrt 10; linear: -5 over 10
    assert rows["robust, scale unit, headroom weights"] == f"−{100 * math.sqrt(0.5):.0f} %"
    assert rows["linear, uniform weights"] == "−50 %"
    base, tuned = np.stack([BASE] * 3), np.stack([TUNED, TUNED + 1, TUNED - [0, 0, 0, 9]])
    three = curve_grid(specification_curve(list("mno"), LAYOUT, base, tuned), LAYOUT.targets)
    assert three.head[-1] == "rank correlation: non-reasoning"
    assert three.rows[0][-1] == "1.00"


def test_specifications_without_an_index_are_counted_apart() -> None:
    """A group of one benchmark has no spread over its benchmarks: no index by scale per-model."""
    whole = comparison()
    model = whole.tuned[0].model
    one = Layout.of({"math": ["a"], "non": ["d"]}, "math")
    curve = specification_curve([model], one, BASE[None, [0, 3]], TUNED[None, [0, 3]])
    defined = [row.ti[model]["non"] for row in curve.specifications]
    lost = sum(value is None for value in defined)
    assert 0 < lost < len(defined)
    result = replace(whole.tuned[0], robustness=robustness())
    text = "\n".join(sentences(result, replace(whole, specifications=curve)))
    said = f"mini-TI non-reasoning over {len(defined) - lost} specifications: "
    (line,) = (line for line in text.splitlines() if line.startswith(said))
    assert line.endswith(f" %; it is undefined in {lost} more.")


def test_many_models_are_rows_with_their_range() -> None:
    up = np.array([60.0, 60, 60, 55])
    curve = specification_curve(["m", "n"], LAYOUT, np.stack([BASE, BASE]), np.stack([TUNED, up]))
    grid = range_grid(curve, ["non"], ["n", "m"])
    assert grid.head == ("model", "TI non-reasoning", "lowest to highest")
    # robust: sqrt 5 over sqrt 10; linear: 5 over 10
    assert [row[:2] for row in grid.rows] == [("n", "71 %"), ("m", "−71 %")]
    assert grid.rows[0][2].startswith("50 to ")
    assert grid.rows[1][2].endswith(" to −50 %")
