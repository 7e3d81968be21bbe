"""Numbers as they are written in tables: "60.5%", "60,5", "1,319", "0.605 ± 0.013"."""

from __future__ import annotations

import re
from typing import NamedTuple

_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
_THOUSANDS = re.compile(
    r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?|[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]*"
)
_LONGEST = 80
"""Maximum length of a cell that can hold a number."""
MISSING = frozenset({"", "-", "–", "—", "n/a", "na", "nan", "none", "null", "?", "tbd", "."})
"""Contents that mark a missing value, in lower case."""


class Cell(NamedTuple):
    """A number, whether a "%" follows it, and the number after "±", on the same scale."""

    value: float
    percent: bool = False
    error: float | None = None


def cell_of(text: str) -> Cell | None:
    """The number in a cell, or ``None``. A single comma is a decimal comma.

    >>> cell_of("60,5 %")
    Cell(value=60.5, percent=True, error=None)
    >>> cell_of("0.605 ± 0.013")
    Cell(value=0.605, percent=False, error=0.013)
    """
    if len(text) > _LONGEST:
        return None
    first, sign, second = re.sub(r"\+/-|\+-", "±", text).partition("±")
    value, error = _number(first), _number(second)
    if value is None or (sign and error is None):
        return None
    return Cell(value, "%" in text, error)


def count_of(text: str) -> int | None:
    """A whole number, with commas between thousands or in pandas' form ("1319.0").

    >>> count_of("1,319"), count_of("1319.0"), count_of("1.5")
    (1319, 1319, None)
    """
    plain = text.strip().replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", plain):
        plain = plain.replace(",", "")
    whole = re.fullmatch(r"([+-]?[0-9]{1,15})(\.0*)?", plain)
    return int(whole[1]) if whole else None


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no measurement."""
    return text.strip().casefold() in MISSING


def _number(text: str) -> float | None:
    plain = text.replace("%", "").replace("\u2212", "-").replace("\u00a0", " ").strip()
    if "," in plain:
        if "." in plain:
            if not _THOUSANDS.fullmatch(plain):
                return None
            last = max(plain.rfind(","), plain.rfind("."))
            plain = re.sub(r"[,.]", "", plain[:last]) + "." + plain[last + 1 :]
        else:
            plain = plain.replace(",", ".", 1)
    return float(plain) if _PLAIN.fullmatch(plain) else None
