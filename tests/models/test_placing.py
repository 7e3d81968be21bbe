"""Where models go: one default for engines and probes, none for a trainer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from transferscope.engines import HFEngine
from transferscope.models import find_model, load_adapted, load_model
from transferscope.probe.hidden import hidden_shift
from transferscope.probe.model_pairs import open_model
from transferscope.probe.tokens import token_shift
from transferscope.train import arm_config
from transferscope.train.arm import trainable_model


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A machine that says it has a GPU. Models that are sent to it stay where they are."""
    devices: list[Any] = []

    def to(self: PreTrainedModel, device: Any) -> PreTrainedModel:
        devices.append(device)
        return self

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(PreTrainedModel, "to", to)
    return devices


@pytest.fixture
def adapter(tiny_model: Path, tmp_path: Path) -> Path:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    adapted = get_peft_model(load_model(str(tiny_model)), config)
    adapted.peft_config["default"].base_model_name_or_path = str(tiny_model)
    adapted.save_pretrained(str(tmp_path / "adapter"))
    return tmp_path / "adapter"


def test_engines_and_probes_use_the_gpu(tiny_model: Path, adapter: Path, sent: list[Any]) -> None:
    model, tuned = str(tiny_model), str(adapter)
    loads: list[tuple[Callable[[], Any], int]] = [
        (lambda: load_model(model), 1),
        (lambda: load_adapted(find_model(tuned)), 1),
        (lambda: open_model(model, dtype="float32"), 1),
        (lambda: HFEngine(model), 1),
        (lambda: hidden_shift(model, tuned, ["a", "b", "c"]), 1),  # one model, switched
        (lambda: token_shift(model, model, [("a", "b")]), 2),
    ]
    for load, models in loads:
        sent.clear()
        load()
        assert sent == ["cuda"] * models


def test_a_named_device_and_a_trainer_s_own_are_kept(
    tiny_model: Path, adapter: Path, sent: list[Any]
) -> None:
    model, tuned = str(tiny_model), str(adapter)
    load_model(model, device_map="cpu")
    load_model(tuned, device_map="cpu")
    hidden_shift(model, tuned, ["a", "b", "c"], device_map="cpu")
    for start, rank in ((model, 0), (model, 2), (tuned, 0)):
        given = {"arm": "on-policy-rl", "model": start, "lora_rank": rank}
        trainable_model(arm_config(given, place="given"), find_model(start))
    assert sent == []
