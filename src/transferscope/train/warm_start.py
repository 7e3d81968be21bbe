"""Checks whether an arm can start from a given model, which is a whole model or an adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import read_json
from ..models import find_model
from .arm_config import ArmConfig


def adapter_of(model: str) -> dict[str, Any] | None:
    """Return the PEFT configuration of the adapter ``model``; ``None`` for a whole model.

    Raises :class:`InputError` as ``find_model`` does.
    """
    adapter = find_model(model).adapter
    return None if adapter is None else read_json(Path(adapter) / "adapter_config.json")


def refuse_start(config: ArmConfig, adapter: Mapping[str, Any] | None, *, place: str) -> None:
    """Raise :class:`InputError` if the arm can't start from ``adapter`` (see `adapter_of`).

    An adapter keeps its rank when its training continues. If all weights are trained, the adapter
    is merged first. The reference model for ``beta`` > 0 can't be loaded from it then, because the
    adapter's base would become the reference.
    """
    if adapter is None:
        return
    if config.lora_rank and adapter.get("r") != config.lora_rank:
        what = f"lora_rank is {config.lora_rank}, but the start's adapter has {adapter.get('r')}"
        raise InputError(what, place=place, remedy="set lora_rank to the adapter's rank")
    if config.beta > 0 and not config.lora_rank:
        raise InputError(
            "beta > 0 needs a reference model, which can't be loaded from an adapter",
            place=place,
            remedy="merge the adapter into a model folder first, or set lora_rank",
        )
