"""What a canonical answer of several parts is: a list, an interval, a relation, a matrix, a ratio.

Every function here takes canonical text (:mod:`.notation`) and gives a frozen shape, or ``None``
where the text is none of its kind. Parts stay text: who compares them reads them in turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from .numbers import amount

_OPEN, _CLOSE = "([{⦃⌊⌈«", ")]}⦄⌋⌉»"
_MATRIX = re.compile(
    r"(?:[\[(|]\s*)?\\begin\{(?P<kind>[bpvBV]?(?:small)?matrix|array)\*?\}(?:\{[lcr| ]*\})?"
    r"(?P<body>.*?)"
    r"\\end\{(?P=kind)\*?\}(?:\s*[\])|])?",
    re.DOTALL,
)
_NAME = re.compile(r"(?:\\[a-zA-Z]+|[a-zA-Z]|«[^»]*»)'*(?:_\{?\w+\}?)?(?:\s*\([\w\s,+-]{1,12}\))?")
_ABSOLUTE = re.compile(
    r"\|\s*(?P<name>[a-zA-Z])\s*(?:(?P<minus>[-+])\s*(?P<centre>[^|a-zA-Z<>=]+))?\|"
    r"\s*(?P<sign>[<>≤≥])\s*(?P<radius>[^|a-zA-Z<>≤≥=,]+)"
)
_ONE_NAME = r"\s*(?:\\[a-z]+|[a-z])(?:_\{?\w\}?)?\s*"
_NAMES = re.compile(rf"\((?:{_ONE_NAME},)+{_ONE_NAME}\)")
_WORDS_ONLY = re.compile(r"\(?[A-Za-z]\)?|«[^»]*»")
_INTERVAL_ENDS = ("[", "]", "(", ")")


@dataclass(frozen=True, slots=True)
class Items:
    """Several answers. ``ordered``: a tuple; ``braced``: written as a set; ``hedged``: "B or C",
    which of numbers and equations says no less than "and".
    """

    parts: tuple[str, ...]
    ordered: bool = False
    braced: bool = False
    square: bool = False
    hedged: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """``low`` and ``high`` as text, and which of them belong to it."""

    low: str
    high: str
    closed: tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Region:
    """A union of intervals; ``name``: the variable whose inequality it was written as."""

    intervals: tuple[Interval, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """``sides`` and the signs between them, in the order written."""

    sides: tuple[str, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """``determinant``: written with bars."""

    rows: tuple[tuple[str, ...], ...]
    determinant: bool = False


def split(text: str, separators: str) -> list[str]:
    """``text`` cut at each of ``separators`` that stands outside of brackets."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth = max(0, depth - 1)
        elif not depth and sign in separators:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip() for part in parts]


@lru_cache(maxsize=1024)
def items(text: str) -> Items | None:
    """``⦃1, 2⦄``, ``(1, 2)``, ``1, 2``, ``x = 1 ∨ x = 2``, ``±3``; ``None`` for a single answer."""
    text = text.strip()
    inner, kind = _enclosed(text)
    if kind == "(" and text.count("±") == 1:
        return Items((text.replace("±", "+"), text.replace("±", "-")))
    if kind == "⦃" and "|" not in inner and ":" not in inner:
        return Items(tuple(_expanded(_commas(inner, within=True))) if inner else (), braced=True)
    if kind in ("(", "["):
        parts = _commas(inner, within=True)
        if len(parts) > 1 and all(parts):
            return Items(tuple(parts), ordered=True, square=kind == "[")
    parts = [part for part in _commas(text) if part]
    expanded = _expanded(parts)
    hedged = "∨" in text and all(_WORDS_ONLY.fullmatch(part) for part in parts)
    return Items(tuple(expanded), hedged=hedged) if len(expanded) > 1 else None


