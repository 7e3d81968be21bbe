from __future__ import annotations

import pytest

from transferscope.study.measured import rank_change


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
