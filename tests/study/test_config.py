from __future__ import annotations

import pytest

from transferscope.core.errors import InputError
from transferscope.study import StudyConfig, parse_study
from transferscope.study.plan import run_names

HEAD = 'name = "s"\nbase = "smollm2-135m"\n'


def study(text: str) -> StudyConfig:
    return parse_study(HEAD + text, place="s.toml")


def test_every_rate_and_seed_is_a_cell() -> None:
    cells = study(
        "[arms.on-policy-rl]\nseeds = [0, 3]\nlearning_rates = [1e-5, 3e-5]\nsteps = 5\n"
        "[arms.off-policy-sft]\nseeds = [0, 3]\n"
    ).cells()
    assert [cell.name for cell in cells] == [
        "on-policy-rl-lr1e-05-seed0",
        "on-policy-rl-lr3e-05-seed0",
        "off-policy-sft-seed0",
        "on-policy-rl-lr1e-05-seed3",
        "on-policy-rl-lr3e-05-seed3",
        "off-policy-sft-seed3",
    ]
    last = cells[4].config
    assert last is not None
    assert (last.arm, last.seed, last.learning_rate, last.steps) == ("on-policy-rl", 3, 3e-5, 5)


def test_an_arm_starts_from_another_with_its_seed() -> None:
    cells = study(
        "[arms.off-policy-sft]\nseeds = [1, 2]\n"
        '[arms.then-rl]\narm = "on-policy-rl-no-kl"\nseeds = [2, 1]\ninit_from = "off-policy-sft"\n'
        '[arms.theirs]\ncheckpoint = "/models/x"\n'
    ).cells()
    assert [(cell.name, cell.start) for cell in cells] == [
        ("off-policy-sft-seed1", None),
        ("theirs", None),
        ("off-policy-sft-seed2", None),
        ("then-rl-seed2", "off-policy-sft-seed2"),
        ("then-rl-seed1", "off-policy-sft-seed1"),
    ]
    assert (cells[1].config, cells[1].checkpoint) == (None, "/models/x")


def test_kept_checkpoints_are_runs_of_their_own() -> None:
    (cell,) = study("[arms.on-policy-sft]\nsteps = 12\nkeep_every = 4\n").cells()
    assert run_names(cell) == ["on-policy-sft@4", "on-policy-sft@8", "on-policy-sft"]


def test_the_source_group_is_data() -> None:
    config = study('source = "other"\n[arms.on-policy-sft]\n')
    assert config.load_suite().source == "other"
    assert config.load_suite().targets == ("math", "non")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'source = "law"\n[arms.on-policy-sft]\n',
            "suite mini has no group 'law'; use one of math",
        ),
        ('[arms.a]\narm = "on-policy-sft"\ninit_from = "b"\n', "init_from 'b' is no arm above"),
        (
            "[arms.off-policy-sft]\nlearning_rates = [1e-5, 2e-5]\n"
            '[arms.a]\narm = "on-policy-sft"\ninit_from = "off-policy-sft"\n',
            "init_from 'off-policy-sft' is several models",
        ),
        ('[arms.a]\ncheckpoint = "x"\nsteps = 3\n', "no other setting goes with it"),
        ("[arms.on-policy-rl]\nseeds = [-1]\n", r"\[arms.on-policy-rl\] \[seeds.0\]"),
        (
            "[arms.on-policy-rl]\nseeds = [0, 1]\n"
            '[arms.on-policy-rl-seed1]\narm = "on-policy-sft"\n',
            "two models of the study would be called 'on-policy-rl-seed1'",
        ),
        ("[arms.on-policy-rl]\n[claims]\nkl_matters = 0\n", r"\[claims.kl_matters\]"),
    ],
)
def test_what_does_not_fit_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        study(text)
