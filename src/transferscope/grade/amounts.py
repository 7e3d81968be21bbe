"""Amounts: values with units, money, percentages, "3 million", "2 hours and 30 minutes".

>>> from .notation import canonical
>>> measured(canonical(r"12.5\\text{ cm}^2")).value
'12.5'
>>> measured(canonical("2 hours and 30 minutes")).value
'\\\\frac{5}{2}'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from .numbers import amount, multiplied
from .units import Unit, ratio, unit_of

_UNIT = re.compile(
    r"(?P<unit>(?:\s*(?:(?<=[»\d])\s*[*/]\s*)?(?:«[^»]*»|[°%€£¥₹$¢])"
    r"(?:\^\s*\{?\s*-?\d\s*\}?)?)+)\s*$"
)
_MONEY = re.compile(
    r"(?P<minus>-?)\s*(?:«?US»?\s*(?=\$))?"
    r"(?P<sign>[$€£¥₹]|«(?:usd|eur|euro|gbp|inr|rs|jpy|cny|rmb)»)\.?\s*(?P<rest>.*)",
    re.DOTALL | re.IGNORECASE,
)
_FEW = re.compile(
    r"(?P<number>\d[\d,.]*(?:/\d+|\\frac\{\d+\}\{\d+\})?)\s*"
    r"(?P<unit>(?:«[^»]*»|°)(?:\s*/\s*«[^»]*»)*)\s*[,∧]*\s*"
)
_MOST = 4
"""Most units in one amount: hours, minutes, seconds."""
_SHORT = re.compile(r"(?<=\d)\s*«?([kKMB])»?$")
_SHORT_FORMS = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9}
"""Multipliers that only follow an amount of money: "$1.2M"."""
_PERCENT = re.compile(r"%|«(?:per ?cent(?:age)?|prozent|pour cent|pct)\b", re.IGNORECASE)
_ANGLE = re.compile(r"(?<![a-z«])(?:sin|cos|tan|cot|sec|csc)(?![a-z])")

Same = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Measured:
    """An amount: ``value`` in canonical notation; ``unit`` is ``None`` if none was written."""

    value: str
    unit: Unit | None
    percent: bool = False


@lru_cache(maxsize=1024)
def measured(text: str) -> Measured | None:
    """Read canonical ``text`` as an amount; ``None`` if it has words outside its unit."""
    if (total := _summed(text)) is not None:
        return total
    if "∨" in text or "∧" in text:
        return None  # several amounts
    text, times = multiplied(text)
    unit = None
    if money := _MONEY.fullmatch(text):
        unit = unit_of(money["sign"])
        text = money["minus"] + money["rest"]
        if short := _SHORT.search(text):
            times *= _SHORT_FORMS[short[1]]
            text = text[: short.start()]
    percent = False
    # In "sin 30°" the degree belongs to the argument.
    if not _ANGLE.search(text) and (match := _UNIT.search(text)):
        said = match["unit"].strip().removeprefix("*").strip()
        text = text[: match.start()].rstrip()
        percent = bool(_PERCENT.match(said))
        if not percent:
            behind = unit_of(said)
            if behind is None:
                return None
            unit = unit or behind
    if not text or "«" in text or text[-1] == ",":
        return None
    return Measured(text if times == 1 else f"{times}*({text})", unit, percent)


def same_amount(mine: str, theirs: str, same: Same) -> bool | None:  # noqa: PLR0911 - by cases
    """Whether both amounts are equal; ``None`` if neither has a unit.

    If both have units, these are compared, and converted where the conversion is exact. 50 % equals
    both 0.5 and 50, because the question may have asked for a percentage.
    """
    one, other = measured(mine), measured(theirs)
    if one is None or other is None:
        return None
    if one.percent != other.percent:
        share, bare = (one, other) if one.percent else (other, one)
        if bare.unit is not None:
            return False
        return same(share.value, bare.value) or same(f"\\frac{{{share.value}}}{{100}}", bare.value)
    if one.unit is None and other.unit is None:
        return same(one.value, other.value) if one.percent else None
    if one.unit is not None and other.unit is not None:
        factor = ratio(one.unit, other.unit)
        if factor is None:
            return False
        return same(one.value if factor == 1 else f"{_plain(factor)}*({one.value})", other.value)
    first, second = _radians(one, other), _radians(other, one)
    return same(first, second)


def _summed(text: str) -> Measured | None:
    """Combine parts such as hours and minutes into one amount if all units measure the same."""
    at, total, count = 0, Fraction(0), 0
    first: Unit | None = None
    least: Fraction | None = None
    while match := _FEW.match(text, at):
        at, count = match.end(), count + 1
        number, unit = amount(match["number"].rstrip(",.")), unit_of(match["unit"])
        if number is None or unit is None or count > _MOST:
            return None
        if least is not None and unit.factor >= least:
            return None  # "12 cm, 16 cm" is two amounts
        least = unit.factor
        first = first or unit
        if unit.powers != first.powers:
            return None
        total += number * unit.factor / first.factor
    if at != len(text) or count < 2 or first is None:
        return None
    return Measured(_plain(total), first)


def _plain(factor: Fraction) -> str:
    if factor.denominator == 1:
        return str(factor)
    return f"\\frac{{{factor.numerator}}}{{{factor.denominator}}}"


def _radians(one: Measured, other: Measured) -> str:
    """Convert degrees to radians if the other side is a multiple of π without a unit."""
    degrees = one.unit is not None and one.unit.powers == {("degree", 1)}
    if degrees and "π" in other.value and "π" not in one.value:
        return f"\\frac{{π({one.value})}}{{180}}"
    return one.value
