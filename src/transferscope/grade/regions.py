"""Sets of real numbers: intervals, unions, solutions of inequalities, all numbers but some.

>>> region("]0,1]") == region("0 < x ≤ 1")
False
>>> region("]0,1]").intervals == region("0 < x ≤ 1").intervals
True
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from .numbers import amount
from .shapes import NAME, enclosed, is_name, relation, split

_ABSOLUTE = re.compile(
    r"\|\s*(?P<name>[a-zA-Z])\s*(?:(?P<minus>[-+])\s*(?P<centre>[^|a-zA-Z<>=]+))?\|"
    r"\s*(?P<sign>[<>≤≥])\s*(?P<radius>[^|a-zA-Z<>≤≥=,]+)"
)
_INTERVAL_ENDS = ("[", "]", "(", ")")


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval: ``low`` and ``high`` as text, and whether each belongs to it."""

    low: str
    high: str
    closed: tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Region:
    """A union of intervals; ``name`` is the variable if it was written as an inequality."""

    intervals: tuple[Interval, ...]
    name: str = ""


_ALL = Interval("-∞", "∞", (False, False))


@lru_cache(maxsize=1024)
def region(text: str) -> Region | None:
    """Read intervals, unions, "x ∈ ..." and inequalities of one variable against constants."""
    text = text.strip()
    if match := re.match(rf"(?:{NAME.pattern})\s*∈\s*", text):
        text = text[match.end() :]
    inner, kind = enclosed(text)
    if kind == "⦃" and (
        condition := re.match(rf"\s*{NAME.pattern}\s*(?:∈\s*\\mathbb\s*\{{?R\}}?\s*)?[|:]", inner)
    ):
        text = inner[condition.end() :]
    text = re.sub(r"\\mathbb\s*\{?\s*R\s*\}?", "(-∞,∞)", text)
    if match := re.fullmatch(r"(?P<all>[^∖⦃∪]*[)\]])\s*[∖-]\s*⦃(?P<holes>[^⦃⦄]*)⦄", text):
        return _without(split(match["holes"], ","), _interval(match["all"]) or _ALL)
    if "∪" in text and re.search("[<>≤≥]", text):
        text = text.replace("∪", "∨")
    found: list[Interval] = []
    for part in re.split(r"∪", text):
        one = _interval(part)
        if one is None:
            return _ordered(text)
        found.append(one)
    return Region(tuple(found))


def _interval(text: str) -> Interval | None:
    text = text.strip()
    if len(text) < 5 or text[0] not in _INTERVAL_ENDS or text[-1] not in _INTERVAL_ENDS:
        return None
    ends = split(text[1:-1], ",;")
    if len(ends) != 2 or not all(ends) or any(end.count("(") != end.count(")") for end in ends):
        return None
    return Interval(ends[0], ends[1], (text[0] == "[", text[-1] == "]"))


def _ordered(text: str) -> Region | None:
    """Return the solutions of "x > 3", "-2 ≤ x < 3", "x < 1 ∨ x > 3", "x > 1 ∧ x < 3"."""
    if "∧" in text or ("," in text and "∨" not in text):
        one = [_bounds(part) for part in split(text, "∧,")]
        if len(one) == 2 and one[0] and one[1]:
            return _both(one[0], one[1])
        return None
    if (absolute := _absolute(text)) is not None:
        return absolute
    if (single := relation(text)) and single.signs == ("≠",) and is_name(single.sides[0]):
        return Region(_without([single.sides[1]], _ALL).intervals, single.sides[0])
    found = [_bounds(part) for part in split(text, "∨")]
    names = {bound[0] for bound in found if bound}
    if not all(found) or len(names) != 1:
        return None
    return Region(tuple(bound[1] for bound in found if bound), names.pop())


def _absolute(text: str) -> Region | None:
    """Read "|x - 2| < 3" as (-1, 5) and "|x| ≥ 1" as two intervals."""
    match = _ABSOLUTE.fullmatch(text)
    if match is None:
        return None
    centre = match["centre"] or "0"
    middle = centre if match["minus"] == "-" else f"-({centre})"
    low, high = f"{middle}-({match['radius']})", f"{middle}+({match['radius']})"
    closed = match["sign"] in "≤≥"
    if match["sign"] in "<≤":
        return Region((Interval(low, high, (closed, closed)),), match["name"])
    outside = Interval("-∞", low, (False, closed)), Interval(high, "∞", (closed, False))
    return Region(outside, match["name"])


def _without(holes: list[str], whole: Interval) -> Region:
    """Return ``whole`` without ``holes``, sorted if they are plain numbers."""
    numbers = [(amount(hole), hole) for hole in holes]
    if all(number is not None for number, _ in numbers):
        holes = [hole for _, hole in sorted(numbers, key=lambda pair: pair[0] or 0)]
    pairs = list(pairwise([whole.low, *holes, whole.high]))
    closed = [
        (at == 0 and whole.closed[0], at == len(holes) and whole.closed[1])
        for at in range(len(pairs))
    ]
    return Region(tuple(Interval(*pair, ends) for pair, ends in zip(pairs, closed, strict=True)))


def _both(one: tuple[str, Interval], other: tuple[str, Interval]) -> Region | None:
    (name, first), (second_name, second) = one, other
    if name != second_name:
        return None
    if first.high == "∞" and second.low == "-∞":
        return Region((Interval(first.low, second.high, (first.closed[0], second.closed[1])),))
    if second.high == "∞" and first.low == "-∞":
        return Region((Interval(second.low, first.high, (second.closed[0], first.closed[1])),))
    return None


def _bounds(text: str) -> tuple[str, Interval] | None:
    found = relation(text)
    if found is None or any(sign not in "<>≤≥" for sign in found.signs):
        return None
    sides, signs = found.sides, found.signs
    if len(sides) == 2 and is_name(sides[1]) and not is_name(sides[0]):
        sides, signs = sides[::-1], tuple(FLIPPED[sign] for sign in signs)
    if len(sides) == 2 and is_name(sides[0]):
        closed = signs[0] in "≤≥"
        if signs[0] in "<≤":
            return sides[0], Interval("-∞", sides[1], (False, closed))
        return sides[0], Interval(sides[1], "∞", (closed, False))
    if len(sides) == 3 and is_name(sides[1]):
        if all(sign in ">≥" for sign in signs):
            sides, signs = sides[::-1], tuple(FLIPPED[sign] for sign in signs[::-1])
        if all(sign in "<≤" for sign in signs):
            return sides[1], Interval(sides[0], sides[2], (signs[0] == "≤", signs[1] == "≤"))
    return None


FLIPPED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}
