"""Two LaTeX expressions by sympy, guarded: numbers to 60 digits, whole texts, bounded time.

math-verify compares numbers as floats (1/2006! and 1/2004! are both 0.0) and reads what it can of a
text that it does not understand. Here an expression is read whole or not at all, both sides are
evaluated at the same points with 60 digits, and only what is left open goes to math-verify.
"""

from __future__ import annotations

import re
import threading
from typing import Any

from ..core.errors import MissingExtra
from . import bounded
from .splitting import split, top_level

SECONDS = 5
"""Limit for each step: reading both sides, evaluating them, math-verify's comparison."""
DIGITS, AGREE = 60, 40
"""Digits evaluated, and digits that must agree: the rest is left to cancellation."""
MAX_CHARS = 400
MAX_DEPTH = 25
_DEGREES = re.compile(r"([\d.]+)\s*\\deg(?![a-zA-Z])")
_DECIMAL = re.compile(r"(?<![\d.])(\d{0,300})\.(\d{1,300})(?![\d.])")
_EQUALS = re.compile(r"(?<![<>!=])=(?!=)")
_POINTS = (("137/100", "41/97"), ("-59/41", "-13/71"), ("23/7", "5/31"))
"""First value and step for the variables, in their alphabetical order."""


def readable(text: str) -> bool:
    """Whether ``text`` is short and flat enough to be read as an expression, and holds no word."""
    depth = deepest = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    words = re.search(r"(?<![\\a-zA-Z])[a-zA-Z]{4,}|\d['\"]", text)
    short = 0 < len(text) <= MAX_CHARS and deepest <= MAX_DEPTH and depth == 0
    return short and text.isascii() and not words


def equivalent(answer: str, gold: str) -> bool:
    """Whether two expressions or equations are equal; ``False`` where time or reading fails.

    Raises :class:`MissingExtra` without math-verify.
    """
    try:
        import math_verify  # noqa: F401
    except ImportError:
        raise MissingExtra("grade", needed_for="grading LaTeX answers") from None
    if threading.current_thread() is not threading.main_thread():
        return bounded.equivalent(answer, gold)  # the limits are signals to the main thread
    return _equivalent(answer, gold)


def _equivalent(answer: str, gold: str) -> bool:
    from math_verify import verify
    from math_verify.errors import TimeoutException
    from math_verify.utils import timeout

    if not (readable(answer) and readable(gold)):
        return False
    limited = timeout(SECONDS)
    try:
        mine, theirs = limited(_read)(answer), limited(_read)(gold)
        verdict: bool | None = limited(_numerically)(mine, theirs)
        if verdict is not None:
            return verdict
        return bool(verify(theirs, mine, timeout_seconds=SECONDS))
    except (TimeoutException, Exception):  # sympy raises of every kind on what is no mathematics
        return False


def _read(text: str) -> Any:
    from latex2sympy2_extended import latex2sympy

    text = _DECIMAL.sub(_as_fraction, text)
    if "\\deg" in text:
        text = _DEGREES.sub(r"(\1 \\cdot \\frac{\\pi}{180})", text)
    sides = split(text, _EQUALS)
    if len(sides) == 2 and len(top_level(text, _EQUALS)) == 1:
        return tuple(latex2sympy(side) for side in sides)
    return latex2sympy(text)


def _as_fraction(found: re.Match[str]) -> str:
    """A decimal as an exact fraction: sympy's floats have 15 digits."""
    return f"\\frac{{{int(found[1] + found[2])}}}{{{10 ** len(found[2])}}}"


def _numerically(mine: Any, theirs: Any) -> bool | None:
    """The verdict of 60 digits at three points; ``None`` where they don't decide."""
    import sympy

    if isinstance(mine, tuple) != isinstance(theirs, tuple):
        return False
    both = [side for one in (mine, theirs) for side in (one if isinstance(one, tuple) else (one,))]
    if not all(isinstance(side, sympy.Expr) for side in both):
        return None
    both = [side.doit() if side.has(sympy.Sum, sympy.Product) else side for side in both]
    symbols = sorted(set().union(*(side.free_symbols for side in both)), key=str)
    compared: list[tuple[Any, Any]] = []
    for first, step in _POINTS if symbols else _POINTS[:1]:
        values = {
            symbol: sympy.I
            if str(symbol) == "i"
            else sympy.Rational(first) + at * sympy.Rational(step)
            for at, symbol in enumerate(symbols)
        }
        numbers = [sympy.N(side.subs(values), DIGITS) for side in both]
        if not all(number.is_number and number.is_finite for number in numbers):
            continue
        if isinstance(mine, tuple):
            compared.append((numbers[0] - numbers[1], numbers[2] - numbers[3]))
        else:
            compared.append((numbers[0], numbers[1]))
    if not compared:
        return None
    if isinstance(mine, tuple):
        return _proportional(compared) if len(compared) > 1 else None
    if not all(_near(*pair) for pair in compared):
        return False
    return True if len(compared) > 1 or not symbols else None


def _near(one: Any, other: Any) -> bool:
    size = max(abs(one), abs(other))
    return bool(abs(one - other) <= size * 10**-AGREE)


def _proportional(pairs: list[tuple[Any, Any]]) -> bool:
    """Whether "left - right" of both equations has one ratio everywhere, and it isn't zero."""
    first, second = pairs[0]
    if 0 in (first, second):
        return False
    return all(_near(one * second, other * first) for one, other in pairs[1:])
