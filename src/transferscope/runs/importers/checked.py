"""Check what an importer read. All formats share this check."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.records import MOST, ModelRef, shortened
from .foreign_run import Results

REMEDY = "repair the file, or evaluate again"


def checked(read: Callable[[], Results], path: Path) -> Results:
    """The results of ``read``. Raises :class:`InputError` for values that a run can't have.

    These are invalid counts or scores, and settings such as NaN, Infinity or 10^30: settings are
    compared between runs, and JSON can't represent these values.
    """
    try:
        results = read()
    except (ValueError, OverflowError) as err:
        raise InputError(str(err), place=str(path), remedy=REMEDY) from None
    settings = {
        "engine": results.engine,
        "decoding": results.decoding,
        "seed": results.seed,
        "limit": results.limit,
        "metrics": results.metrics,
    }
    for where, what in _unfit(settings, ()):
        said = f"setting {'.'.join(where)} is {what}"
        raise InputError(said, place=str(path), remedy=REMEDY)
    return replace(results, model=_named(results.model))


def _unfit(value: Any, where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The keys and the description of every number that can't be written and compared."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _unfit(inner, (*where, str(key)))
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from _unfit(inner, (*where, str(at)))
    elif isinstance(value, float) and not math.isfinite(value):
        yield where, "not a number" if math.isnan(value) else "infinite"
    elif isinstance(value, int) and abs(value) > MOST**2:
        yield where, shortened(value)


def _named(model: ModelRef) -> ModelRef:
    """The model with a valid name: it may come from a file name whose bytes are not valid text."""
    return replace(model, name=model.name.encode("utf-8", "replace").decode() or "unnamed")
