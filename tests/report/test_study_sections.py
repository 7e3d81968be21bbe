"""What a study adds to the page: claims, frontier, dynamics, weights, predictors, FLOPs."""

import json
import re
from dataclasses import replace
from html import unescape

import sample

from transferscope.core.predictors import Predictor
from transferscope.core.weight_shift import WeightShift
from transferscope.documents.study_results import Claim
from transferscope.report import render_html
from transferscope.report.study_grids import claim_grid
from transferscope.report.views import cost_grid, dynamics_grid, predictor_grid
from transferscope.train.dynamics import Dynamics

EVIL = "</script><script>alert(1)</script>"
CLAIM = Claim("RL keeps more", 2.5, (0.5, 4.5), 0.0, "confirmed", 6)
OPEN = replace(CLAIM, measured=None, ci=None, verdict="undecided", runs=1, why=EVIL)
PREDICTOR = Predictor("KL", 12, 6, r2=0.5, r2_ci=(0.1, 0.9), r2_left_out=-0.2, rank=0.7)
DYNAMICS = Dynamics(1.5, 2, 1.5, 1.5, 1.5, 1.5, 1.5, zeros=0, nonfinite=3, steps=12)


def test_claims_say_what_was_measured_and_why_nothing_was_decided() -> None:
    rows = claim_grid([CLAIM, OPEN]).rows
    assert rows[0] == ("RL keeps more", "confirmed", "2.50", "0.50 to 4.50", "0", "6")
    assert rows[1][1].startswith("undecided (")
    assert rows[1][2:] == ("n/a", "none", "0", "1")


def test_predictors_have_an_interval_or_say_that_it_is_undecided() -> None:
    undefined = replace(PREDICTOR, undefined="the drop doesn't vary")
    rows = predictor_grid([PREDICTOR, undefined]).rows
    assert rows[0][1:6] == ("+0.700", "undecided", "0.500", "0.10 to 0.90", "−0.200")
    assert rows[1][1] == "undefined: the drop doesn't vary"


def test_flops_and_gpu_time_are_shown_as_such() -> None:
    grid = cost_grid({"a": {"flops": 3.2e13, "8_gpus_seconds": 90.0}})
    assert grid.rows == (("a", "3.20e13", "1 min 30 s"),)
    assert grid.head == ("model", "FLOPs", "estimated time on 8 GPUs")


def test_the_estimate_says_what_it_assumes_and_lengths_are_drawn() -> None:
    report = replace(sample.sample(), cost_note=f"N = 3 GPUs {EVIL}")
    page = render_html(report)
    assert "N = 3 GPUs &lt;/script&gt;" in page
    assert "Answer length, tokens" in page
    assert "N = 3 GPUs" not in render_html(replace(report, costs={}))


def test_the_page_of_a_study() -> None:
    report = sample.sample()
    models = [result.model for result in report.comparison.tuned]
    report = replace(
        report,
        claims=[CLAIM, OPEN],
        predictors=[PREDICTOR],
        arms=dict.fromkeys(models, EVIL),
        dynamics={models[0]: DYNAMICS},
        weights={models[0]: WeightShift(10, 0.9, 0.4, None, 3.0)},
    )
    page = render_html(report)
    assert "alert(1)</script>" not in page
    for anchor in ("claims", "predictors", "weights", "training"):
        assert f'<section id="{anchor}">' in page
    spec = re.search(r'id="spec-frontier">(.*?)</script>', page, re.S)
    points = json.loads(unescape(spec[1]))["layer"][-1]["data"]["values"]
    assert [point["label"] for point in points] == models
    source = report.comparison.source
    assert points[0]["x"] == report.comparison.tuned[0].plane[source].gain
    assert points[0]["y"] == report.comparison.tuned[0].retention.gain
    assert "Gradient dynamics" in page
    grid = dynamics_grid({"a": DYNAMICS})
    assert grid.head[-2:] == ("zeros", "not finite")
    assert grid.rows[0][-2:] == ("0", "3")
    assert 'id="claims"' not in render_html(sample.sample())
    # One run of each arm is what the plane shows: no frontier, no section of arms.
    single = replace(report, arms={model: model for model in models}, arm_means=())
    assert len(models) > 1
    assert 'id="arms"' not in render_html(single)
