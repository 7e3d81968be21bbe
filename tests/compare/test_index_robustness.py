"""What a comparison says about its own choices, by hand."""

import json
import math
from collections.abc import Callable

import pytest

from transferscope.compare import compare_runs
from transferscope.core.typed_record import plain
from transferscope.runs import Run

WriteRun = Callable[..., Run]
BASE = {"cases": [0] * 60 + [1] * 40, "statutes": [0] * 50 + [1] * 50, "chat": [1] * 80 + [0] * 20}
TUNED = {"cases": [1] * 40 + [0] * 20 + [1] * 40, "statutes": [1] * 25 + [0] * 25 + [1] * 50}
TUNED["chat"] = [0] * 10 + [1] * 70 + [0] * 20


def test_weights_and_left_out_by_hand(write_run: WriteRun) -> None:
    comparison = compare_runs(write_run("b", BASE), [write_run("t", TUNED)], replicates=500)
    (result,) = comparison.tuned
    assert result.robustness is not None
    weights = {row.benchmark: row.weight for row in result.robustness.weights}
    assert weights == pytest.approx({"cases": 6000 / 110, "statutes": 5000 / 110, "chat": 100.0})
    without = {row.benchmark: row.ti["rest"] for row in result.robustness.left_out}
    assert without["cases"] == pytest.approx(-100 * math.sqrt(10) / 5)
    assert without["statutes"] == pytest.approx(-100 * math.sqrt(10 / 40))
    assert without["chat"] is None
    assert comparison.specifications is not None
    by_name = {
        (r.definition, r.scale, r.weights): r.ti["t"]["rest"]
        for r in comparison.specifications.specifications
    }
    assert by_name["linear", None, "uniform"] == pytest.approx(-100 * 10 / 32.5)
    assert by_name["relative", None, None] == pytest.approx(-100 * (10 / 80) / ((1.0 + 0.5) / 2))
    document = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert document["tuned"][0]["robustness"]["weights"][2]["weight"] == pytest.approx(100.0)
    assert document["specifications"]["default"]["definition"] == "robust"


def test_a_score_below_chance_is_flagged_with_its_independent_items(write_run: WriteRun) -> None:
    # chance of statutes is 25 %; 10 of 100 right: P(X <= 10) = 1.4e-4
    low = TUNED | {"statutes": [1] * 10 + [0] * 90}
    (result,) = compare_runs(write_run("b", BASE), [write_run("t", low)], replicates=200).tuned
    assert result.robustness is not None
    (flagged,) = result.robustness.below_chance.tuned
    assert (flagged.benchmark, flagged.score, flagged.chance, flagged.n) == (
        "statutes",
        10.0,
        25.0,
        100,
    )
    assert flagged.p == pytest.approx(1.37e-4, rel=0.01)
    assert result.robustness.below_chance.base == ()


def test_without_a_source_there_is_no_index_to_be_robust(write_run: WriteRun) -> None:
    only = {"chat": BASE["chat"]}
    comparison = compare_runs(write_run("b", only), [write_run("t", only)], replicates=200)
    assert comparison.tuned[0].robustness is None
    assert comparison.specifications is None


def test_a_model_that_lacks_a_benchmark_is_not_in_the_curve(write_run: WriteRun) -> None:
    some = {name: TUNED[name] for name in ("cases", "chat")}
    runs = [write_run("some", some), write_run("whole", TUNED)]
    comparison = compare_runs(write_run("b", BASE), runs, replicates=200)
    assert comparison.specifications is not None
    assert list(comparison.specifications.range) == ["whole"]


def test_style_is_measured_against_the_answers_of_the_base(write_run: WriteRun) -> None:
    # the fixture's answers are "NAME says SCORE": everything begins with a name the base never says
    comparison = compare_runs(write_run("b", BASE), [write_run("t", TUNED)], replicates=200)
    row = next(row for row in comparison.tuned[0].benchmarks if row.benchmark == "chat")
    assert row.against_base is not None
    assert row.against_base.n == 100
    assert row.against_base.flags == {"style_opening": 70, "script_change": 0}
    assert row.clean_n == 100  # style leaves an item clean
    document = plain(row)
    assert document["against_base"] == {
        "n": 100,
        "flags": {"style_opening": 70, "script_change": 0},
        "base_constant": None,
        "tuned_constant": None,
    }


def test_without_texts_it_is_not_measured(write_run: WriteRun) -> None:
    runs = write_run("b", BASE), write_run("t", TUNED)
    (result,) = compare_runs(runs[0], [runs[1]], replicates=200, examples=0).tuned
    assert all(row.flags and row.against_base is None for row in result.benchmarks)
    assert result.flipped == ()
