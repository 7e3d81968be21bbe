from __future__ import annotations

import pytest

from transferscope.study import parse_study
from transferscope.study.run_summary import _recipe, rank_change


def test_stale_samples_and_another_start_are_other_recipes() -> None:
    arms = (
        '[arms.mine]\narm = "on-policy-rl-no-kl"\n'
        '[arms.stale]\narm = "on-policy-rl-no-kl"\nrefresh_every = 4\n'
        '[arms.later]\narm = "on-policy-rl"\ninit_from = "mine"\n'
        '[arms.theirs]\ncheckpoint = "m"\n'
    )
    cells = parse_study(f'name = "s"\nbase = "b"\n{arms}', place="s").cells()
    assert [_recipe(cell) for cell in cells] == [
        "on-policy-rl-no-kl",
        "on-policy-rl-no-kl refreshed every 4 steps",
        "on-policy-rl from mine",
        "checkpoint",
    ]


def test_rank_shifts_of_two_benchmarks_do_not_cancel() -> None:
    tokens = {
        "rank_shift": 0.0,
        "benchmarks": {
            "a": {"rank_shift": -110.0},
            "b": {"rank_shift": 40.0},
            "c": {"rank_shift": None},
        },
    }
    assert rank_change(tokens) == pytest.approx(75.0)
    assert rank_change({"rank_shift": -3.0, "benchmarks": {}}) == 3.0
