"""Controlled training arms on one base model: all see the same queries, and each differs in where
the responses come from and how they are weighted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import MissingExtra
from ..core.records import Tick, no_tick
from .arm_config import DEMO, RECIPES, ArmConfig, Recipe, arm_config, read_settings
from .arm_folder import is_complete
from .queries import Query, make_queries

if TYPE_CHECKING:
    from .decontaminate import Decontaminated

__all__ = [
    "DEMO",
    "RECIPES",
    "ArmConfig",
    "Query",
    "Recipe",
    "arm_config",
    "decontaminate_arm",
    "is_complete",
    "make_queries",
    "need_trl",
    "read_settings",
    "train_arm",
    "train_sft",
    "train_surrogate",
]


def decontaminate_arm(
    config: ArmConfig, out: str | Path, prompts: Sequence[str]
) -> tuple[ArmConfig, Decontaminated]:
    """:func:`.decontaminated_arm.decontaminate_arm`, imported when called."""
    need_trl()
    from .decontaminated_arm import decontaminate_arm as decontaminate

    return decontaminate(config, Path(out), prompts)


def train_sft(config: ArmConfig, out: str | Path, *, tick: Tick = no_tick) -> Path:
    """Call :func:`.sft.train_sft`, which is imported only now."""
    need_trl()
    from . import sft

    return sft.train_sft(config, out, tick=tick)


def train_surrogate(config: ArmConfig, out: str | Path, *, tick: Tick = no_tick) -> Path:
    """Call :func:`.surrogate.train_surrogate`, which is imported only now."""
    need_trl()
    from . import surrogate

    return surrogate.train_surrogate(config, out, tick=tick)


def train_arm(config: ArmConfig, out: str | Path, *, tick: Tick = no_tick) -> Path:
    """Train the arm that ``config`` describes, write the model to ``out``, and return ``out``.

    ``tick(arm, step, steps)`` is called after every step. A finished arm is skipped and an
    interrupted one is resumed. Raises :class:`InputError` if ``out`` belongs to another
    configuration, and :class:`MissingExtra` if the training libraries are not installed.
    """
    train = train_sft if config.recipe.stock else train_surrogate
    return train(config, out, tick=tick)


def need_trl() -> None:
    """Raise :class:`MissingExtra` if the training libraries are not installed."""
    from importlib.util import find_spec

    if find_spec("trl") is None or find_spec("datasets") is None:
        raise MissingExtra("train", needed_for="training an arm")
