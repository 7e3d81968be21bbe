"""What an importer read, checked once for all formats before anything is made of it."""

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
    """What ``read`` gives of ``path``. Raises :class:`InputError` for values that no run can have.

    These are an impossible count or score, and settings that are not finite numbers (NaN, Infinity,
    10^30): they are compared between runs, and JSON has no word for them.
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
    """Keys and value of every number that can't be written and compared."""
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
    """The model as valid text: it may be named after a file whose name is not valid UTF-8."""
    return replace(model, name=model.name.encode("utf-8", "replace").decode() or "unnamed")
