"""Resolutions against the formulas they document and against the tests' own power."""

from math import sqrt

import pytest

from transferscope.compare.planned_power import (
    CORRELATION,
    Planned,
    benchmark_resolution,
    group_resolution,
)
from transferscope.core.power import POWER, mcnemar_power


@pytest.mark.parametrize("n", [30, 100, 500, 2742])
def test_independent_items(n: int) -> None:
    found = benchmark_resolution(Planned(n, n))
    assert found.stderr == pytest.approx(50.0 / sqrt(n))
    assert found.change is not None
    change = found.change / 100.0
    assert mcnemar_power(n, max(0.2, change), change) == pytest.approx(POWER, abs=0.01)


def test_items_of_a_story_count_less_but_more_than_the_stories() -> None:
    stories = Planned(300, 20)
    assert stories.effective == pytest.approx(300 / (1 + 14 * CORRELATION))
    assert 20 < stories.effective < 300
    assert Planned(40, 40).effective == 40.0
    alone, together = benchmark_resolution(Planned(300, 300)), benchmark_resolution(stories)
    assert together.stderr > alone.stderr
    assert together.change is not None
    assert alone.change is not None
    assert together.change > alone.change


def test_a_group_is_the_mean_of_its_benchmarks() -> None:
    four = [Planned(100, 100)] * 4
    found = group_resolution(four)
    assert found.stderr == pytest.approx(50.0 / sqrt(100) / sqrt(4))
    # (1.96 + 0.84) standard errors of a mean change whose variance is q / n for each benchmark
    assert found.change == pytest.approx(2.802 * 100 * sqrt(0.2 / 400), rel=0.01)
    uneven = group_resolution([Planned(100, 100), Planned(25, 25)])
    assert uneven.stderr == pytest.approx(sqrt(5.0**2 + 10.0**2) / 2)


def test_too_few_items_show_nothing() -> None:
    assert benchmark_resolution(Planned(4, 4)).change is None
