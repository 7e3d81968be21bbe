from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from transferscope.models import load_model
from transferscope.train import ArmConfig, surrogate, train_arm
from transferscope.train.step_log import read_steps
from transferscope.train.surrogate import drop_weightless, rewards

from .helpers import Killed, kill_after, weights


def config(tiny: str, **fields: object) -> ArmConfig:
    settings = {
        "steps": 4,
        "queries_per_step": 2,
        "rollouts": 4,
        "max_tokens": 8,
        "rows_per_forward": 4,
    }
    settings |= {"learning_rate": 1e-2, "save_every": 1, "arm": "on-policy-rl-no-kl", "model": tiny}
    return ArmConfig.model_validate(settings | fields)


def even_length(
    completions: list[object], completion_ids: list[list[int]], gold: list[str], *, ends: object
) -> list[float]:
    """A reward that random rollouts sometimes earn."""
    return [float(sum(ids) % 2 == 0) for ids in completion_ids]


@pytest.fixture
def earnable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surrogate, "rewards", even_length)


def test_reward_is_the_grader_on_finished_answers() -> None:
    texts = ["It is 12.", "It is 12.", "It is 13.", "\\boxed{12}"]
    completions = [[{"role": "assistant", "content": text}] for text in texts]
    ids = [[5, 2], [5, 6], [5, 2], [9, 7]]
    assert rewards(completions, ids, ["12"] * 4, ends=[2, 7]) == [1.0, 0.0, 0.0, 1.0]


def test_flat_groups_are_dropped_and_columns_trimmed() -> None:
    batch = {
        "prompt_ids": torch.tensor([[5, 6, 7], [0, 6, 7], [0, 6, 8]]),
        "prompt_mask": torch.tensor([[1, 1, 1], [0, 1, 1], [0, 1, 1]]),
        "completion_ids": torch.tensor([[5, 6, 7], [3, 2, 0], [2, 0, 0]]),
        "completion_mask": torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]]),
        "advantages": torch.tensor([0.0, 1.0, -1.0]),
        "num_items_in_batch": torch.tensor(6),
    }
    kept = drop_weightless(batch)
    assert kept["prompt_ids"].tolist() == [[6, 7], [6, 8]]
    assert kept["completion_ids"].tolist() == [[3, 2], [2, 0]]
    assert kept["advantages"].tolist() == [1.0, -1.0]
    assert int(kept["num_items_in_batch"]) == 6
    flat = drop_weightless(batch | {"advantages": torch.zeros(3)})
    assert flat["prompt_ids"].tolist() == [[5, 6, 7]]
    assert drop_weightless(batch, at_least=3)["advantages"].tolist() == [0.0, 1.0, -1.0]
    assert drop_weightless(batch, 3)["advantages"].tolist() == [0.0, 1.0, -1.0]


