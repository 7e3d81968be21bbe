"""Answers with a mark beside their value: option letters, times of day, residues, number bases.

The mark (the letter, a.m. or p.m., the modulus, the base) is part of the answer. A mark that only
the answer or only the gold gives is implied for the other; if both give one, they must match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from .notation import squeezed
from .numbers import amount

OPTIONS = "ABCDEFGHIJ"
_CLOCK = re.compile(
    r"(?P<hours>\d{1,2})(?:\s*[:.]\s*(?P<minutes>\d{2})(?:\s*:\s*(?P<seconds>\d{2}))?)?"
    r"(?:\s*«(?P<half>am|pm|noon|midnight)»)?"
)
_BASED = re.compile(
    r"\(?\s*«?(?P<digits>[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]+)?)»?\s*\)?\s*"
    r"(?:_\s*\{?\s*\(?(?:«base»\s*)?(?:«(?P<word>[a-z]+)»|(?P<base>\d{1,2}))\)?\s*\}?"
    r"|\(?\s*(?:in )?«(?:in )?base»\s*(?:«(?P<said>[a-z]+)»|(?P<number>\d{1,2}))\s*\)?"
    r"|\(?\s*«(?:in )?(?P<called>binary|octal|decimal|hex(?:adecimal)?)(?: notation)?»\s*\)?)"
)
_BASES = {
    "binary": 2, "octal": 8, "decimal": 10, "hex": 16, "hexadecimal": 16,
}  # fmt: skip
_RESIDUE = re.compile(
    r"(?P<value>[^\\«(]+)(?<!\s)\s*\(?\s*(?:\\[pb]?mod|«mod(?:ulo)?»|mod)\s*[{(]?\s*"
    r"(?P<modulus>\w+)\s*[})]*"
)
_OPTION = r"(?:«?(?:the )?(?:correct )?(?:option|choice|answer)(?: is)?»[\s:]*)?"
_LETTER = re.compile(
    rf"{_OPTION}[(\[«]*\s*(?P<letter>[A-Z])\s*[)\]»]*\.?(?:\s*«is (?:correct|right|true)»)?",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[(«]*[A-J][)»]*(?:[\s,;∧]*[(«]*[A-J][)»]*)+|«[A-J]{2,6}»")
_CHOICE = re.compile(
    rf"(?i:{_OPTION})(?:\(\s*(?P<in>[A-Z])\s*\)\s*(?P<one>.*)|(?P<stop>[A-Z])\s?[.):]\s*(?P<two>.*))",
    re.DOTALL,
)

Same = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day; ``half`` is "am" or "pm" if it was written."""

    seconds: int
    half: str


def letter(text: str) -> str:
    """Return the upper-case option letter if ``text`` is just one, else an empty text."""
    match = _LETTER.fullmatch(text.strip())
    return match["letter"].upper() if match else ""


def letters(text: str) -> frozenset[str]:
    """Return the options of "A, B, D", "A and D" or "ABD"; empty for anything else."""
    return frozenset(re.findall("[A-J]", text)) if _LETTERS.fullmatch(text.strip()) else frozenset()


def choice(text: str) -> tuple[str, str]:
    """Return letter and content of "(B) 42" or "B. 42"; two empty texts if no option is named."""
    match = _CHOICE.fullmatch(text.strip())
    if not match or (match["in"] or match["stop"]) not in OPTIONS:
        return "", ""
    if (match["one"] or match["two"] or "").lstrip()[:1] in ("∧", "∨", ","):
        return "", ""  # the first of several
    return match["in"] or match["stop"], (match["one"] or match["two"] or "").strip()


def clock(text: str) -> Clock | None:
    """Read a time such as "5:30", "5:30 p.m.", "17:30", "5 p.m."; a bare number is not a time."""
    match = _CLOCK.fullmatch(text.strip())
    if not match or not (match["minutes"] or match["half"]):
        return None
    if "." in text and not match["half"]:
        return None  # 5.30 is a number, 5.30 p.m. a time
    hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
    half = {"am": "am", "pm": "pm", "noon": "pm", "midnight": "am"}.get(match["half"] or "", "")
    if hours > 24 or minutes > 59 or (half and hours > 12):
        return None
    if half:
        hours = hours % 12 + (12 if half == "pm" else 0)
    return Clock(hours * 3600 + minutes * 60 + int(match["seconds"] or 0), half)


def same_time(mine: str, theirs: str) -> bool | None:
    """Whether both are the same time; ``None`` if neither is a time."""
    one, other = clock(mine), clock(theirs)
    if one is None or other is None:
        told, rest = (one, theirs) if one else (other, mine)
        if told is None or (hours := amount(rest)) is None:
            return None
        if not told.half:  # five o'clock
            return told.seconds == hours * 3600 if hours.denominator == 1 else False
        return (told.seconds - hours * 3600) % 43200 == 0 and 1 <= hours <= 12
    if bool(one.half) == bool(other.half):
        return one.seconds == other.seconds
    bare, told = (other, one) if one.half else (one, other)
    if bare.seconds >= 13 * 3600 or bare.seconds < 3600:  # of 24 hours
        return bare.seconds == told.seconds
    return (bare.seconds - told.seconds) % 43200 == 0


def same_residue(mine: str, theirs: str, same: Same) -> bool | None:
    """Whether both are the same modulo the same number; ``None`` if neither gives a modulus."""
    one, other = (_RESIDUE.fullmatch(text.strip()) for text in (mine, theirs))
    if one is None and other is None:
        return None
    first, second = (
        last_side(match["value"] if match else text).strip(" (")
        for match, text in ((one, mine), (other, theirs))
    )
    if one is None or other is None:
        return same(first, second)
    if one["modulus"] != other["modulus"]:
        return False
    a, b, m = amount(first), amount(second), amount(one["modulus"])
    if a is not None and b is not None and m:
        return (a - b) % m == 0
    return same(first, second)


def same_in_base(mine: str, theirs: str) -> bool | None:
    """Whether both have the same digits in the same base; ``None`` if neither gives a base.

    If the gold is 77 in base 8, its decimal value 63 is not accepted: the question asks for base 8.
    """
    one, other = _based(mine), _based(theirs)
    if one and other:
        return one == other
    if not one and not other:
        return None
    (digits, _), rest = (one, theirs) if one else (other or ("", 0), mine)
    return (last_side(rest).replace(" ", "").upper().lstrip("0") or "0") == digits


def last_side(text: str) -> str:
    """Return the text after the last equality or congruence sign."""
    return re.split("[≡=]", text)[-1].strip()


@lru_cache(maxsize=1024)
def _based(text: str) -> tuple[str, int] | None:
    if prefixed := re.fullmatch(r"0([xb])([0-9a-f]+)", squeezed(text).lower()):
        return prefixed[2].upper().lstrip("0") or "0", 16 if prefixed[1] == "x" else 2
    match = _BASED.fullmatch(re.sub(r"(?<=\d),(?=\d{3})", "", last_side(text)))
    if not match:
        return None
    word = match["word"] or match["said"] or match["called"]
    base = _BASES.get(word, 0) if word else int(match["base"] or match["number"])
    return (match["digits"].upper().lstrip("0") or "0", base) if base else None
