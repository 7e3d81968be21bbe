"""Whether an arm can go on from its start, which is a whole model or an adapter on one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import read_json
from ..models import find_model
from .arm_config import ArmConfig


def adapter_of(model: str) -> dict[str, Any] | None:
    """The PEFT configuration of the adapter that ``model`` names; ``None`` for a whole model.

    Raises :class:`InputError` as ``find_model`` does.
    """
    adapter = find_model(model).adapter
    return None if adapter is None else read_json(Path(adapter) / "adapter_config.json")


def refuse_start(config: ArmConfig, adapter: Mapping[str, Any] | None, *, place: str) -> None:
    """Raise :class:`InputError` where the arm can't start from ``adapter`` (see `adapter_of`).

    Adapters are trained on with the rank they have. Where all weights are trained, an adapter is
    merged first, and a reference for ``beta`` > 0 can't be loaded from it: its base would become
    the reference.
    """
    if adapter is None:
        return
    if config.lora_rank and adapter.get("r") != config.lora_rank:
        what = f"lora_rank is {config.lora_rank}, and the start's adapter has {adapter.get('r')}"
        raise InputError(what, place=place, remedy="use the adapter's rank")
    if config.beta > 0 and not config.lora_rank:
        raise InputError(
            "beta > 0 needs a reference, which can't be loaded from an adapter",
            place=place,
            remedy="merge the adapter into a model folder first, or set lora_rank",
        )