@lru_cache(maxsize=1024)
def region(text: str) -> Region | None:
    """Intervals and their unions, "x ∈ ...", inequalities in one variable against constants."""
    text = text.strip()
    if match := re.match(rf"(?:{_NAME.pattern})\s*∈\s*", text):
        text = text[match.end() :]
    inner, kind = _enclosed(text)
    if kind == "⦃" and (
        condition := re.match(rf"\s*{_NAME.pattern}\s*(?:∈\s*\\mathbb\s*\{{?R\}}?\s*)?[|:]", inner)
    ):
        text = inner[condition.end() :]
    text = re.sub(r"\\mathbb\s*\{?\s*R\s*\}?", "(-∞,∞)", text)
    if match := re.fullmatch(r"\(-∞,∞\)\s*[∖-]\s*⦃(?P<holes>[^⦃⦄]*)⦄", text):
        return _without(split(match["holes"], ","))
    found: list[Interval] = []
    for part in re.split(r"∪", text):
        one = _interval(part)
        if one is None:
            return _ordered(text)
        found.append(one)
    return Region(tuple(found))


@lru_cache(maxsize=1024)
def relation(text: str) -> Relation | None:
    """An equation or inequality, chains included."""
    signs, sides, depth, start = [], [], 0, 0
    for at, sign in enumerate(text):
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth = max(0, depth - 1)
        elif not depth and sign in "=≤≥<>≠≈≡" and text[max(0, at - 1) : at] != ":":
            signs.append(sign)
            sides.append(text[start:at].strip())
            start = at + 1
    sides.append(text[start:].strip())
    if not signs or not all(sides):
        return None
    return Relation(tuple(sides), tuple(signs))


def is_name(text: str) -> bool:
    """A bare variable, function of one, word, or tuple of variables: what may stand left of an
    answer's "=".
    """
    return bool(_NAME.fullmatch(text.strip()) or _NAMES.fullmatch(text.strip()))


def matrix(text: str) -> Matrix | None:
    """Any of LaTeX's matrices, by rows."""
    match = _MATRIX.fullmatch(text.strip())
    if not match:
        return _nested(text.strip())
    body = re.sub(r"¶\s*\[[\d.]+\s?(?:pt|ex|em|mm|cm)\]", "¶", match["body"])
    rows = [row.strip() for row in body.split("¶")]
    cells = tuple(tuple(cell.strip() for cell in row.split("&")) for row in rows if row)
    return Matrix(cells, determinant=match["kind"] in ("vmatrix", "Vmatrix")) if cells else None


def _nested(text: str) -> Matrix | None:
    """``[[1, 2], [3, 4]]``."""
    if not (text.startswith("[") and text.endswith("]") and text[1:].lstrip().startswith("[")):
        return None
    rows = [_enclosed(part) for part in _commas(text[1:-1], within=True)]
    if any(bracket != "[" for _, bracket in rows):
        return None
    cells = tuple(tuple(_commas(row, within=True)) for row, _ in rows)
    return Matrix(cells) if len({len(row) for row in cells}) == 1 else None


def single(found: Matrix) -> str | None:
    """The number that a matrix of one cell or a small determinant is, as a formula."""
    rows = found.rows
    if len(rows) == len(rows[0]) == 1:
        return rows[0][0]
    if not found.determinant or not len(rows) == len(rows[-1]) <= 3:
        return None
    if len(rows) == 2:
        (a, b), (c, d) = rows
        return f"({a})*({d})-({b})*({c})"
    (a, b, c), (d, e, f), (g, h, i) = rows
    return (
        f"({a})*(({e})*({i})-({f})*({h}))-({b})*(({d})*({i})-({f})*({g}))"
        f"+({c})*(({d})*({h})-({e})*({g}))"
    )


def parts_of_ratio(text: str) -> list[str]:
    """``["3", "2"]`` of "3:2"; empty for anything else."""
    parts = split(re.sub(r"(?<=\d)\s*«to»\s*(?=\d)", ":", text), ":")
    return parts if len(parts) > 1 and all(parts) else []


def ordered_with_names(found: Items) -> dict[str, str] | None:
    """``{"x": "3", "y": "4"}`` of "x = 3, y = 4", else ``None``; names may repeat no value."""
    named: dict[str, str] = {}
    for part in found.parts:
        one = relation(part)
        if one is None or one.signs != ("=",) or not is_name(one.sides[0]) or one.sides[0] in named:
            return None
        named[one.sides[0]] = one.sides[1]
    return named


