"""Answers in words and notations of their own: options, times, bases, residues, ratios, texts.

Each function reads cleaned text and returns a verdict, or ``None`` where the answer is not of its
kind. A side that says less than the gold ("1011" for 1011 in base 2) is right, one that says
something else is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from .latex import squeezed
from .numbers import exact

Same = Callable[[str, str], bool]

_OPTION = re.compile(
    r"(?:(?:option|choice|answer)\s+)?(?:\(\s*(?P<in>[A-J])\s*\)|(?P<dot>[A-J])(?=[.:)])[.:)])"
    r"\s*(?P<rest>.*)",
    re.DOTALL | re.IGNORECASE,
)
_LETTER = re.compile(r"(?:(?:option|choice)\s+)?\(?\s*([A-J])\s*\)?[.:]?", re.IGNORECASE)
_ANOTHER = re.compile(r"\([A-J]\)|(?<![a-zA-Z])[A-J][.)]")
_CLOCK = re.compile(
    r"(\d{1,2})(?::(\d{2})(?::(\d{2}))?)?\s*(a\.?\s*m\.?|p\.?\s*m\.?|noon|midnight|o'?clock)?", re.I
)
_HALF = 12 * 3600
_BASE = re.compile(r"(-?[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]+)?)\s*_\s*(?:\{\s*(\w+)\s*\}|(\d+))", re.ASCII)
_BASES = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "sixteen": "16",
}  # fmt: skip
_IN_BASE = re.compile(r"(-?[0-9A-Fa-f]+)\s*\(?\s*(?:in\s+)?base\s*(\w+)\s*\)?")
_RESIDUE = re.compile(
    r"(?:[^=]*?(?:\\equiv|=))?\s*(?P<rest>[^=\\()]+|\\frac[^=()]+?)\s*\(?\s*"
    r"(?:\\pmod|mod(?:ulo)?)\s*[{(]?"
    r"\s*(?P<by>[^(){}]+?)\s*[)}]*"
)
_RATIO = re.compile(r"([^:]+?)\s*(?::|(?<![a-zA-Z])to(?![a-zA-Z]))\s*([^:]+)")
_COMMANDS = re.compile(r"\\[a-zA-Z]+")
_ARTICLES = re.compile(r"(?<![a-z])(?:the|an?|option|answer|is|it)(?![a-z])")
_LISTED = re.compile(r"\s*,?\s+and\s+|\s*,\s*")
_ALIKE = (
    {"dne", "doesnotexist", "doesn'texist", "undefined", "notdefined"},
    {"nosolution", "nosolutions", "norealsolution", "norealsolutions", "none", "emptyset"},
    {"true", "correct"},
    {"infinitelymany", "infinite", "infinitelymanysolutions"},
)


def option(  # noqa: PLR0911 - one per pair of kinds
    answer: str, gold: str, same: Same
) -> bool | None:
    """Multiple choice: "B", "(B)", "B. 42" and "(B) 42" where ``gold`` is a letter or an option."""
    wanted, chosen = _LETTER.fullmatch(gold), _OPTION.fullmatch(answer)
    if wanted and wanted[1].isupper():
        if said := _LETTER.fullmatch(answer):
            return said[1] == wanted[1] or (said[1] in "abcd" and said[1].upper() == wanted[1])
        if chosen and (chosen["in"] or chosen["dot"]).isupper():
            letter = chosen["in"] or chosen["dot"]
            return letter == wanted[1] and not _ANOTHER.search(chosen["rest"])
        return None
    full = _OPTION.fullmatch(gold)
    if full and (full["in"] or full["dot"]).isupper() and full["rest"]:
        letter = full["in"] or full["dot"]
        if said := _LETTER.fullmatch(answer):
            return said[1].upper() == letter
        if chosen and chosen["rest"]:
            return (chosen["in"] or chosen["dot"]) == letter and same(chosen["rest"], full["rest"])
        return same(answer, full["rest"])
    if not (chosen and chosen["rest"] and (chosen["in"] or chosen["dot"]).isupper()):
        return None
    return None if _ANOTHER.search(chosen["rest"]) else same(chosen["rest"], gold)


def clock(answer: str, gold: str) -> bool | None:
    """Times of the day. A gold with a.m. or p.m. wants it (or 24 hours), one without leaves it."""
    mine, theirs = _time(answer), _time(gold)
    if mine is None or theirs is None or not (mine[2] or theirs[2]):
        return None
    if mine[1] == theirs[1] or (mine[1] is None and mine[0] >= 13 * 3600):
        return mine[0] == theirs[0]
    if theirs[1] is None:  # the gold is open: 17:30 and 5:30 are both 5:30 p.m.
        return mine[0] == theirs[0] or mine[0] % _HALF == theirs[0] < 13 * 3600
    return False


def _time(text: str) -> tuple[int, str | None, bool] | None:
    """Seconds, "am" or "pm", and whether it can only be a time; ``None`` where it is none."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, half = int(found[1]), (found[4] or "").lower()
    meridiem = {"a": "am", "p": "pm", "n": "pm", "m": "am"}.get(half[:1])
    if meridiem and hours <= 12:
        hours = hours % 12 + (12 if meridiem == "pm" else 0)
    seconds = hours * 3600 + int(found[2] or 0) * 60 + int(found[3] or 0)
    return seconds, meridiem, bool(found[2] or found[4])


