"""What arms don't share is told, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from transferscope.study import demo_study, load_study, parse_study
from transferscope.study.fairness import unequal

STUDIES = Path(__file__).parents[2] / "studies"


def said(text: str) -> list[str]:
    return unequal(parse_study(f'name = "s"\nbase = "smollm2-135m"\n{text}', place="s.toml"))


@pytest.mark.parametrize(
    "name", ["smollm2-135m/study.toml", "smollm2-135m/sweep.toml", "sequences/study.toml"]
)
def test_the_repositorys_studies_are_under_equal_conditions(name: str) -> None:
    assert unequal(load_study(STUDIES / name)) == []
    assert unequal(demo_study()) == []


@pytest.mark.parametrize(
    ("rl", "sft", "message"),
    [
        ("steps = 3", "steps = 4", "the number of queries seen: on-policy-rl 18, on-policy-sft 24"),
        (
            "steps = 3\nqueries_per_step = 4",
            "steps = 4\nqueries_per_step = 3",
            "the number of queries per step: on-policy-rl 4, on-policy-sft 3",
        ),
        ('queries_from = "mini:sequences"', "", "their queries: on-policy-rl mini:sequences"),
        ("lora_rank = 4", "", "lora_rank: on-policy-rl 4, on-policy-sft 0"),
        ("max_tokens = 9", "", "max_tokens of their own samples: on-policy-rl 9, on-policy-sft 48"),
        ("temperature = 1.0", "", "the temperature of their own samples: on-policy-rl 1.0"),
        (
            "seed = 1",
            "",
            "the seeds, which determine their queries: on-policy-rl 1; on-policy-sft 0",
        ),
        ("seeds = [0, 1]", "seeds = [1, 2]", "queries: on-policy-rl 0, 1; on-policy-sft 1, 2"),
        ("seeds = [0, 1]", "seeds = [3]", "queries: on-policy-rl 0, 1; on-policy-sft 3"),
    ],
)
def test_a_difference_is_told(rl: str, sft: str, message: str) -> None:
    (sentence,) = said(f"[arms.on-policy-rl]\n{rl}\n[arms.on-policy-sft]\n{sft}\n")
    assert sentence.startswith("The arms differ in ")
    assert message in sentence
    assert sentence.endswith(". They are therefore not compared under equal conditions.")


def test_what_is_each_arms_own_choice_or_not_used_is_no_difference() -> None:
    rl = "[arms.on-policy-rl]\nseeds = [0, 1, 2]\nlearning_rates = [1e-5, 2e-5]\nmax_tokens = 9\n"
    assert said(f"{rl}[arms.off-policy-sft]\nseeds = [0, 2]\nrollouts = 2\n") == []
    assert said('[arms.theirs]\ncheckpoint = "a/b"\n') == []


def test_an_arm_that_goes_on_from_another_has_seen_more() -> None:
    chain = (
        "[arms.off-policy-sft]\nseeds = [0, 1]\nsteps = 4\n"
        '[arms.rl]\narm = "on-policy-rl"\nseeds = [0, 1]\nsteps = 4\n'
        'init_from = "off-policy-sft"\n'
        '[arms.more]\narm = "on-policy-rl"\nseeds = [0, 1]\nsteps = 4\ninit_from = "rl"\n'
    )
    unlike = (
        "It is therefore not compared with arms that start from the base under equal conditions."
    )
    assert said(chain) == [
        f"rl starts from off-policy-sft, which was trained on 24 queries before. {unlike}",
        f"more starts from rl, which was trained on 48 queries before. {unlike}",
    ]
    assert said(
        '[arms.theirs]\ncheckpoint = "a/b"\n[arms.rl]\narm = "on-policy-rl"\ninit_from = "theirs"\n'
    ) == [f"rl starts from theirs, a checkpoint whose training data is unknown. {unlike}"]
