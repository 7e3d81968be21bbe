"""What a launcher asks for: how many processes, and weights dealt out over them by FSDP or ZeRO-3.

Our surrogate reads whole weights where they lie: the sampling copy takes them over parameter by
parameter, and packing is tried out past the hooks that would gather them. So only the arm on TRL's
own trainer is let through, and its weights are gathered before they are saved. DDP and ZeRO 1 and
2, which keep a whole copy in every process, are no concern of this module.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from .arm_config import ArmConfig

if TYPE_CHECKING:
    from transformers import Trainer

INSTEAD = {
    "off-policy-sft": "the arm classic-sft, whose loss is the same",
    "on-policy-rl": "`transferscope export verl`",
    "on-policy-rl-no-kl": "`transferscope export verl`",
}
"""What does an arm's work where a model is too large for one process."""


def processes() -> int:
    """How many a launcher (``torchrun``, ``accelerate launch``) started as one training."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def sharded() -> str | None:
    """What ``accelerate launch`` asks for, "FSDP" or "ZeRO-3"; ``None`` for whole weights.

    Read where accelerate reads it, from the environment: before a model is loaded.
    """
    if _is_set("ACCELERATE_USE_FSDP"):
        return "FSDP"
    return "ZeRO-3" if _is_set("ACCELERATE_USE_DEEPSPEED") and _is_zero3() else None


def refuse_sharded(config: ArmConfig) -> None:
    """Raise :class:`InputError` where weights would be sharded and the arm needs them whole."""
    kind = sharded()
    if kind is None or config.recipe.stock:
        return
    remedy = "use DDP (ddp.yaml of `transferscope export accelerate`)"
    raise InputError(
        f"{config.arm} reads whole weights, and {kind} shards them over the processes",
        place="accelerate's configuration",
        remedy=f"{remedy} or {INSTEAD[config.arm]}" if config.arm in INSTEAD else remedy,
    )


def whole_weights(trainer: Trainer) -> dict[str, Any] | None:
    """Name to tensor of a sharded model, on the first process; every process must call.

    ``None`` where the model holds its own weights. ZeRO-3 gathers them in its 16-bit arithmetic.
    """
    if sharded() is None:
        return None
    found: dict[str, Any] = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    return found


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes")


def _is_zero3() -> bool:
    given = os.environ.get("ACCELERATE_DEEPSPEED_CONFIG_FILE", "none")
    if given == "none":
        return os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE") == "3"
    from accelerate.utils.deepspeed import HfDeepSpeedConfig

    return bool(HfDeepSpeedConfig(given).is_zero3())
