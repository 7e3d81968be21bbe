"""The static pictures: what they draw lies where the data says, and is valid XML."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest

from transferscope.report.chart_data import Bands, Curves, Points, model_mark
from transferscope.report.static_svg import PATHS, mark_svg, static_svg

EVIL = "<script>alert(1)</script>\"'&"
MARKS = [model_mark(0), model_mark(1)]


def drawn(chart: Bands | Points | Curves, description: str = "what it shows") -> ET.Element:
    return ET.fromstring(static_svg(chart, description, MARKS))


def percent(text: str | None) -> float:
    assert text is not None
    assert text.endswith("%")
    return float(text[:-1])


def test_bars_start_at_zero_and_end_at_the_value() -> None:
    rows = [
        {"row": "math", "model": "a", "value": 20.0, "low": 10.0, "high": 30.0},
        {"row": "math", "model": "b", "value": -10.0, "low": -20.0, "high": 0.0},
    ]
    chart = Bands(rows, ["math"], ["a", "b"], "points", span=(-50.0, 50.0), bars=True)
    root = drawn(chart)
    up, down = root.findall("rect")
    assert (percent(up.get("x")), percent(up.get("width"))) == (50.0, 20.0)
    assert (percent(down.get("x")), percent(down.get("width"))) == (40.0, 10.0)
    assert [up.get("class"), down.get("class")] == ["m0 bar", "m1 bar"]
    whisker = next(line for line in root.findall("line") if line.get("class") == "whisker")
    assert (percent(whisker.get("x1")), percent(whisker.get("x2"))) == (60.0, 80.0)
    assert float(up.get("y", "")) < float(down.get("y", ""))


def test_a_point_lies_at_its_place_and_an_unbounded_interval_ends_at_the_edge() -> None:
    row = {"model": "a", "label": "a", "x": 5.0, "x_low": -math.inf, "x_high": 10.0}
    row |= {"y": -5.0, "y_low": -10.0, "y_high": 0.0}
    root = drawn(Points([row], ["a"], ("gain", "kept"), intervals=True, origin="base"))
    dot = root.find("svg")
    assert dot is not None
    # x from -0.6 to 10.6, y from -10.6 to 0.6 over 330 pixels
    assert percent(dot.get("x")) == pytest.approx(100 * 5.6 / 11.2, abs=0.01)
    assert float(dot.get("y", "")) == pytest.approx(330 * 5.6 / 11.2, abs=0.1)
    across = next(line for line in root.findall("line") if line.get("class") == "interval m0")
    assert percent(across.get("x1")) == 0.0
    assert "base" in [text.text for text in root.findall("text")]


def test_curves_join_their_points() -> None:
    rows = [{"model": "a", "x": x, "y": y} for x, y in ((0, 0.0), (5, 1.0), (10, 0.0))]
    root = drawn(Curves(rows, ["a", "none"], ("step", "loss")))
    lines = [line for line in root.findall("line") if line.get("class") == "curve m0"]
    assert [(percent(e.get("x1")), percent(e.get("x2"))) for e in lines] == [(0, 50), (50, 100)]
    assert lines[0].get("y2") == lines[1].get("y1")


def test_what_is_not_known_is_not_drawn() -> None:
    row = {"row": "r", "model": "a", "value": math.nan, "low": math.nan, "high": math.nan}
    root = drawn(Bands([row], ["r"], ["a"], "points", span=(-1.0, 1.0)))
    assert root.findall("svg") == []
    point = {"model": "a", "label": "a", "x": 1.0, "y": None}
    assert drawn(Points([point | {"y": math.nan}], ["a"], ("x", "y"))).findall("svg") == []


def test_names_are_text_and_long_ones_are_cut_with_the_whole_in_a_title() -> None:
    long = f"{EVIL}{'n' * 40}"
    row = {"row": long, "model": EVIL, "value": 1.0, "low": 0.0, "high": 2.0}
    chart = Bands([row], [long], [EVIL], EVIL)
    text = static_svg(chart, EVIL, MARKS)
    assert "<script" not in text
    root = ET.fromstring(text)
    assert root.get("aria-label") == EVIL
    label = next(t for t in root.findall("text") if t.get("class") == "label")
    assert label.text == f"{long[:21]}…"
    assert label.findtext("title") == long


def test_every_shape_has_a_path() -> None:
    for at in range(6):
        mark = model_mark(at)
        assert re.search(rf'class="m{at}" d="{re.escape(PATHS[mark.shape])}"', mark_svg(mark))
