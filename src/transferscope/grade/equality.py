"""Equality of two answers, decided by kind; in doubt they are different.

Both answers are converted to one notation and compared by kind: option letters, words, lists,
intervals, relations, matrices, times, residues, numbers in a base, amounts with units, formulas. A
unit, base, modulus or a.m./p.m. that only one of them gives is implied for the other; if both give
one, they must match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache, partial

from . import marks, regions, shapes
from .amounts import same_amount
from .combinations import counted
from .expressions import Undefined, same_formula, same_relation, value
from .notation import canonical, squeezed
from .numbers import amount
from .symbolic import same_by_algebra
from .syntax import Unreadable

MAX_CHARS = 2_000
"""Longer answers are compared character by character."""
MAX_PARTS = 60
"""Longer lists are, too: parts are compared pairwise."""
_DEPTH = 4

_NOTHING = {f"no {real}solution{s}" for real in ("", "real ") for s in ("", "s")} | {
    "none",
    "empty set",
}
_ANSWER = r"(?:the )?(?:final |correct )?(?:answer|result|solution|value)(?: is| are)?"
_ABOUT = (
    r"the|thus|therefore|hence|so|there are|about|approximately|exactly|approx|is|are|it is|it's|"
    r"total|a total of|only"
)
_LEAD = re.compile(rf"\s*(?:[≈:]\s*|«{_ANSWER}»?\s*:?\s*|«(?:{_ABOUT})»\s*:?\s*)+", re.IGNORECASE)
_REMARK = re.compile(r"(?<=[\d}\s])\(\s*«(?!base|mod)[^()]*\)\s*$")
_ALL = frozenset(("all real numbers", "all reals", "real numbers", "all real numbers x"))
_BRACKETED = re.compile(r"^(?:[A-Z](?=\([^()]*,[^()]*\)$)|\(([^(),]*)\)$)")
"""A point's name before its coordinates; brackets around a single amount."""
_MEMBER = re.compile(r"^\s*(?:\\[a-zA-Z]+|[a-zA-Z])(?:_\{?\w\}?)?\s*∈\s*(?=⦃)")
_TRANSPOSED = re.compile(r"(?<=\))\s*\^\s*\{?\s*(?:T|\\top|\\intercal)\s*\}?$")
_THOUSANDS = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])")


def same(answer: str, gold: str) -> bool:
    """Whether ``answer`` equals ``gold``.

    Raises :class:`MissingExtra` if formulas must be compared and the libraries for it are missing.
    """
    if max(len(answer), len(gold)) > MAX_CHARS:
        return answer.strip() == gold.strip()
    return _same(canonical(answer), canonical(gold), _DEPTH)


def _same(mine: str, theirs: str, depth: int) -> bool:  # noqa: PLR0911 - by cases
    if not mine or not theirs or depth < 0:
        return False
    if squeezed(mine) == squeezed(theirs):
        return True
    (option, content), (wanted, _) = marks.choice(mine), marks.choice(theirs)
    if (asked := marks.letter(theirs)) and asked in marks.OPTIONS:
        if asked in (marks.letter(mine), option):
            return True
    elif (wanted_all := marks.letters(theirs)) and marks.letters(mine) == wanted_all:
        return True
    elif content and not wanted:
        return _same(canonical(content), theirs, depth - 1)
    if "…" in mine or "…" in theirs:
        return _equal_numbers(mine, theirs)  # a decimal's dots; a list's may mean anything
    if "∅" in mine + theirs or _words(mine) in _NOTHING:
        return _nothing(mine) and _nothing(theirs)
    if _by_kind(_led(mine), _led(theirs), depth):
        return True
    read = counted(mine), counted(theirs)
    return read != (mine, theirs) and _by_kind(_led(read[0]), _led(read[1]), depth)


def _by_kind(mine: str, theirs: str, depth: int) -> bool:
    """Return the verdict of the first kind that applies."""
    within = partial(_same, depth=depth - 1)
    kinds: tuple[Callable[[], bool | None], ...] = (
        lambda: _as_numbers(mine, theirs),
        lambda: _as_words(mine, theirs),
        lambda: marks.same_time(mine, theirs),
        lambda: marks.same_residue(mine, theirs, within),
        lambda: marks.same_in_base(mine, theirs),
        lambda: _as_relations(mine, theirs, within),
        lambda: _as_matrices(mine, theirs, within),
        lambda: _as_regions(mine, theirs, within),
        lambda: same_amount(mine, theirs, within),
        lambda: _as_items(mine, theirs, within),
        lambda: _as_ratios(mine, theirs, within),
    )
    for kind in kinds:
        if (verdict := kind()) is not None:
            return verdict
    return _as_formulas(mine, theirs)