@pytest.mark.usefixtures("earnable")
def test_dropping_leaves_the_gradient(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One query of two rollouts: often flat. Same seed, with and without dropping.
    settings = {"precision": "fp32", "rollouts": 2, "steps": 2, "learning_rate": 1e-4}
    with_drop = train_arm(config(tiny, **settings), tmp_path / "a")
    monkeypatch.setattr(surrogate, "drop_weightless", lambda batch, parts, at_least: batch)
    without = train_arm(config(tiny, **settings), tmp_path / "b")
    a, b = (read_steps(out / "steps.jsonl") for out in (with_drop, without))
    assert any(step["flat_groups"] > 0 for step in a)
    assert sum(s["tokens_trained"] for s in a) < sum(s["tokens_trained"] for s in b)
    for mine, theirs in zip(a, b, strict=True):
        assert mine["grad_norm"] == pytest.approx(theirs["grad_norm"], rel=1e-4, abs=1e-7)


def test_length_is_that_of_all_responses(tiny: str, tmp_path: Path) -> None:
    # A teacher that answers one of two queries rightly at some length: its flat groups are dropped.
    file, teacher = tmp_path / "q.jsonl", tmp_path / "t.jsonl"
    asked = {"1 + 1?": ["It is 2.", "It is 3."], "2 + 2?": ["It is 4, of course.", "It is 4."]}
    rows = [{"prompt": p, "gold": g} for p, g in zip(asked, ("2", "4"), strict=True)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pairs = [{"prompt": p, "response": r} for p, answers in asked.items() for r in answers]
    teacher.write_text("".join(json.dumps(row) + "\n" for row in pairs))
    settings = {"arm": "off-policy-rl", "rollouts": 2, "steps": 1, "queries_from": str(file)}
    out = train_arm(config(tiny, **settings, teacher=str(teacher)), tmp_path / "arm")
    (step,) = read_steps(out / "steps.jsonl")
    assert step["flat_groups"] == 0.5
    # A token a byte, and the end: 9, 9, 20 and 9; the second query's are in no gradient.
    assert step["length"] == (9 + 9 + 20 + 9) / 4
    assert (step["tokens_trained"], step["tokens_generated"]) == (18, 0)


@pytest.mark.usefixtures("earnable")
def test_accumulation_leaves_the_gradient(tiny: str, tmp_path: Path) -> None:
    settings = {"precision": "fp32", "steps": 1}
    outs = [
        train_arm(config(tiny, **settings, rows_per_forward=n), tmp_path / str(n)) for n in (2, 8)
    ]
    a, b = (read_steps(out / "steps.jsonl")[0] for out in outs)
    assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-4) != 0
    assert a["loss"] == pytest.approx(b["loss"], rel=1e-4, abs=1e-6)
    assert a["tokens_generated"] == b["tokens_generated"]


@pytest.mark.usefixtures("earnable")
@pytest.mark.parametrize("beta", [0.0, 0.05])
def test_interrupted_equals_uninterrupted(tiny: str, tmp_path: Path, beta: float) -> None:
    arm = {"beta": beta, "arm": "on-policy-rl" if beta else "on-policy-rl-no-kl"}
    whole = train_arm(config(tiny, **arm), tmp_path / "whole")
    steps = read_steps(whole / "steps.jsonl")
    assert [step["step"] for step in steps] == [1, 2, 3, 4]
    assert all(0 <= step["reward"] <= 1 and step["tokens_generated"] > 0 for step in steps)
    assert any(step["reward_std"] > 0 and step["grad_norm"] > 0 for step in steps)
    assert (steps[-1]["kl"] is None) == (beta == 0)

    with pytest.raises(Killed):
        train_arm(config(tiny, **arm), tmp_path / "cut", tick=kill_after(3))
    cut = train_arm(config(tiny, **arm), tmp_path / "cut")
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(cut)[name]), name
    again = read_steps(cut / "steps.jsonl")
    assert [s["reward"] for s in again] == [s["reward"] for s in steps]
    assert load_model(str(cut)).dtype == torch.float32


@pytest.mark.usefixtures("earnable")
def test_an_adapter_with_a_reference_goes_on_after_a_kept_model(tiny: str, tmp_path: Path) -> None:
    # TRL adds the start as a second adapter: it is neither kept nor in the way of the next save.
    arm = {"arm": "on-policy-rl", "beta": 0.1, "lora_rank": 2, "keep_every": 1, "save_every": 4}
    whole = train_arm(config(tiny, **arm), tmp_path / "whole")
    with pytest.raises(Killed):
        train_arm(config(tiny, **arm), tmp_path / "cut", tick=kill_after(3))
    assert (tmp_path / "cut" / "at" / "2" / "adapter_model.safetensors").is_file()
    cut = train_arm(config(tiny, **arm), tmp_path / "cut")
    assert not list(cut.rglob("ref"))
    for at in ("", "at/1", "at/3"):
        mine, theirs = (load_file(f / at / "adapter_model.safetensors") for f in (cut, whole))
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
