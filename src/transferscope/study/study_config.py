"""A controlled study as one TOML file: a base, a suite, the arms, and what varies in each.

    name = "demo"
    base = "smollm2-135m"
    suite = "mini"
    items = 40
    [arms.off-policy-sft]
    steps = 20
    [arms.on-policy-rl]
    seeds = [0, 1, 2]
    learning_rates = [1e-5, 3e-5]
    [arms.sft-then-rl]
    arm = "on-policy-rl"
    init_from = "off-policy-sft"
    [arms.theirs]
    checkpoint = "path/to/a/model"
    [probe]
    items = 5
    dtype = "bfloat16"
    [claims]
    kl_matters = 2.0
    [cost]
    gpus = 64

An arm's table holds the settings of :class:`~transferscope.train.ArmConfig` and those of the study:
``seeds`` and ``learning_rates`` to run (every combination is a *cell*), ``init_from`` another arm,
or ``checkpoint``, a model that was tuned elsewhere. ``arm`` names the recipe if it differs from the
table's own name. Thresholds of claims are fixed here, before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from ..core.errors import InputError
from ..core.files import parse_toml, read_text
from ..core.invalid import reason
from ..core.suite import Suite, load_suite
from ..train import ArmConfig, arm_config
from ..train.arm_config import LARGEST_SEED

MAX_SEED = 999_999
"""The largest evaluation seed; the mini suite's training seeds are above it."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class ProbeConfig(BaseModel):
    """The number of items per benchmark that the probes read, and how they load models.

    ``dtype`` and ``device_map`` are those of ``transferscope probe``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    items: int = Field(default=5, ge=1, le=1_000_000, strict=True)
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    device_map: str | None = None

    @property
    def loading(self) -> dict[str, str]:
        """The set values of ``dtype`` and ``device_map``, as options of a probe."""
        return self.model_dump(include={"dtype", "device_map"})

    @model_serializer(mode="wrap")
    def _set(self, dumped: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out unset values, so that a study started before a setting existed can resume."""
        return {key: value for key, value in dumped(self).items() if value is not None}


class CostConfig(BaseModel):
    """The number of GPUs for which every arm's cost is estimated (see `cost`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    gpus: int = Field(default=8, ge=1, le=1_000_000, strict=True)


class Thresholds(BaseModel):
    """The threshold of each claim (docs/science.md section 7), in points, ratios or indices."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)
    rl_transfers: float = 0.0
    sft_loses: float = 0.0
    on_policy_beats_off_policy: float = 0.0
    kl_matters: float = Field(default=2.0, gt=0)
    pca_ratio: float = Field(default=1.0, gt=0)
    kl_ratio: float = Field(default=1.0, gt=0)
    rank_ratio: float = Field(default=1.0, gt=0)
    shifted_ratio: float = Field(default=1.0, gt=0)
    random_gains: float = 2.0
    rl_cost: float = Field(default=1.0, gt=0)


