"""A study's arms and claims in the terminal, in Markdown, and on a page of many models."""

import io
import re
from dataclasses import replace

import sample
from rich.console import Console
from test_study_sections import CLAIM, EVIL, OPEN

from transferscope.core.over_runs import RunMean
from transferscope.documents.study_results import ArmMean
from transferscope.report import render_html, render_markdown
from transferscope.report.study import print_study
from transferscope.report.study_grids import arm_grid

MEAN = ArmMean(
    arm="on-policy-rl",
    learning_rate=6e-4,
    runs=6,
    gain={"non": RunMean(-1.0, (-3.0, 1.0)), "math": RunMean(16.9, (13.2, 20.5))},
    retention=RunMean(0.0, (-2.1, 2.1)),
    shift={"kl": RunMean(0.123, None)},
    seconds=90.0,
)
ALONE = replace(MEAN, arm=EVIL, runs=1, gain={"math": RunMean(-8.0, None)})


def report():
    return replace(sample.sample(), arm_means=[MEAN, ALONE], claims=[CLAIM, OPEN])


def test_an_arm_is_a_row_with_the_source_first() -> None:
    grid = arm_grid([MEAN, ALONE], "math")
    assert grid.head[:5] == ("arm", "runs", "math (source)", "retention", "non-reasoning")
    assert grid.rows[0][1:5] == (
        "6",
        "+16.9 (13.2 to 20.5)",
        "0.0 (−2.1 to 2.1)",
        "−1.0 (−3.0 to 1.0)",
    )
    assert grid.rows[0][5:] == ("+0.123", "n/a", "1 min 30 s")
    assert grid.rows[1][2:5] == ("−8.0", "0.0 (−2.1 to 2.1)", "n/a")


def test_learning_rates_are_named_where_an_arm_has_several() -> None:
    labels = [row[0] for row in arm_grid([MEAN, replace(MEAN, learning_rate=1e-5)], "math").rows]
    assert labels == ["on-policy-rl at 0.0006", "on-policy-rl at 1e-05"]


def test_the_terminal_fits_80_columns_and_says_every_verdict() -> None:
    console = Console(file=io.StringIO(), width=80, no_color=True)
    print_study(report(), console)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert "confirmed: RL keeps more" in text
    assert "measured 2.50, 95 % interval 0.50 to 4.50, threshold 0, runs 6" in text
    assert "undecided: RL keeps more" in text
    assert "+16.9 (13.2 to 20.5)" in text


def test_markdown_has_arms_and_claims_escaped() -> None:
    text = render_markdown(report())
    assert "### Arms: means over training runs" in text
    assert "+16.9 (13.2 to 20.5)" in text
    assert "### The paper's claims, at this scale" in text
    assert "<script>" not in text
    assert "### Arms" not in render_markdown(sample.sample())


def test_a_page_of_many_models_shows_arms_first_and_folds_each_model() -> None:
    few = render_html(report())
    assert few.index('id="verdict"') < few.index('id="arms"')
    assert few.count('<details class="fold">') == 1  # what all runs share
    whole = report()
    tuned = tuple(
        replace(whole.comparison.tuned[0], model=f"model-{number}") for number in range(8)
    )
    many = render_html(replace(whole, comparison=replace(whole.comparison, tuned=tuned)))
    assert many.index('id="overview"') < many.index('id="arms"')
    assert many.index('id="arms"') < many.index('id="claims"') < many.index('id="verdict"')
    # Verdicts, numbers, index and what all runs share once; benchmarks, artefacts, robustness and
    # flips once and once a model.
    assert many.count('<details class="fold">') == 4 + 4 * (1 + 8)
    assert many.count("<details") == many.count("</details>")
    assert not re.search(r"<script>alert", many)


def test_runs_of_one_arm_have_one_colour_and_the_legend_names_arms() -> None:
    whole = sample.sample()
    names = [result.model for result in whole.comparison.tuned]
    single = replace(whole, hidden={}, tokens={}, training={}, costs={}, dynamics={}, weights={})
    study = replace(single, arms=dict.fromkeys(names, "an-arm"), arm_means=[MEAN])
    page = render_html(study)
    shared = f'"usermeta":{{"marks":{[["m0", "circle"]] * len(names)}}}'
    shared = shared.replace(" ", "").replace("'", '"')
    assert shared in page
    assert "</svg>an-arm</li>" in page
    assert shared not in render_html(single)  # a mark each
