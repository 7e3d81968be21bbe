"""Summarizes a run of a study for the claims: values with their variance over items."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from ..compare import TunedResult
from ..core.hidden_shift import HiddenShift
from ..core.index import IndexResult
from ..core.token_shift import TokenShift
from ..documents.comparison import PlanePoint
from .study_config import Cell

Z = 1.959964
"""The half width of a 95 % interval in standard errors."""


@dataclass(frozen=True, slots=True)
class Value:
    """A quantity of one run and its variance over resampled items (in squared units)."""

    value: float
    variance: float = 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a cell: the final model, or a kept checkpoint (``step``).

    ``gain`` (by group) and ``retention`` are in points. ``ti`` is the linear index by target group,
    or the reason why it is undefined. ``shift`` contains the probe results (d_layerwise, kl, rank,
    shifted). ``seconds`` is the training's wall time, and ``cpu_seconds`` its CPU time if it ran on
    the CPU. These are empty or ``None`` for intermediate checkpoints.
    """

    table: str
    recipe: str
    seed: int
    learning_rate: float
    step: int | None
    source: str
    gain: Mapping[str, Value]
    retention: Value | None
    ti: Mapping[str, Value | str]
    shift: Mapping[str, float]
    seconds: float | None = None
    cpu_seconds: float | None = None


def clock(runs: Sequence[Measured]) -> Callable[[Measured], float | None]:
    """Return the clock to compare the training of ``runs`` by: CPU time if all have it, else wall.

    CPU time does not count other processes and pauses.
    """
    trained = [run for run in runs if run.seconds is not None]
    busy = all(run.cpu_seconds is not None for run in trained)
    return attrgetter("cpu_seconds" if busy else "seconds")


def rank_change(tokens: TokenShift) -> float:
    """Return the size of a model's rank shift: the mean over benchmarks of |mean rank shift|.

    In a mean over all texts, upward shifts on one benchmark would cancel downward ones on another.
    """
    found = [abs(part.rank_shift) for part in tokens.benchmarks.values()]
    return sum(found) / len(found) if found else abs(tokens.rank_shift)


def measure(
    cell: Cell,
    result: TunedResult,
    *,
    hidden: HiddenShift | None = None,
    tokens: TokenShift | None = None,
    cost: Mapping[str, Any] | None = None,
) -> Measured:
    """Collect what the claims need from a run; ``hidden`` and ``tokens`` are its probe results."""
    shift: dict[str, float] = {}
    if hidden is not None and hidden.d_layerwise is not None:
        shift["d_layerwise"] = hidden.d_layerwise
    if tokens is not None:
        if tokens.kl_tuned_base is not None:  # not infinite
            shift["kl"] = tokens.kl_tuned_base
        shift |= {"rank": rank_change(tokens), "shifted": tokens.shifted_share}
    config, step = cell.config, result.model.partition("@")[2]
    return Measured(
        table=cell.table,
        recipe=_recipe(cell),
        seed=config.seed if config else 0,
        learning_rate=config.learning_rate if config else math.nan,
        step=int(step) if step else None,
        source="" if result.index_linear is None else _source(result.index_linear),
        gain={group: _value(point) for group, point in result.plane.items()},
        retention=None if result.retention is None else _value(result.retention),
        ti={} if result.index_linear is None else _ti(result.index_linear),
        shift=shift,
        seconds=None if cost is None else float(cost["seconds"]),
        cpu_seconds=None if cost is None else cost.get("cpu_seconds"),
    )


def _recipe(cell: Cell) -> str:
    """Return the recipe of the cell.

    A start from another arm's model makes it a different recipe, and so do stale samples.
    """
    if cell.config is None:
        return "checkpoint"
    recipe, refresh = cell.config.arm, cell.config.refresh_every
    recipe += f" refreshed every {refresh} steps" if refresh > 1 else ""
    return recipe if cell.start is None else f"{recipe} from {cell.start.name}"


def _value(point: PlanePoint) -> Value:
    return Value(point.gain, _variance(point.ci))


def _variance(ci: tuple[float, float] | None) -> float:
    """Return the variance of a normal with this 95 % interval; infinite if the interval is."""
    if ci is None or not all(math.isfinite(bound) for bound in ci):
        return math.inf
    return ((ci[1] - ci[0]) / (2 * Z)) ** 2


def _source(index: IndexResult) -> str:
    return next(group for group in index.di if group not in index.ti)


def _ti(index: IndexResult) -> dict[str, Value | str]:
    found: dict[str, Value | str] = {}
    for group, ti in index.ti.items():
        if ti is None:
            found[group] = index.undefined_reason[group]
        else:
            found[group] = Value(ti, _variance(index.ci[group]))
    return found
