"""Means over training runs, against the formula worked out by hand."""

import math

import pytest

from transferscope.core.typed_record import plain
from transferscope.study.arms import arm_means
from transferscope.study.run_summary import Measured, Value


def run(gain: float, kept: float, *, seed: int, table: str = "rl", step: int | None = None):
    return Measured(
        table=table,
        recipe="on-policy-rl",
        seed=seed,
        learning_rate=1e-4,
        step=step,
        source="math",
        gain={"math": Value(gain, 4.0), "non": Value(kept, 1.0)},
        retention=Value(kept, 1.0),
        ti={},
        shift={"kl": 0.1 * seed},
        seconds=10.0 * seed,
    )


def test_three_runs_by_hand() -> None:
    (mean,) = arm_means([run(g, -1.0, seed=s) for s, g in enumerate((1.0, 2.0, 6.0), start=1)])
    # var of 1, 2, 6 is 7; over 3 runs 7/3, plus the items' 4; t with 2 degrees of freedom 4.302653.
    half = 4.302653 * math.sqrt(7 / 3 + 4)
    assert (mean.arm, mean.learning_rate, mean.runs) == ("rl", 1e-4, 3)
    assert mean.gain["math"].mean == pytest.approx(3.0)
    assert mean.gain["math"].ci == pytest.approx((3 - half, 3 + half), abs=1e-5)
    assert mean.retention is not None
    assert mean.retention.ci == pytest.approx((-1 - 4.302653, -1 + 4.302653), abs=1e-5)
    assert mean.shift["kl"].mean == pytest.approx(0.2)
    assert mean.seconds == 20.0


def test_checkpoints_are_left_out_and_two_runs_have_no_interval() -> None:
    runs = [run(1.0, 0.0, seed=1), run(9.0, 0.0, seed=1, step=4), run(3.0, 0.0, seed=2)]
    other = run(5.0, 0.0, seed=1, table="sft")
    first, second = arm_means([*runs, other])
    assert (first.runs, first.gain["math"].mean, first.gain["math"].ci) == (2, 2.0, None)
    assert (second.arm, second.runs) == ("sft", 1)
    document = plain(first)
    assert document["gain"]["math"] == {"mean": 2.0, "ci": None}
    assert "d_layerwise" not in document["shift"]


def test_an_infinite_interval_gives_no_mean() -> None:
    broken = run(1.0, 0.0, seed=1)
    broken.gain["math"] = Value(1.0, math.inf)  # type: ignore[index]
    (mean,) = arm_means([broken, run(2.0, 0.0, seed=2)])
    assert "math" not in mean.gain
    assert "non" in mean.gain
