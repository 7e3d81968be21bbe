from __future__ import annotations

import math

import pytest

from transferscope.report.chart_data import Bands, Points, model_mark, span, ticks, tone_of


def test_24_models_have_24_marks() -> None:
    marks = [model_mark(at) for at in range(24)]
    assert len(set(marks)) == 24
    assert model_mark(24) == marks[0]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-3, 33, [0, 10, 20, 30]),
        (-45, 63, [-40, -20, 0, 20, 40, 60]),
        (0, 0.09, [0, 0.02, 0.04, 0.06, 0.08]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (2, 2, [2]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_span_holds_zero_and_every_finite_value() -> None:
    low, high = span([3.0, 10.0, math.inf, math.nan])
    assert (low, high) == pytest.approx((-0.6, 10.6))
    assert span([3.0, 10.0], tight=True)[0] == 0.0
    assert span([]) == (-1.0, 1.0)


def test_bands_are_ordered_and_know_their_height() -> None:
    rows = [
        {"row": row, "model": model, "value": 1.0, "low": 0.0, "high": 2.0}
        for row in ("b", "extra", "a")
        for model in ("x", "y")
    ]
    chart = Bands(rows, ["a", "b", "empty"], ["y", "x", "z"], "t")
    assert chart.bands == ["a", "b", "extra"]
    assert chart.present == ["y", "x"]
    assert chart.band_height == 2 * 15 + 10
    alone = Bands(rows[::2], ["a"], ["x", "y"], "t")
    assert alone.alone
    assert alone.band_height == 15 + 3


def test_an_axis_of_points_holds_their_intervals() -> None:
    row = {"model": "m", "label": "m", "x": 1.0, "x_low": -9.0, "x_high": 11.0, "y": 0.0}
    chart = Points([row | {"y_low": 0.0, "y_high": 0.0}], ["m"], ("x", "y"), intervals=True)
    assert chart.domain("x") == pytest.approx((-10.2, 12.2))


def test_what_is_only_suggested_is_open() -> None:
    assert [tone_of(s) for s in ("gain", "loss", "gain suggested", "unknown")] == [
        "gain",
        "loss",
        "open",
        "open",
    ]
