"""What every arm does around its trainer."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from transferscope.train import ArmConfig, arm, train_arm


def config(model: str, name: str, **fields: object) -> ArmConfig:
    settings = {"steps": 2, "queries_per_step": 2, "rollouts": 2, "max_tokens": 4}
    settings |= {"arm": name, "model": model, "save_every": 1}
    return ArmConfig.model_validate(settings | fields)


@pytest.mark.parametrize(
    ("name", "fields"),
    [("on-policy-rl", {"beta": 0.1, "lora_rank": 2}), ("random-reward", {}), ("classic-sft", {})],
)
def test_a_finished_arm_leaves_no_weights_in_memory(
    tiny: str, name: str, fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[weakref.ref[Any]] = []
    trainable = arm.trainable_model

    def watched(*args: Any) -> Any:
        model = trainable(*args)
        models.append(weakref.ref(model))
        return model

    monkeypatch.setattr(arm, "trainable_model", watched)
    gc.disable()  # so that no collection by chance frees it
    try:
        train_arm(config(tiny, name, steps=1, **fields), tmp_path / "arm")
        assert [model() for model in models] == [None]
    finally:
        gc.enable()