class ArmTable(BaseModel):
    """One ``[arms.NAME]`` table: what the study varies, and the arm's own ``settings``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    seeds: tuple[Annotated[int, Field(ge=0, le=LARGEST_SEED, strict=True)], ...] = Field(
        default=(), max_length=100
    )
    learning_rates: tuple[Annotated[float, Field(strict=True)], ...] = Field(
        default=(), max_length=20
    )
    init_from: str | None = None
    checkpoint: str | None = Field(default=None, min_length=1)
    settings: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Cell:
    """One model of a study: an arm at a learning rate and a seed, or a given checkpoint.

    ``table`` is the arm's name in the TOML, ``name`` the cell's folder. ``config`` is ``None`` for
    a checkpoint, whose folder is ``checkpoint``. ``start`` is the cell it starts from.
    """

    name: str
    table: str
    config: ArmConfig | None
    start: Cell | None = None
    checkpoint: str | None = None


class StudyConfig(BaseModel):
    """The study's TOML. ``source`` replaces the suite's source group: groups are data."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    base: str
    suite: str = "mini"
    source: str | None = None
    items: int = Field(default=40, ge=2, le=10_000_000, strict=True)
    seed: int = Field(default=0, ge=0, le=MAX_SEED, strict=True)
    arms: dict[str, dict[str, Any]] = Field(min_length=1)
    probe: ProbeConfig = ProbeConfig()
    claims: Thresholds = Thresholds()
    cost: CostConfig = CostConfig()

    def identity(self) -> dict[str, Any]:
        """Return the settings that identify a study's folder: all that can change a result."""
        return self.model_dump(mode="json", exclude={"cost": True, "probe": {"device_map"}})

    def load_suite(self) -> Suite:
        """Load the suite with the study's source group; raise :class:`InputError` if unknown."""
        suite = load_suite(self.suite)
        if self.source is None:
            return suite
        if self.source not in suite.groups:
            remedy = f"use one of {', '.join(suite.groups)}"
            raise InputError(f"suite {suite.name} has no group {self.source!r}", remedy=remedy)
        return suite.model_copy(update={"source": self.source})

    def table(self, name: str) -> ArmTable:
        """Validate and return one arm's table."""
        known = {key: value for key, value in self.arms[name].items() if key in _STUDY_KEYS}
        rest = {key: value for key, value in self.arms[name].items() if key not in _STUDY_KEYS}
        place = f"study {self.name} [arms.{name}]"
        try:
            table = ArmTable.model_validate({**known, "settings": rest})
        except ValidationError as err:
            raise _invalid(err, place) from None
        if "model" in table.settings:
            what = "an arm can't name a model: all arms start from the study's base"
            remedy = "remove it; use init_from or checkpoint for another start"
            raise InputError(what, place=place, remedy=remedy)
        if table.checkpoint is not None and len(self.arms[name]) > 1:
            what = "a checkpoint is not trained, so it can't have other settings"
            raise InputError(what, place=place, remedy="remove the other settings")
        return table

    def cells(self) -> tuple[Cell, ...]:
        """Return every model of the study in running order, an arm's start before the arm.

        Every arm's first seed comes before any arm's second, and arms with more seeds advance
        proportionally faster. A study that is cut short therefore has fewer seeds, not fewer arms.

        Raises :class:`InputError` for inconsistent settings, and if ``init_from`` does not name
        exactly one cell of an arm above.
        """
        found: dict[str, Cell] = {}
        turn: dict[str, float] = {}  # the share of its arm's seeds that run earlier
        for name in self.arms:
            table = self.table(name)
            if table.checkpoint is not None:
                found[name] = Cell(name, name, None, checkpoint=table.checkpoint)
                turn[name] = 0
                continue
            for cell in self._trained(name, table, found):
                if cell.name in found:
                    what = f"two models of the study would be called {cell.name!r}"
                    raise InputError(what, place=f"study {self.name}", remedy="rename an arm")
                found[cell.name] = cell
                own = 0.0
                if cell.config is not None and table.seeds:
                    own = table.seeds.index(cell.config.seed) / len(table.seeds)
                turn[cell.name] = max(own, turn[cell.start.name] if cell.start else 0.0)
        return tuple(sorted(found.values(), key=lambda cell: turn[cell.name]))

    def _trained(self, name: str, table: ArmTable, before: Mapping[str, Cell]) -> list[Cell]:
        place = f"study {self.name} [arms.{name}]"
        given = {"arm": name, "model": self.base, "seed": self.seed, **table.settings}
        seeds = table.seeds or (given["seed"],)
        rates = table.learning_rates or (None,)
        cells = []
        for rate in rates:
            for seed in seeds:
                label = name
                label += f"-lr{rate:g}" if len(rates) > 1 else ""
                label += f"-seed{seed}" if len(seeds) > 1 else ""
                changes = {"seed": seed} | ({} if rate is None else {"learning_rate": rate})
                config = arm_config({**given, **changes}, place=place)
                start = self._start(table.init_from, seed, before, place)
                cells.append(Cell(label, name, config, start=start))
        return cells

    def _start(
        self, init_from: str | None, seed: int, before: Mapping[str, Cell], place: str
    ) -> Cell | None:
        """Return the cell of arm ``init_from`` with the same seed, or else its only cell."""
        if init_from is None:
            return None
        cells = [cell for cell in before.values() if cell.table == init_from]
        fitting = [cell for cell in cells if cell.config and cell.config.seed == seed] or cells
        if len(fitting) != 1:
            what = f"init_from {init_from!r} is {'not an arm above' if not cells else 'ambiguous'}"
            raise InputError(what, place=place, remedy="name an arm above with one learning rate")
        return fitting[0]


_STUDY_KEYS = frozenset(ArmTable.model_fields) - {"settings"}


def parse_study(text: str, *, place: str) -> StudyConfig:
    """Parse a study from TOML and validate its arms; :class:`InputError` names a wrong key."""
    try:
        config = StudyConfig.model_validate(parse_toml(text, place=place))
    except ValidationError as err:
        raise _invalid(err, place) from None
    for name in config.arms:
        if name == "base" or not _NAME.fullmatch(name):
            raise InputError(
                f"an arm can't be called {name!r}",
                place=place,
                remedy="use up to 100 letters, digits, '.', '_' and '-', and not 'base'",
            )
    config.cells()
    config.load_suite()
    return config


def load_study(path: Path) -> StudyConfig:
    """Read a study from a file; raise :class:`InputError` if it is missing or malformed."""
    return parse_study(read_text(path, remedy="name a study's .toml file"), place=str(path))


def demo_study(adapters: Path | None = None) -> StudyConfig:
    """Return the study of ``transferscope demo``: two arms, trained or read from ``adapters``.

    ``adapters`` holds one folder per arm; without it both are trained on fewer items.
    """
    text = (files("transferscope") / "demo.toml").read_text(encoding="utf-8")
    config = parse_study(text, place="demo.toml")
    if adapters is None:
        return config
    arms = {name: {"checkpoint": str(adapters / name)} for name in config.arms}
    return config.model_copy(update={"arms": arms})


def shipped_adapters() -> Path | None:
    """Return the adapters of the reference study in a checkout; ``None`` if installed."""
    found = Path(__file__).parents[3] / "studies" / "smollm2-135m" / "adapters"
    return found if found.is_dir() else None


def _invalid(err: ValidationError, place: str) -> InputError:
    first = err.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return InputError(reason(first), place=f"{place} [{where}]")