def base(answer: str, gold: str, same: Same) -> bool | None:
    """Numerals with their base: digits and base are compared, and a missing base is the gold's."""
    mine, theirs = _numeral(answer), _numeral(gold)
    if theirs is not None:
        return mine == theirs if mine is not None else squeezed(answer).lower() == theirs[0]
    if mine is not None:
        return mine[1] == "10" and same(mine[0], gold)
    return None


def _numeral(text: str) -> tuple[str, str] | None:
    if found := _IN_BASE.fullmatch(text):
        digits, by = found[1], found[2]
    elif found := _BASE.fullmatch(text):
        digits, by = found[1], found[2] or found[3]
    else:
        return None
    by = _BASES.get(by.lower(), by)
    if not by.isdigit() or not any(c.isdigit() for c in digits):
        return None
    return digits.lower(), by


def residue(answer: str, gold: str, same: Same) -> bool | None:
    """Residue classes: equal moduli and congruent numbers."""
    mine, theirs = (
        _RESIDUE.fullmatch(text) if "mod" in text and len(text) < 200 else None
        for text in (answer, gold)
    )
    if mine is None and theirs is None:
        return False if "\\pmod" in answer + gold else None
    if theirs is None or mine is None:
        return same(mine["rest"], gold) if mine is not None else False
    if not same(mine["by"], theirs["by"]):
        return False
    a, b, by = exact(mine["rest"]), exact(theirs["rest"]), exact(theirs["by"])
    if a is None or b is None or not by:
        return same(mine["rest"], theirs["rest"])
    return (a - b) % by == 0


def ratio(answer: str, gold: str, same: Same) -> bool | None:
    """ "3:2", "3 to 2": each part is compared; against a fraction the quotient."""
    mine, theirs = (
        [part.strip() for part in text.split(":")] for text in map(_colons, (answer, gold))
    )
    if len(mine) == len(theirs) == 1:
        return None
    if len(mine) == len(theirs):
        return all(map(same, mine, theirs))
    parts, other = (mine, gold) if len(theirs) == 1 else (theirs, answer)
    if len(parts) != 2 or ":" in other:
        return False
    top, bottom, value = exact(parts[0]), exact(parts[1]), exact(other)
    return top is not None and bool(bottom) and value == top / (bottom or Fraction(1))


def _colons(text: str) -> str:
    return re.sub(r"(?<=[\d}])\s+to\s+(?=[\d\\])", ":", text) if len(text) < 200 else text


def worded(text: str) -> str | None:
    """The words of an answer that is text, in one spelling; ``None`` where it is mathematics."""
    bare = _COMMANDS.sub(" ", text)
    if re.search(r"[\d=<>+*/^_|\\]", bare) or len(bare) > 300:
        return None
    if not re.search(r"[^\W\d_]{3,}|\b(?:no|No|NO)\b|[^\x00-\x7f]", bare):
        return None
    if bare != text and not text.replace("\\emptyset", "").isalpha():
        return None
    return _plain_words(text)


def _plain_words(text: str) -> str:
    lower = text.lower()
    return re.sub(r"[^\w']", "", _ARTICLES.sub(" ", lower)) or re.sub(r"\W", "", lower)


def text(answer: str, gold: str) -> bool | None:
    """Answers in words, without regard to case, articles and punctuation."""
    wanted = "emptyset" if gold in ("\\emptyset", "\\{\\}") else worded(gold)
    said = "emptyset" if answer in ("\\emptyset", "\\{\\}") else worded(answer)
    if wanted is None:
        # a gold that is mathematics is no word
        return None
    if said is None:
        return False
    if said == wanted or any({said, wanted} <= alike for alike in _ALIKE):
        return True
    if _LISTED.search(answer) and _LISTED.search(gold):
        ours, others = (sorted(map(_plain_words, _LISTED.split(t))) for t in (answer, gold))
        return ours == others
    if wanted in ("yes", "no", "true", "false"):
        first = re.match(r"[a-z]+", answer.lower())
        return first is not None and first[0] == wanted and "," in answer
    return False
