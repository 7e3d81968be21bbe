"""What the launcher requests: the number of processes, and whether FSDP or ZeRO-3 shards weights.

Our surrogate reads whole weights in place: the sampling copy copies them parameter by parameter,
and the packing test bypasses the hooks that would gather them. Sharding is therefore only allowed
for the arm on TRL's own trainer, whose weights are gathered before they are saved. DDP and ZeRO 1
and 2 keep a whole copy in every process and need no special handling.
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
"""The alternative to each arm for a model that is too large for one process."""


def processes() -> int:
    """Return the number of processes that a launcher (``torchrun``, ``accelerate``) started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def sharded() -> str | None:
    """Return the sharding that ``accelerate launch`` requests; ``None`` for whole weights.

    The result is "FSDP" or "ZeRO-3". It is read from the environment, as accelerate does, so it is
    known before a model is loaded.
    """
    if _is_set("ACCELERATE_USE_FSDP"):
        return "FSDP"
    return "ZeRO-3" if _is_set("ACCELERATE_USE_DEEPSPEED") and _is_zero3() else None


def refuse_sharded(config: ArmConfig) -> None:
    """Raise :class:`InputError` if the weights would be sharded but the arm needs them whole."""
    kind = sharded()
    if kind is None or config.recipe.stock:
        return
    remedy = "use DDP (ddp.yaml of `transferscope export accelerate`)"
    raise InputError(
        f"{config.arm} needs whole weights, but {kind} shards them across processes",
        place="accelerate's configuration",
        remedy=f"{remedy} or {INSTEAD[config.arm]}" if config.arm in INSTEAD else remedy,
    )


def whole_weights(trainer: Trainer) -> dict[str, Any] | None:
    """Gather the weights of a sharded model, by name, on the first process; all must call this.

    Returns ``None`` if the weights are not sharded. ZeRO-3 gathers them in its 16-bit arithmetic.
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
