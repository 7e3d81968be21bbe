from __future__ import annotations

import pytest

from transferscope.core.token_shift import TokenMeans, TokenShift
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
    def moved(shift: float) -> TokenMeans:
        return TokenMeans(1, 1, 0.0, 0.0, 0.0, 0.0, shift, 0.0, 0.0, 0.0)

    parts = {"a": moved(-110.0), "b": moved(40.0)}
    own = {"prefix": "base", "shifted_tokens": ()}
    tokens = TokenShift(**vars(moved(0.0)), benchmarks=parts, **own)
    assert rank_change(tokens) == pytest.approx(75.0)
    assert rank_change(TokenShift(**vars(moved(-3.0)), **own)) == 3.0
