"""Sets of real numbers: intervals in each notation, their unions, inequalities.

    "]0,1]", "(0,1]", "0 < x \\le 1" and "x \\in (0,1]" are one region.

Endpoints stay text; who compares regions says how endpoints are compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from .numbers import exact
from .splitting import bracketed, items, split, top_level

Same = Callable[[str, str], bool]
_COMPARISON = re.compile(r"<=|>=|<|>|\\le(?![a-zA-Z])|\\ge(?![a-zA-Z])")
_NOT_EQUAL = re.compile(r"\\ne(?![a-zA-Z])|!=")
_UNION = re.compile(r"\\cup(?![a-zA-Z])")
_OR = re.compile(r"(?<![a-zA-Z\\])(?:or|oder|ou|and|und|et)(?![a-zA-Z])|[,;]")
_VARIABLE = re.compile(r"\\?[a-zA-Z]+(?:_\{?\w+\}?)?|[a-zA-Z]\([a-zA-Z]\)")
_REALS = re.compile(r"\\mathbb\s*\{?R\}?|all real numbers|reals", re.IGNORECASE)
_BUILT = re.compile(r"\\\{\s*\\?[a-zA-Z]+\s*(?:\\in\s*\\mathbb\{?R\}?\s*)?[|:]\s*(.+?)\s*\\\}")
_WITHOUT = re.compile(r"\\setminus(?![a-zA-Z])|(?<=\})\s*-(?=\s*\\\{)")
_LESS = {"<": False, "\\le": True, "<=": True}
_MORE = {">": False, "\\ge": True, ">=": True}
INFINITE = "\\infty"


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``; an end is closed where it belongs to the interval."""

    low: str
    low_closed: bool
    high: str
    high_closed: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A union of intervals; ``plain`` where the text could as well be a pair or a list."""

    intervals: tuple[Interval, ...]
    plain: bool
    variable: str | None = None


def region(text: str) -> Region | None:
    """The region that cleaned ``text`` writes, or ``None``."""
    if built := _BUILT.fullmatch(text):
        text = built[1]
    if top_level(text, _COMPARISON) or top_level(text, _NOT_EQUAL):
        return _inequalities(text)
    parts = split(text, _UNION)
    if len(parts) == 1 and text.startswith("\\{"):
        return None  # a set of points is a collection
    found: list[Interval] = []
    for part in parts:
        more = _interval(part)
        if more is None:
            return None
        found += more
    plain = len(parts) == 1 and text[:1] + text[-1:] in ("()", "[]")
    return Region(tuple(found), plain) if found else None


def same_region(mine: Region, theirs: Region, same: Same) -> bool:
    """Whether both are the same union, in any order; ``same`` compares two endpoints."""
    if mine.variable and theirs.variable and mine.variable != theirs.variable:
        return False
    left = list(theirs.intervals)
    if len(left) != len(mine.intervals):
        return False
    for one in mine.intervals:
        for at, other in enumerate(left):
            if _same_interval(one, other, same):
                del left[at]
                break
        else:
            return False
    return True


def _same_interval(one: Interval, other: Interval, same: Same) -> bool:
    closed = (one.low_closed, one.high_closed) == (other.low_closed, other.high_closed)
    return closed and same(one.low, other.low) and same(one.high, other.high)


def _interval(text: str) -> list[Interval] | None:
    if _REALS.fullmatch(text):
        return [Interval("-" + INFINITE, False, INFINITE, False)]
    if len(without := split(text, _WITHOUT)) == 2 and _REALS.fullmatch(without[0]):
        found = bracketed(without[1])
        return _all_but(items(found[1])) if found and found[0] == "\\{" else None
    if (found := bracketed(text)) and found[0] == "\\{":
        points = items(found[1])
        return [Interval(p, True, p, True) for p in points] if len(points) <= 20 else None
    if len(text) < 5 or text[0] not in "([]" or text[-1] not in ")][":
        return None
    ends = split(text[1:-1], re.compile("[,;]"))
    if len(ends) == 4 and all(end.isdigit() for end in ends):
        ends = [f"{ends[0]}.{ends[1]}", f"{ends[2]}.{ends[3]}"]  # decimal commas
    if len(ends) != 2 or not all(ends):
        return None
    low, high = (end.removeprefix("+") for end in ends)
    return [Interval(low, text[0] == "[", high, text[-1] == "]")]


def _all_but(points: list[str]) -> list[Interval] | None:
    values = {point: exact(point) for point in points}
    if any(value is None for value in values.values()) or len(points) > 20:
        return None
    ordered = sorted(values, key=lambda point: values[point] or 0)
    ends = ["-" + INFINITE, *ordered, INFINITE]
    return [Interval(a, False, b, False) for a, b in pairwise(ends)]


def _inequalities(text: str) -> Region | None:
    """ "x<1 or x>3", "x>1 and x<3", "1<x<3", "x \\ne 2"."""
    parts, words, at = [], [], 0
    for found in top_level(text, _OR):
        parts.append(text[at : found.start()].strip())
        words.append(found[0])
        at = found.end()
    parts.append(text[at:].strip())
    if len(parts) > 10:
        return None
    read = [_inequality(part) for part in parts]
    variables = {one[0] for one in read if one is not None}
    if None in read or len(variables) != 1:
        return None
    pieces = [one[1] for one in read if one is not None]
    if len(pieces) == 2 and words[0] not in ("or", "oder", "ou"):
        met = _met(pieces[0], pieces[1])
        pieces = [met] if met is not None else pieces
    return Region(tuple(i for piece in pieces for i in piece), False, variables.pop())


def _met(one: tuple[Interval, ...], other: tuple[Interval, ...]) -> tuple[Interval, ...] | None:
    """The intersection of a ray to the right and one to the left, or ``None``."""
    if len(one) != 1 or len(other) != 1:
        return None
    a, b = one[0], other[0]
    if a.high != INFINITE:
        a, b = b, a
    if a.high != INFINITE or b.low != "-" + INFINITE or a.low == "-" + INFINITE:
        return None
    low, high = exact(a.low), exact(b.high)
    if low is not None and high is not None and low > high:
        return None  # "x > 3, x < 1" can only mean either
    return (Interval(a.low, a.low_closed, b.high, b.high_closed),)


def _inequality(  # noqa: PLR0911 - one per form
    text: str,
) -> tuple[str, tuple[Interval, ...]] | None:
    sides = split(text, _NOT_EQUAL)
    if len(sides) == 2:
        if not _VARIABLE.fullmatch(sides[0]):
            sides.reverse()
        if not _VARIABLE.fullmatch(sides[0]) or (ends := _all_but([sides[1]])) is None:
            return None
        return sides[0], tuple(ends)
    signs = [m[0] for m in top_level(text, _COMPARISON)]
    sides = split(text, _COMPARISON)
    if not all(sides) or len(sides) not in (2, 3):
        return None
    if signs[0] in _MORE:  # turn round: everything reads "less than"
        if any(sign not in _MORE for sign in signs):
            return None
        sides.reverse()
        closed = [_MORE[sign] for sign in reversed(signs)]
    elif all(sign in _LESS for sign in signs):
        closed = [_LESS[sign] for sign in signs]
    else:
        return None
    if len(sides) == 3:
        if not _VARIABLE.fullmatch(sides[1]):
            return None
        return sides[1], (Interval(sides[0], closed[0], sides[2], closed[1]),)
    if _VARIABLE.fullmatch(sides[0]) and not _VARIABLE.fullmatch(sides[1]):
        return sides[0], (Interval("-" + INFINITE, False, sides[1], closed[0]),)
    if _VARIABLE.fullmatch(sides[1]) and not _VARIABLE.fullmatch(sides[0]):
        return sides[1], (Interval(sides[0], closed[0], INFINITE, False),)
    return None


def is_inequality(text: str) -> bool:
    """Whether ``text`` compares two sides by anything but an equals sign."""
    return bool(
        _BUILT.fullmatch(text) or top_level(text, _COMPARISON) or top_level(text, _NOT_EQUAL)
    )


def same_inequality(mine: str, theirs: str, same: Same) -> bool:
    """Whether two inequalities that are no regions have the same sides: "a \\ne b", "x<y"."""
    for pattern in (_NOT_EQUAL, _COMPARISON):
        ours, others = split(mine, pattern), split(theirs, pattern)
        if len(ours) != len(others):
            return False
        if len(ours) == 1:
            continue
        signs = [[m[0] for m in top_level(text, pattern)] for text in (mine, theirs)]
        if signs[0] == signs[1] and all(map(same, ours, others)):
            return True
        turned = [_TURNED.get(sign, sign) for sign in reversed(signs[1])]
        return signs[0] == turned and all(map(same, ours, reversed(others)))
    return False


_TURNED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "<=": ">=", ">=": "<="}
