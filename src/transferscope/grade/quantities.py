"""Numbers with what they count: "5 km/h", "\\$1.5 million", "50 %", "3 hours", "12 apples".

Two quantities are equal when their values are, in the same unit: 1 m is 100 cm and not 100 km. A
side that names no unit leaves it open: "5 cm" answers 5. A word that is no unit of the table
("apples") is compared as a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from .numbers import exact
from .units import Unit, unit

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_SPELLED = {word: number for number, word in enumerate(_SMALL)} | {
    word: 10 * number
    for number, word in enumerate(
        ["thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 3
    )
}
_PERCENT = (("%", 1),)
_CURRENCY = r"(?:US|USD|EUR|GBP|A|C)?\s*[$£€¥₹]|(?:USD|EUR|GBP|Rs\.?)"
_MONEY = re.compile(rf"([-+]?)\s*({_CURRENCY})\s*(.*)", re.DOTALL)
_LETTERS = re.compile(r"\\[a-zA-Z]+|(?<=\d)[eE](?=[-+]?\d)|[a-zA-Zµ\u00c0-\uffff%$£€¥¢]")


@dataclass(frozen=True, slots=True)
class Quantity:
    """``value`` in base units, ``bare`` in those written."""

    value: Fraction
    bare: Fraction
    """The number as written, without the unit's scale."""
    unit: Unit


def quantity(text: str) -> Quantity | None:
    """What cleaned ``text`` counts, or ``None`` where it is no number with a unit.

    Raises :class:`.numbers.TooLarge`.
    """
    text = text.strip()
    if (spelled := _spelled(text)) is not None:
        return spelled
    sign, symbol = "", ""
    if money := _MONEY.fullmatch(text):
        sign, symbol, text = (
            money[1],
            money[2][-1] if money[2][-1] in "$£€¥₹" else money[2],
            money[3],
        )
    split = next((m.start() for m in _LETTERS.finditer(text) if _is_unit(m, text)), len(text))
    value = exact(sign + text[:split].rstrip(" *-~({")) if split else None
    if value is None:
        return None
    attached = not text[split - 1].isspace()
    return _counted(value, unit(text[split:], symbol=symbol, attached=attached))


def _counted(value: Fraction, by: Unit | None) -> Quantity | None:
    if by is None:
        return None
    bare = value * by.multiplier
    return Quantity(bare * by.scale, bare, by)


def equal(mine: Quantity, theirs: Quantity) -> bool:
    """Whether both are the same amount, where each may leave its unit open."""
    ours, others = mine.unit, theirs.unit
    if (ours.powers == _PERCENT) != (others.powers == _PERCENT):
        share, other = (mine, theirs) if ours.powers == _PERCENT else (theirs, mine)
        return other.unit.open and other.value in (share.bare, share.bare / 100)
    if ours.open or others.open:
        # "5 km" answers 5, and "1.5 million dollars" 1,500,000
        return mine.bare == theirs.bare
    if ours.powers != others.powers or mine.value != theirs.value:
        return False
    left, right = set(ours.words), set(others.words)
    return not left or not right or left <= right or right <= left


def _is_unit(found: re.Match[str], text: str) -> bool:
    if found[0].startswith("\\"):
        return found[0] in ("\\deg", "\\mu", "\\Omega")
    return found[0] not in "eE" or not re.match(r"[eE][-+]?\d", text[found.start() :])


def _spelled(text: str) -> Quantity | None:
    """ "twelve apples", "twenty-five"."""
    first, _, rest = text.partition(" ")
    tens, dash, ones = first.lower().partition("-")
    if tens not in _SPELLED or (dash and ones not in _SMALL[1:10]):
        return None
    value = Fraction(_SPELLED[tens] + (_SPELLED[ones] if dash else 0))
    return _counted(value, unit(rest))


def parted(text: str) -> tuple[str, Unit | None]:
    """A symbolic value and its unit: "5\\pi cm" is ("5\\pi", cm). No unit: ``text``, ``None``."""
    for found in re.finditer(r"(?<=[\d})\]a-z])\s+(?=[a-zA-Z%])", text[:400]):
        head, tail = text[: found.start()], text[found.end() :]
        if not re.search(r"\d|\\pi|\\sqrt", head):
            return text, None
        by = unit(tail)
        if by is not None and (by.powers or by.words):
            return head, None if by.open else by
    return text, None
