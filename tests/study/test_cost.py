from __future__ import annotations

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import digest
from transferscope.study import parse_study
from transferscope.study.cost import cost_of, estimate_note

STEPS = [
    {"tokens_generated": 10, "tokens_trained": 4, "seconds": 1.0},
    {"tokens_generated": 0, "tokens_trained": 1, "seconds": None},
]
TEXT = 'name = "s"\nbase = "smollm2-135m"\n[arms.on-policy-rl]\n'


def test_flops_and_the_time_on_n_gpus_by_hand() -> None:
    cost = cost_of(STEPS, weights=100)
    assert cost["flops"] == 100 * (2 * 10 + 6 * 5)
    assert cost["8_gpus_seconds"] == 5000 / (8 * 4e14)
    assert (cost["steps"], cost["seconds"]) == (2, 1.0)
    assert "flops" not in cost_of(STEPS)
    assert "cpu_seconds" not in cost
    assert cost_of([row | {"cpu_seconds": 0.75} for row in STEPS])["cpu_seconds"] == 1.5
    many = cost_of(STEPS, weights=100, gpus=64)
    assert many["64_gpus_seconds"] == pytest.approx(cost["8_gpus_seconds"] / 8)
    assert "8_gpus_seconds" not in many


def test_the_note_says_for_how_many_and_how_fast() -> None:
    assert "N = 64 GPUs: FLOPs / (N × 400 TFLOP/s)" in estimate_note(64)


def test_the_note_says_what_is_left_out() -> None:
    note = estimate_note(8)
    assert "the reference model's pass over the answers if beta is above 0" in note
    assert "the sampling of a teacher's responses" in note


def test_the_number_of_gpus_is_a_setting_and_changes_no_result() -> None:
    plain = parse_study(TEXT, place="s.toml")
    other = parse_study(f"{TEXT}[cost]\ngpus = 64\n", place="s.toml")
    assert (plain.cost.gpus, other.cost.gpus) == (8, 64)
    # What a folder is known by is what it was before there was such a setting.
    before = plain.model_dump(mode="json")
    del before["cost"]
    assert digest(plain.identity()) == digest(other.identity()) == digest(before)
    assert list(before) == [
        *("name", "base", "suite", "source", "items", "seed", "arms", "probe", "claims")
    ]
    with pytest.raises(InputError, match=r"s.toml \[cost.gpus\]"):
        parse_study(f"{TEXT}[cost]\ngpus = 0\n", place="s.toml")
