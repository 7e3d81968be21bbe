from __future__ import annotations

import cohort
import sample

from transferscope.report import figures
from transferscope.report.chart_data import TONES, Bands, Points
from transferscope.report.model_names import with_short_names
from transferscope.report.overview import by_retention


def test_few_models_are_told_by_their_marks() -> None:
    comparison = sample.comparison()
    plane = figures.plane(comparison)
    assert plane is not None
    assert isinstance(plane.chart, Points)
    assert [row["model"] for row in plane.chart.rows] == [sample.RL, sample.SFT]
    assert plane.spec["usermeta"]["marks"] == [["m0", "circle"], ["m1", "square"]]
    assert plane.spec["description"] == f"{plane.title}: {plane.caption}"
    assert plane.still.count("<path") == 2
    (groups,) = figures.group_bars(comparison)
    assert isinstance(groups.chart, Bands)
    assert groups.chart.bars


def test_many_models_have_a_labelled_line_each_and_colour_tells_the_verdict() -> None:
    comparison = by_retention(with_short_names(cohort.comparison(24)))
    plane = figures.plane(comparison)
    assert plane is not None
    assert [row["note"] for row in plane.chart.rows] == [str(at) for at in range(1, 25)]
    assert {row["model"] for row in plane.chart.rows} <= set(TONES)
    charts = figures.group_bars(comparison)
    assert len(charts) == len(comparison.groups)
    for figure, group in zip(charts, comparison.groups, strict=True):
        assert isinstance(figure.chart, Bands)
        assert figure.chart.alone
        assert figure.chart.span == charts[0].chart.span
        best = comparison.tuned[0]
        assert figure.chart.bands[0] == f"1 {best.model.removeprefix('llama-3.2-1b-')}"
        assert figure.chart.rows[0]["value"] == best.plane[group].gain
    assert figures.benchmark_deltas(comparison) == []


def test_every_line_of_a_tooltip_has_its_own_title() -> None:
    plane = figures.plane(sample.comparison())
    assert plane is not None
    tips = [layer["encoding"].get("tooltip") for layer in plane.spec["layer"]]
    (titles,) = (
        [tip.get("title", tip["field"]) for tip in tip_list] for tip_list in tips if tip_list
    )
    assert len(titles) == 7
    assert len(set(titles)) == len(titles)
    assert titles[-2:] == ["retention, 95 % interval from", "retention, 95 % interval to"]
