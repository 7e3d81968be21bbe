"""Numbers that need not be exact: equality within an absolute error that the item states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import shapes
from .amounts import measured
from .expressions import Undefined, value
from .final_answer import readings
from .notation import canonical
from .syntax import Unreadable
from .units import ratio

MAX_CHARS = 2_000
"""Longer answers are not numbers."""
MAX_PARTS = 12
"""Longer lists are not compared: every order is tried."""


def is_close(response: str, gold: str, errors: Sequence[float]) -> bool:
    """Whether the numbers in the final answer of ``response`` are within ``errors`` of ``gold``'s.

    ``errors`` are absolute: one for all numbers of ``gold``, or one for each, in its order; without
    any, nothing is close. The numbers of a list may come in any order, those of a tuple may not. A
    unit that only one of the two has is implied. Raises
    :class:`~transferscope.core.errors.MissingExtra` without mpmath if a number is irrational.
    """
    theirs = _numbers(gold)
    if not errors or theirs is None or len(errors) not in (1, len(theirs.values)):
        return False
    each = [*errors] if len(errors) > 1 else [*errors] * len(theirs.values)
    found = (_numbers(reading) for reading in readings(response))
    return any(mine is not None and _within(mine, theirs, each) for mine in found)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of an answer, each with its unit, and whether their order counts."""

    values: tuple[tuple[Any, Any], ...]
    ordered: bool


def _numbers(text: str) -> _Numbers | None:
    if len(text) > MAX_CHARS:
        return None
    plain = canonical(text)
    several = shapes.items(plain)
    parts = several.parts if several else (plain,)
    if len(parts) > MAX_PARTS:
        return None
    try:
        values = tuple(map(_number, parts))
    except (Unreadable, Undefined):
        return None
    return _Numbers(values, ordered=several is not None and several.ordered)


def _number(text: str) -> tuple[Any, Any]:
    """The value, and the unit or ``None``. Raises :class:`Unreadable` for anything else."""
    if (named := shapes.relation(text)) and shapes.is_name(named.sides[0]):
        text = named.sides[-1]
    amount = measured(text)
    if amount is None or amount.percent:
        raise Unreadable(text)
    return value(amount.value), amount.unit


def _within(mine: _Numbers, theirs: _Numbers, errors: Sequence[float]) -> bool:
    if len(mine.values) != len(theirs.values) or mine.ordered != theirs.ordered:
        return False
    near = [
        [_near(one, other, error) for one in mine.values]
        for other, error in zip(theirs.values, errors, strict=True)
    ]
    if theirs.ordered:
        return all(near[at][at] for at in range(len(near)))
    return _matched(near, frozenset(range(len(near))))


def _matched(near: Sequence[Sequence[bool]], free: frozenset[int]) -> bool:
    """Whether every row of ``near`` can be given a column of its own among ``free``."""
    if not near:
        return True
    return any(near[0][at] and _matched(near[1:], free - {at}) for at in free)


def _near(one: tuple[Any, Any], other: tuple[Any, Any], error: float) -> bool:
    (mine, unit), (theirs, wanted) = one, other
    if unit is not None and wanted is not None:
        factor = ratio(unit, wanted)
        if factor is None:
            return False
        mine = mine * factor.numerator / factor.denominator
    # A number read from a decimal is off the bound by float rounding at most.
    return bool(abs(float(mine) - float(theirs)) <= error * (1 + 1e-9))
