"""What a guard's bound is asked with: the share of unmoved units is that of the two-sided test."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from transferscope.compare.guarded_mean import GuardedMean
from transferscope.compare.margin_bound import UnitShares
from transferscope.core.changes import ChangeTest


class Asked:
    """A benchmark that returns what its bound was asked with."""

    points = SimpleNamespace(base=60.0, delta=-2.0)
    units = UnitShares(np.full(10, 0.1), None, 10.0)
    counted = 10

    def bound(self, margin: float, drawn: Any, *, unmoved: bool) -> Any:
        return margin, drawn, unmoved


@pytest.mark.parametrize(("floor", "unmoved"), [(0.0, False), (0.5, True)])
def test_units_are_unmoved_where_the_test_has_a_floor(
    floor: float, unmoved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replicates_bound(change: float, change_R: Any, units: Any, **named: Any) -> Any:
        return change, list(change_R), units.effective, named

    monkeypatch.setattr("transferscope.compare.guarded_mean.replicates_bound", replicates_bound)
    test = ChangeTest("sign-flip", 0.5, (-9.0, 9.0), floor=floor)
    drawn = {name: SimpleNamespace(change_R=np.array([-2.0, 4.0])) for name in "ab"}
    draws: Any = SimpleNamespace(benchmarks={"a": Asked(), "b": Asked()}, drawn=drawn)
    found: Any = GuardedMean({"a": 1.0}, draws, test).bound(3.0)
    assert found == (3.0, drawn["a"], unmoved)
    # Shares of 1/4 and 3/4 of ten units each: 1 / (1/160 + 9/160)
    found = GuardedMean({"a": 0.25, "b": 0.75}, draws, test).bound(3.0)
    assert found == (-2.0, [-2.0, 4.0], 16.0, {"margin": 3.0, "unmoved": unmoved})