@lru_cache(maxsize=1024)
def _led(text: str) -> str:
    """Remove a lead-in ("the answer is", "about")."""
    text = _REMARK.sub("", text.lstrip(" ="))
    if _words(text) in _ALL:
        return "\\mathbb{R}"
    text = _BRACKETED.sub(r"\1", text)
    led = _MEMBER.sub("", _LEAD.sub("", text, count=1) if _LEAD.match(text) else text)
    if led != text and led.count("»") > led.count("«"):
        led = "«" + led.lstrip()
    return led.lstrip(" =:").rstrip()


def _as_numbers(mine: str, theirs: str) -> bool | None:
    one, other = amount(mine), amount(theirs)
    if "\\overline" in mine + theirs and (one is not None or other is not None):
        return _equal_numbers(mine, theirs)
    return None if one is None or other is None else one == other


def _equal_numbers(mine: str, theirs: str) -> bool:
    one, other = amount(mine), amount(theirs)
    if one is not None and other is None:
        other = _constant(theirs)
    if other is not None and one is None:
        one = _constant(mine)
    return one is not None and one == other


def _constant(text: str) -> Fraction | None:
    try:
        found = value(text)
    except (Unreadable, Undefined):
        return None
    return found if isinstance(found, Fraction) else None


def _words(text: str) -> str:
    """Return words in lower case without articles; empty if the text has anything else."""
    if not re.fullmatch(r"(?:\s*(?:«[^»]*»|[,∧∨.!?'()a-zA-Z-]))+\s*", text) or "«" not in text:
        return ""
    said = re.sub(r"[«»,.!?]", " ", text.replace("∧", "and").replace("∨", "or")).casefold()
    words = " ".join(word for word in said.split() if word not in ("the", "a", "an"))
    return "does not exist" if words == "dne" else words


def _as_words(mine: str, theirs: str) -> bool | None:
    one, other = _words(mine), _words(theirs)
    if not one and not other:
        return None
    if one == other or _plain(mine) == _plain(theirs):
        return True
    lists = shapes.items(mine), shapes.items(theirs)
    if "∞" in mine + theirs:
        return {one, other} <= {"", "infinity"}
    return None if all(lists) else False


def _plain(text: str) -> str:
    return re.sub(r"[«»\s.,]", "", text).casefold()


def _nothing(text: str) -> bool:
    return "∅" in text or _words(text) in _NOTHING or squeezed(text) == "⦃⦄"


def _as_relations(  # noqa: PLR0911 - by cases
    mine: str, theirs: str, same: marks.Same
) -> bool | None:
    """Compare equations; an inequality against anything else is left to the intervals."""
    one, other = shapes.relation(mine), shapes.relation(theirs)
    if (one is None and other is None) or any(s.find(c) >= 0 for s in (mine, theirs) for c in "∨∧"):
        return None
    if _listed(mine) or _listed(theirs):
        return None
    if one and other:
        return _two_relations(one, other, same)
    if one and set(one.signs) <= {"=", "≈"}:
        side = one.sides[-1]
        if one.signs[-1] == "≈" and len(one.sides) > 1 and same(one.sides[-2], theirs):
            return True  # "1 + √2 ≈ 2.414"
        if side == "0" and not shapes.is_name(one.sides[0]):
            return False  # an equation in all its variables
        if shapes.is_name(side) and not shapes.is_name(one.sides[0]):
            side = one.sides[0]
        return same(side, theirs)
    if other and other.signs == ("=",):
        for name, side in (other.sides, other.sides[::-1]):
            if shapes.is_name(name):
                return same(mine, side)
        return False
    return None


def _listed(text: str) -> bool:
    return len(shapes.split(text, ",;")) > 1


def _two_relations(one: shapes.Relation, other: shapes.Relation, same: marks.Same) -> bool | None:
    if set(one.signs) == set(other.signs) == {"="}:
        names = one.sides[0], other.sides[0]
        if all(shapes.is_name(name) for name in names) and (
            squeezed(names[0]) == squeezed(names[1]) or any("(" in name for name in names)
        ):
            side = shapes.in_variable_of(one, names[1])
            return side is not None and same(side, other.sides[-1])
    if len(one.sides) == len(other.sides) == 2:
        sign = regions.FLIPPED.get(other.signs[0], other.signs[0])
        try:
            factor = same_relation(one.sides, other.sides)
        except (Unreadable, Undefined):
            factor = None
        if factor is not None:
            return one.signs[0] == (other.signs[0] if factor > 0 else sign)
        if one.signs == other.signs and all(
            same(a, b) for a, b in zip(one.sides, other.sides, strict=True)
        ):
            return True
    if set(one.signs + other.signs) <= set("<>≤≥"):
        return None
    mine, theirs = (each.written for each in (one, other))
    return one.signs == other.signs and same_by_algebra(mine, theirs)