def _enclosed(text: str) -> tuple[str, str]:
    """Content and opening bracket where one pair encloses all of ``text``."""
    if len(text) < 2 or text[0] not in "([⦃" or text[-1] not in ")]⦄":
        return text, ""
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "([⦃{") - (sign in ")]⦄}")
        if not depth and at < len(text) - 1:
            return text, ""
    matching = {"(": ")", "[": "]", "⦃": "⦄"}[text[0]] == text[-1]
    return (text[1:-1].strip(), text[0]) if matching and not depth else (text, "")


def _commas(text: str, *, within: bool = False) -> list[str]:
    """Parts of a list. A comma before three digits and without a blank belongs to a number,
    except in a bracket that has no other comma ("(1,234)").
    """
    if not within or re.search(r",\s", text):
        text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))(?<![.\d]\d\d\d,)", "", text)
    text = re.sub(r",\s*([∧∨])", r" \1", text)
    return split(text.replace(";", ","), ",∧∨")


def _expanded(parts: list[str]) -> list[str]:
    """``1 ± √2`` is two answers."""
    found = []
    for part in parts:
        if part.count("±") == 1 and "∓" not in part:
            found += [part.replace("±", "+").removeprefix("+"), part.replace("±", "-")]
        else:
            found.append(part)
    return found


def _interval(text: str) -> Interval | None:
    text = text.strip()
    if len(text) < 5 or text[0] not in _INTERVAL_ENDS or text[-1] not in _INTERVAL_ENDS:
        return None
    ends = split(text[1:-1], ",;")
    if len(ends) != 2 or not all(ends) or any(end.count("(") != end.count(")") for end in ends):
        return None
    return Interval(ends[0], ends[1], (text[0] == "[", text[-1] == "]"))


def _ordered(text: str) -> Region | None:
    """The solutions of "x > 3", "-2 ≤ x < 3", "x < 1 ∨ x > 3", "x > 1 ∧ x < 3"."""
    if "∧" in text or ("," in text and "∨" not in text):
        one = [_bounds(part) for part in split(text, "∧,")]
        if len(one) == 2 and one[0] and one[1]:
            return _both(one[0], one[1])
        return None
    if (absolute := _absolute(text)) is not None:
        return absolute
    if (single := relation(text)) and single.signs == ("≠",) and is_name(single.sides[0]):
        return Region(_without([single.sides[1]]).intervals, single.sides[0])
    found = [_bounds(part) for part in split(text, "∨")]
    names = {bound[0] for bound in found if bound}
    if not all(found) or len(names) != 1:
        return None
    return Region(tuple(bound[1] for bound in found if bound), names.pop())


def _absolute(text: str) -> Region | None:
    """ "|x - 2| < 3" as (-1, 5), "|x| ≥ 1" as two intervals."""
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


def _without(holes: list[str]) -> Region:
    """All numbers but ``holes``, which are in order where they are plain numbers."""
    numbers = [(amount(hole), hole) for hole in holes]
    if all(number is not None for number, _ in numbers):
        holes = [hole for _, hole in sorted(numbers, key=lambda pair: pair[0] or 0)]
    ends = ["-∞", *holes, "∞"]
    return Region(tuple(Interval(a, b, (False, False)) for a, b in pairwise(ends)))


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
        sides, signs = sides[::-1], tuple(_FLIPPED[sign] for sign in signs)
    if len(sides) == 2 and is_name(sides[0]):
        closed = signs[0] in "≤≥"
        if signs[0] in "<≤":
            return sides[0], Interval("-∞", sides[1], (False, closed))
        return sides[0], Interval(sides[1], "∞", (closed, False))
    if len(sides) == 3 and is_name(sides[1]):
        if all(sign in ">≥" for sign in signs):
            sides, signs = sides[::-1], tuple(_FLIPPED[sign] for sign in signs[::-1])
        if all(sign in "<≤" for sign in signs):
            return sides[1], Interval(sides[0], sides[2], (signs[0] == "≤", signs[1] == "≤"))
    return None


_FLIPPED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}
