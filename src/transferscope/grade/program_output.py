"""When a program's output, or a function's value, is the expected one.

Each comparison takes what came out and what is expected, both as text; a function's value is JSON.
:func:`same_lines` and :func:`same_value` follow LiveCodeBench's own checker (commit 15808c7 of its
repository). :func:`close_text` and :func:`close_value` also accept what a problem leaves open:
rounding, white space, and, if its :class:`Wording` says so, order and case.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Same = Callable[[str, str], bool]

TOLERANCE = 1e-6
"""Relative and absolute difference of decimals that counts as rounding."""
_DECIMAL = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?:\.\d*)?[eE][-+]?\d+)")
_ANY_ORDER = re.compile(r"\b(?:in any|any valid|any) order\b|\border (?:does not|doesn't) matter")
_ANY_CASE = re.compile(r"\bin any case\b|\bcase[- ]insensitive|\b(?:upper|lower) or \w+ ?case\b")


@dataclass(frozen=True, slots=True)
class Wording:
    """What a problem's statement leaves to the program."""

    any_order: bool = False
    any_case: bool = False

    @classmethod
    def of(cls, statement: str) -> Wording:
        """Read the statement.

        >>> Wording.of("Return the pairs in any order.")
        Wording(any_order=True, any_case=False)
        """
        text = " ".join(statement.lower().split())
        return cls(bool(_ANY_ORDER.search(text)), bool(_ANY_CASE.search(text)))


def same_lines(output: str, expected: str) -> bool:
    r"""Equal lines, or lines of equal numbers, ignoring white space around each line and the text.

    >>> same_lines("1.0 2\n", "1 2"), same_lines("0.3333333", "0.33333333")
    (True, False)
    """
    mine, theirs = (text.strip().split("\n") for text in (output, expected))
    if len(mine) != len(theirs):
        return False
    return all(_same_line(a.strip(), b.strip()) for a, b in zip(mine, theirs, strict=True))


def _same_line(mine: str, theirs: str) -> bool:
    if mine == theirs:
        return True
    try:
        return [Decimal(x) for x in mine.split()] == [Decimal(x) for x in theirs.split()]
    except InvalidOperation:
        return False


def close_text(output: str, expected: str, wording: Wording = Wording()) -> bool:
    r"""Equal words line by line; decimals within :data:`TOLERANCE`, empty lines ignored.

    >>> close_text("0.3333333  1\n\n", "0.33333333 1")
    True
    >>> close_text("2\n1\n", "1\n2", Wording(any_order=True))
    True
    """
    if wording.any_case:
        output, expected = output.lower(), expected.lower()
    mine, theirs = (
        [line.split() for line in text.split("\n") if line.strip()] for text in (output, expected)
    )
    if wording.any_order and sorted(mine) == sorted(theirs):
        return True
    return len(mine) == len(theirs) and all(
        len(a) == len(b) and all(map(_same_word, a, b)) for a, b in zip(mine, theirs, strict=True)
    )


def _same_word(mine: str, theirs: str) -> bool:
    if mine == theirs:
        return True
    try:
        if _DECIMAL.fullmatch(theirs):
            return _close(float(mine), float(theirs))
        return Decimal(mine) == Decimal(theirs)
    except (ValueError, InvalidOperation):
        return False


def same_value(output: str, expected: str) -> bool:
    """Equal JSON values; JSON has already made lists of tuples."""
    found = _json(output)
    return found is not None and bool(found.value == json.loads(expected))


def close_value(output: str, expected: str, wording: Wording = Wording()) -> bool:
    """Equal JSON values; decimals within :data:`TOLERANCE`, and, if the wording says so, any order.

    >>> close_value("[0.1, 0.30000000000000004]", "[0.1, 0.3]")
    True
    >>> close_value("[[2], [1]]", "[[1], [2]]", Wording(any_order=True))
    True
    """
    found = _json(output)
    if found is None:
        return False
    right = json.loads(expected)
    if wording.any_order and isinstance(right, list) and isinstance(found.value, list):
        counts = (Counter(json.dumps(one) for one in each) for each in (found.value, right))
        if next(counts) == next(counts):
            return True
    return _close_values(found.value, right)


def _close_values(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(_close_values, mine, theirs))
    if isinstance(theirs, float) and isinstance(mine, int | float):
        try:
            return _close(float(mine), theirs)
        except OverflowError:  # an integer beyond all floats
            return False
    return bool(mine == theirs)


def _close(mine: float, theirs: float) -> bool:
    return mine == theirs or math.isclose(mine, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


@dataclass(frozen=True, slots=True)
class _Value:
    """A value read from JSON, which may be null."""

    value: Any


def _json(text: str) -> _Value | None:
    """The value that a program has written; ``None`` for anything but JSON."""
    try:
        return _Value(json.loads(text))
    except (ValueError, RecursionError):
        return None
