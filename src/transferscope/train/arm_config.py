"""The configuration of one arm: a frozen record that is saved next to the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ..core.errors import InputError
from ..core.files import parse_toml, read_text
from ..core.invalid import reason
from ..core.nearest import did_you_mean
from ..core.plugins import plugins
from .queries import MOST

Precision = Literal["auto", "bf16", "fp32"]
PRECISIONS: Mapping[str, Precision] = {"auto": "auto", "bfloat16": "bf16", "float32": "fp32"}
"""The arithmetic used for a dtype. Trained weights are always kept in float32."""
PROCEDURAL = "procedural"
"""The built-in queries and the built-in teacher, which need no file."""
LARGEST_SEED = 2**32 - 1
"""The largest seed that numpy's generators accept."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the arms differ (docs/science.md section 6): in q, in w, and in whether beta is above 0.

    ``sampler`` generates the responses. ``weight`` is 1 for a correct response and 0 for a wrong
    one (``correct``), the group-relative advantage of the grader's reward (``advantage``), or that
    of coin flips (``coin``). ``stock`` uses TRL's SFTTrainer instead of the surrogate.
    """

    sampler: Literal["policy", "teacher"]
    weight: Literal["correct", "advantage", "coin"]
    kl: bool = False
    stock: bool = False


RECIPES: dict[str, Recipe] = {
    "off-policy-sft": Recipe("teacher", "correct"),
    "on-policy-sft": Recipe("policy", "correct"),
    "off-policy-rl": Recipe("teacher", "advantage"),
    "on-policy-rl-no-kl": Recipe("policy", "advantage"),
    "on-policy-rl": Recipe("policy", "advantage", kl=True),
    "random-reward": Recipe("policy", "coin"),
    "classic-sft": Recipe("teacher", "correct", stock=True),
}
"""Recipe by arm name: the five arms, the control with random rewards, and the classic recipe."""


def recipe_of(arm: str) -> Recipe:
    """Return the recipe of a built-in or plugin arm; raise :class:`InputError` if it is unknown."""
    if arm in RECIPES:  # first: plugins import this module
        return RECIPES[arm]
    outside: Mapping[str, Recipe] = plugins("arms")
    if arm not in outside:
        known = ", ".join([*RECIPES, *outside])
        raise InputError(f"unknown arm {arm!r}", remedy=f"use one of {known}")
    return outside[arm]


class ArmConfig(BaseModel):
    """One arm of the study (docs/science.md section 6).

    Every optimizer step uses ``queries_per_step`` queries, each with ``rollouts`` responses, which
    come from the policy or from the teacher. Arms with the same ``seed``, ``steps`` and
    ``queries_per_step`` therefore see the same number of queries, and the same ones in the same
    order. They differ in who answers the queries and in how the responses are weighted.

    - ``queries_from`` and ``teacher``: ``"procedural"`` or a JSONL file (see `query_sources`).
    - ``max_tokens``: the maximum length of a rollout, in tokens.
    - ``temperature``: the temperature of the rollouts and of the loss on them. The loss on a
      teacher's text is at temperature 1.
    - ``beta``: the coefficient of KL(policy || start).
    - ``refresh_every``: steps between refreshes of the sampling policy (1: on-policy).
    - ``learning_rate``: constant, with AdamW and without weight decay. Gradients are clipped to
      ``max_grad_norm``.
    - ``lora_rank``: 0 trains all weights. A positive rank trains adapters of that rank on every
      linear layer.
    - ``precision``: the arithmetic. The optimizer always updates float32 weights. ``auto`` chooses
      bf16 if the machine multiplies in it and fp32 otherwise, and the choice is recorded.
    - ``save_every``: steps between checkpoints. ``keep_every``: steps between copies of the model
      that are kept for evaluation.
    - ``rows_per_forward``: rows per forward pass. It bounds memory (activations take about 1.3 MB a
      token for the embedded model) and does not affect the result, because gradients are
      accumulated over the step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    arm: str
    model: str = "smollm2-135m"
    steps: int = Field(default=12, ge=1, le=10_000_000)
    queries_per_step: int = Field(default=6, ge=1, le=1_000_000)
    rollouts: int = Field(default=8, ge=1, le=100_000)
    queries_from: str = PROCEDURAL
    teacher: str = PROCEDURAL
    refresh_every: int = Field(default=1, ge=1)
    lora_rank: int = Field(default=0, ge=0, le=1024)
    max_tokens: int = Field(default=48, ge=1, le=10_000_000)
    temperature: float = Field(default=0.7, ge=0.01, le=100)
    learning_rate: float = Field(default=2e-5, gt=0, le=10)
    beta: float = Field(default=0.0, ge=0, le=1e6)
    max_grad_norm: float = Field(default=1.0, gt=0, le=1e9)
    precision: Precision = "auto"
    save_every: int = Field(default=4, ge=1)
    keep_every: int | None = Field(default=None, ge=1)
    rows_per_forward: int = Field(default=12, ge=1)
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)

    @property
    def recipe(self) -> Recipe:
        """The sampler, the weight and the KL term of this arm."""
        return recipe_of(self.arm)

    @model_validator(mode="after")
    def _consistent(self) -> ArmConfig:
        recipe = self.recipe
        if self.queries_from == PROCEDURAL and self.queries > MOST:
            asked = f"steps x queries_per_step asks for {self.queries} queries"
            raise ValueError(f"{asked}, but only {MOST} different built-in queries exist")
        if recipe.sampler == "teacher" and self.beta > 0:
            raise ValueError("beta above 0 needs the policy's own samples, but a teacher answers")
        if recipe.kl != (self.beta > 0):
            says = "needs beta above 0" if recipe.kl else "has no KL term: beta must be 0"
            raise ValueError(f"{self.arm} {says}")
        if not recipe.stock and self.rollouts < 2:
            # An advantage is relative to its group, and TRL's trainer always requires groups.
            raise ValueError(f"{self.arm} needs groups of responses: set rollouts to 2 or more")
        if self.teacher == PROCEDURAL != self.queries_from and recipe.sampler == "teacher":
            raise ValueError(
                "the procedural teacher only answers procedural queries: set teacher to a file"
            )
        if self.teacher != PROCEDURAL and recipe.sampler == "policy":
            raise ValueError(f"{self.arm} trains on its own samples: remove the setting 'teacher'")
        if self.refresh_every > 1 and recipe.sampler == "teacher":
            raise ValueError("refresh_every only applies to arms that train on their own samples")
        if self.save_every % self.refresh_every:
            # A resumed run refreshes its sampling policy, so a refresh must be due at a checkpoint.
            raise ValueError("save_every must be a multiple of refresh_every")
        return self

    @property
    def queries(self) -> int:
        """The number of queries that the arm sees; each is seen once."""
        return self.steps * self.queries_per_step

    @property
    def kept_steps(self) -> tuple[int, ...]:
        """The steps before the last one after which a copy of the model is kept."""
        if self.keep_every is None:
            return ()
        return tuple(range(self.keep_every, self.steps, self.keep_every))

    @property
    def rows_per_step(self) -> int:
        """The number of responses per optimizer step."""
        return self.queries_per_step * self.rollouts

    def accumulation(self, processes: int = 1) -> int:
        """Return the number of forward passes per step and process.

        It is the smallest number of equal passes within ``rows_per_forward``. Raises
        :class:`InputError` if the step's rows can't be divided evenly among the processes.
        """
        rows, rest = divmod(self.rows_per_step, processes)
        if rest:
            what = f"{self.rows_per_step} responses per step can't be divided evenly among"
            raise InputError(
                f"{what} {processes} processes",
                place="queries_per_step x rollouts",
                remedy=f"make it a multiple of {processes}",
            )
        fits = (k for k in range(1, rows) if rows % k == 0 and rows // k <= self.rows_per_forward)
        return next(fits, rows)


DEMO: dict[str, ArmConfig] = {
    "off-policy-sft": ArmConfig(arm="off-policy-sft", rollouts=4, learning_rate=5e-5),
    "on-policy-sft": ArmConfig(arm="on-policy-sft", learning_rate=3e-5),
    "off-policy-rl": ArmConfig(arm="off-policy-rl", rollouts=4, learning_rate=3e-5),
    "on-policy-rl-no-kl": ArmConfig(arm="on-policy-rl-no-kl", learning_rate=3e-5),
    "on-policy-rl": ArmConfig(arm="on-policy-rl", learning_rate=3e-5, beta=0.01),
    "random-reward": ArmConfig(arm="random-reward", learning_rate=3e-5),
    "classic-sft": ArmConfig(arm="classic-sft", rollouts=4, learning_rate=5e-5),
}
"""Every arm's defaults, as in ``transferscope demo``: the same 72 queries in the same order."""


def arm_config(given: Mapping[str, Any], *, place: str) -> ArmConfig:
    """Return an arm's configuration: the ``given`` settings (with ``arm``) over the demo's.

    A plugin's arm has the defaults of :class:`ArmConfig`. Raises :class:`InputError` that names
    ``place`` and the offending key.
    """
    name = given.get("arm")
    try:
        recipe_of(name if isinstance(name, str) else str(name))
    except InputError as err:
        raise InputError(err.what, place=place, remedy=err.remedy) from None
    _refuse_unknown(given, place)
    defaults = DEMO[name].model_dump() if name in DEMO else {}
    try:
        return ArmConfig.model_validate({**defaults, **given})
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        what = reason(first)
        raise InputError(f"{where}: {what}" if where else what, place=place) from None


def read_settings(path: Path) -> dict[str, Any]:
    """Read fields of :class:`ArmConfig` from a flat TOML file, for :func:`arm_config`.

    Raises :class:`InputError` for a missing or malformed file and for an unknown key.
    """
    place = str(path)
    found = parse_toml(read_text(path, remedy="name a .toml file"), place=place)
    _refuse_unknown(found, place)
    return found


def _refuse_unknown(keys: Iterable[str], place: str) -> None:
    known = list(ArmConfig.model_fields)
    for key in keys:
        if key not in known:
            remedy = did_you_mean(key, known)
            raise InputError(f"an arm has no setting {key!r}", place=place, remedy=remedy)
