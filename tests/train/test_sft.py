from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from transferscope.core.errors import InputError
from transferscope.models import load_model, load_tokenizer, precision
from transferscope.train import ArmConfig, is_complete, train_arm
from transferscope.train.arm_identity import with_recorded_precision
from transferscope.train.sft import teacher_rows
from transferscope.train.step_log import read_steps

from .helpers import Killed, kill_after, weights


def config(tiny: str, **fields: object) -> ArmConfig:
    settings = {"steps": 4, "queries_per_step": 2, "rollouts": 2, "precision": "fp32"}
    settings |= {"learning_rate": 1e-2, "save_every": 1, "rows_per_forward": 2}
    settings |= {"arm": "classic-sft", "model": tiny}
    return ArmConfig.model_validate(settings | fields)


@pytest.fixture(scope="module")
def trained(tiny: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_arm(config(tiny), tmp_path_factory.mktemp("sft") / "arm")


def test_rows_are_prompt_and_response_with_its_end(tiny: str) -> None:
    tokenizer = load_tokenizer(tiny)
    rows = teacher_rows(config(tiny), tokenizer)
    assert len(rows) == 16
    for row in rows:
        begin = row["completion_mask"].index(1)
        assert row["completion_mask"] == [0] * begin + [1] * (len(row["input_ids"]) - begin)
        assert tokenizer.decode(row["input_ids"][:begin]).endswith("<|im_start|>assistant\n")
        assert tokenizer.decode(row["input_ids"][begin:]).startswith("Okay, let me think")
        assert row["input_ids"].index(tokenizer.eos_token_id, begin) == len(row["input_ids"]) - 1


def test_first_loss_is_the_mean_nll_of_the_response_tokens(tiny: str, trained: Path) -> None:
    model = load_model(tiny)
    total, count = 0.0, 0
    for row in teacher_rows(config(tiny), load_tokenizer(tiny))[:4]:
        ids = torch.tensor([row["input_ids"]])
        with torch.no_grad():
            logp = torch.log_softmax(model(ids).logits[0], dim=-1)
        for position in range(row["completion_mask"].index(1), ids.shape[1]):
            total -= float(logp[position - 1, ids[0, position]])
            count += 1
    first = read_steps(trained / "steps.jsonl")[0]
    assert first["loss"] == pytest.approx(total / count, rel=1e-5)
    assert first["tokens_trained"] == count
    assert first["length"] == pytest.approx(count / 4)


def test_log_and_folder(tiny: str, trained: Path) -> None:
    steps = read_steps(trained / "steps.jsonl")
    assert [step["step"] for step in steps] == [1, 2, 3, 4]
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert all(step["grad_norm"] > 0 and step["seconds"] > 0 for step in steps)
    assert all(step["reward"] is None and step["tokens_generated"] == 0 for step in steps)
    assert is_complete(trained)
    record = json.loads((trained / "arm.json").read_text())
    assert record["base"] == tiny
    assert record["config"]["steps"] == 4
    assert record["cost"]["tokens_trained"] == sum(step["tokens_trained"] for step in steps)
    assert not (trained / "checkpoints").exists()
    assert load_model(str(trained)).dtype == torch.float32


def test_interrupted_equals_uninterrupted(tiny: str, trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "arm"
    with pytest.raises(Killed):
        train_arm(config(tiny), out, tick=kill_after(2))
    assert not is_complete(out)
    assert len(read_steps(out / "steps.jsonl")) == 2  # step 2 logged, its checkpoint not written
    ticks: list[tuple[str, int, int]] = []
    train_arm(config(tiny), out, tick=lambda *tick: ticks.append(tick))
    assert ticks == [("classic-sft", step, 4) for step in (1, 2, 3, 4)]
    assert weights(out).keys() == weights(trained).keys()
    for name, value in weights(out).items():
        assert torch.equal(value, weights(trained)[name]), name
    mine, theirs = (read_steps(folder / "steps.jsonl") for folder in (out, trained))
    assert [s["loss"] for s in mine] == [s["loss"] for s in theirs]


def test_an_arm_goes_on_in_its_recorded_precision(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun where bf16 is multiplied, killed, moved to where it isn't."""
    out, asked = tmp_path / "arm", {"precision": "auto", "steps": 2, "save_every": 1}
    monkeypatch.setattr(precision, "processor_multiplies", lambda: True)
    with pytest.raises(Killed):
        train_arm(config(tiny, **asked), out, tick=kill_after(1))
    monkeypatch.setattr(precision, "processor_multiplies", lambda: False)
    train_arm(config(tiny, **asked), out)
    assert json.loads((out / "arm.json").read_text())["config"]["precision"] == "bf16"
    assert train_arm(config(tiny, **asked), out) == out
    with pytest.raises(InputError, match="another configuration"):
        train_arm(config(tiny, **asked | {"precision": "fp32"}), out)
    fresh = with_recorded_precision(config(tiny, **asked), tmp_path / "none.json")
    assert fresh.precision == "fp32"


def test_a_complete_arm_is_skipped_and_another_config_refused(tiny: str, trained: Path) -> None:
    before = (trained / "model.safetensors").stat().st_mtime_ns
    left = trained / "checkpoints" / "checkpoint-4"  # by a kill before they were removed
    left.mkdir(parents=True)
    (left / "optimizer.pt").touch()
    assert train_arm(config(tiny), trained) == trained
    assert not (trained / "checkpoints").exists()
    assert (trained / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="another configuration"):
        train_arm(config(tiny, seed=1), trained)