def _as_matrices(mine: str, theirs: str, same: marks.Same) -> bool | None:
    one, other = shapes.matrix(mine), shapes.matrix(theirs)
    if one is None and other is None:
        return None
    if one is None or other is None:  # a vector may be written as a tuple
        found = one or other
        assert found is not None
        rows, rest = found.rows, theirs if one else mine
        if (value_ := shapes.single(found)) is not None:
            return same(value_, rest)
        tuple_ = shapes.items(_TRANSPOSED.sub("", rest))
        if tuple_ is None or not tuple_.ordered or min(len(rows), len(rows[0])) > 1:
            return False
        cells = [cell for row in rows for cell in row]
        return len(cells) == len(tuple_.parts) and all(
            same(a, b) for a, b in zip(cells, tuple_.parts, strict=True)
        )
    if one.determinant != other.determinant or len(one.rows) != len(other.rows):
        return False
    return all(
        len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(one.rows, other.rows, strict=True)
    )


def _as_regions(mine: str, theirs: str, same: marks.Same) -> bool | None:
    one, other = regions.region(mine), regions.region(theirs)
    if one is None or other is None:
        return None
    if one.name and other.name and squeezed(one.name) != squeezed(other.name):
        return False
    if len(one.intervals) != len(other.intervals):
        return False
    left = list(other.intervals)
    plain = all(
        text.strip()[:1] == "(" and len(r.intervals) == 1
        for text, r in ((mine, one), (theirs, other))
    )
    for interval in one.intervals:
        for candidate in left:
            if interval.closed == candidate.closed and all(
                same(a, b)
                for a, b in ((interval.low, candidate.low), (interval.high, candidate.high))
            ):
                left.remove(candidate)
                break
        else:
            # "(1, 2)" may be a point whose coordinates carry their own names or units
            return None if plain else False
    return True


def _as_items(  # noqa: PLR0911 - by cases
    mine: str, theirs: str, same: marks.Same
) -> bool | None:
    one, other = shapes.items(mine), shapes.items(theirs)
    if one is None and other is None:
        return None
    one = one or shapes.Items((mine,))
    other = other or shapes.Items((theirs,))
    if one.hedged != other.hedged or max(len(one.parts), len(other.parts)) > MAX_PARTS:
        return False
    named, asked = shapes.ordered_with_names(one), shapes.ordered_with_names(other)
    if named and asked and len(named) > 1:
        return named.keys() == asked.keys() and all(
            same(named[name], asked[name]) for name in asked
        )
    if named and len(named) > 1:
        one = shapes.Items(tuple(named.values()), ordered=not other.braced)
    if asked and len(asked) > 1:
        other = shapes.Items(tuple(asked.values()), ordered=True)
    if one.ordered or other.ordered:
        if (one.braced or other.braced) or len(one.parts) != len(other.parts):
            return False
        if one.ordered and other.ordered and one.square != other.square:
            return False
        return all(same(a, b) for a, b in zip(one.parts, other.parts, strict=True))
    return _covered(one.parts, other.parts, same) and _covered(other.parts, one.parts, same)


def _covered(parts: tuple[str, ...], by: tuple[str, ...], same: marks.Same) -> bool:
    return all(any(same(part, each) for each in by) for part in parts)


def _as_ratios(mine: str, theirs: str, same: marks.Same) -> bool | None:
    one, other = shapes.parts_of_ratio(mine), shapes.parts_of_ratio(theirs)
    if not one and not other:
        return None
    if len(one) == len(other):
        if any(re.match(r"0\d", part) for part in one + other):
            return False  # 8:05 is a time
        numbers = [[amount(part) for part in parts] for parts in (one, other)]
        if all(number for parts in numbers for number in parts):
            return len({a / b for a, b in zip(*numbers, strict=True)}) == 1
        return all(same(a, b) for a, b in zip(one, other, strict=True))
    pair, rest = (one, theirs) if one else (other, mine)
    if len(pair) != 2 or shapes.parts_of_ratio(rest) or rest.strip(" -").isdecimal():
        return False  # "5 to 1" is not 5
    return same(f"\\frac{{{pair[0]}}}{{{pair[1]}}}", rest)


def _as_formulas(mine: str, theirs: str) -> bool:
    if "∞" in mine + theirs:
        return _infinite(mine) == _infinite(theirs) != ""
    mine, theirs = (
        _THOUSANDS.sub(lambda n: n[0].replace(",", ""), text) for text in (mine, theirs)
    )
    try:
        return same_formula(mine, theirs)
    except Undefined:
        return False
    except Unreadable:
        return same_by_algebra(mine, theirs)


def _infinite(text: str) -> str:
    text = squeezed(text).replace("+", "")
    return text if text in ("∞", "-∞") else ""
