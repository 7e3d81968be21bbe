"""Weights that a launcher would shard: refused where they are needed whole, else gathered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from transferscope.core.errors import InputError
from transferscope.models import load_model
from transferscope.train import RECIPES, ArmConfig, sharding, train_arm

from .helpers import weights

NEEDS_WHOLE = [name for name, recipe in RECIPES.items() if not recipe.stock]


def config(model: str, name: str, **fields: object) -> ArmConfig:
    settings = {"steps": 2, "queries_per_step": 1, "rollouts": 2, "max_tokens": 4}
    settings |= {"arm": name, "model": model, "beta": 0.1 if name == "on-policy-rl" else 0.0}
    return ArmConfig.model_validate(settings | fields)


def test_what_the_launcher_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sharding.sharded() is None
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    assert sharding.sharded() is None  # accelerate's default is stage 2: whole weights
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_ZERO_STAGE", "3")
    assert sharding.sharded() == "ZeRO-3"
    for stage, found in ((2, None), (3, "ZeRO-3")):
        file = tmp_path / f"{stage}.json"
        file.write_text(json.dumps({"zero_optimization": {"stage": stage}}))
        monkeypatch.setenv("ACCELERATE_DEEPSPEED_CONFIG_FILE", str(file))
        assert sharding.sharded() == found
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    assert sharding.sharded() == "FSDP"


@pytest.mark.parametrize("name", NEEDS_WHOLE)
def test_arms_that_read_whole_weights_refuse_sharded_ones(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(InputError) as caught:  # before a model is even looked for
        train_arm(config("no/such-model", name), tmp_path / "arm")
    said = str(caught.value)
    assert f"{name} needs whole weights, but FSDP shards them across processes; use DDP" in said
    assert ("verl" in said) == name.startswith("on-policy-rl")
    assert ("classic-sft" in said) == (name == "off-policy-sft")
    assert not (tmp_path / "arm").exists()


def test_the_classic_arm_saves_gathered_weights(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No GPUs here: accelerate's gathering is stood in for by weights that are told apart.
    whole = {name: torch.full_like(w, 0.5) for name, w in load_model(tiny).state_dict().items()}
    asked: list[Any] = []
    monkeypatch.setattr(sharding, "sharded", lambda: "FSDP")
    monkeypatch.setattr(
        Accelerator, "get_state_dict", lambda _, model: asked.append(model) or dict(whole)
    )
    out = train_arm(config(tiny, "classic-sft", keep_every=1), tmp_path / "arm")
    assert len(asked) == 2
    for folder in (out, out / "at" / "1"):
        assert all(bool((value == 0.5).all()) for value in weights(folder).values())
