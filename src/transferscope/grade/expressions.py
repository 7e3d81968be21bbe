"""Numeric equality of two formulas: exact if they are rational, else to 90 digits.

Constants are evaluated once, formulas with variables at fixed points of several kinds (fractions,
both signs, integers). Two different formulas of an answer's size don't agree at all of these by
chance. Nothing is rounded to floats on the way: 1/2006! is not 1/2004!, 10^-20 is not 10^-21
(math-verify compares differences to 15 digits and treats both as zero).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ..core.errors import MissingExtra
from .syntax import Node, Unreadable, imaginary, parse, symbols

DIGITS = 120
TOLERANCE = 90
"""Relative differences below 10^-90 count as rounding, with 120 digits carried."""
MAX_BITS = 40_000
"""Larger exact numbers become floats of 120 digits, whose exponent is unbounded."""
MAX_LOG2 = 2**40
"""Powers beyond 2^(2^40) are not evaluated."""


class Undefined(ArithmeticError):
    """A formula has no real value here (a root of -1, a division by 0), or too large a value."""


@dataclass(frozen=True, slots=True)
class Point:
    """Values for the variables; ``complex_`` allows roots of negative numbers."""

    values: Mapping[str, Fraction]
    complex_: bool = False
    digits: int = DIGITS


def same_formula(one: str, other: str) -> bool:
    """Whether two canonical formulas have the same value wherever both are defined.

    Raises :class:`Unreadable`, :class:`Undefined` if they can't be compared at any point, and
    :class:`MissingExtra` without mpmath if exact fractions aren't enough.
    """
    left, right = parse(one), parse(other)
    if left == right:
        return True
    compared = 0
    for point in _points(left, right):
        try:
            equal = _equal(left, right, point)
        except Undefined:
            continue
        if not equal:
            return False
        compared += 1
    if not compared:
        raise Undefined(one)
    return True


def same_relation(one: tuple[str, str], other: tuple[str, str]) -> int | None:
    """Return the sign of the factor by which "left - right" of ``one`` is ``other``'s.

    ``None`` if there is no constant factor: x + y = 2 equals 2x + 2y = 4, but not x + y = 3.
    Raises as :func:`same_formula`.
    """
    first = Node("+", (parse(one[0]), Node("-", (parse(one[1]),))))
    second = Node("+", (parse(other[0]), Node("-", (parse(other[1]),))))
    if symbols(first) != symbols(second):
        return None
    pairs = []
    for point in _points(first, second):
        try:
            pairs.append((evaluate(first, point), evaluate(second, point)))
        except Undefined:
            continue
    pairs = [pair for pair in pairs if not (_small(pair[0]) and _small(pair[1]))]
    if len(pairs) < 2 or _small(pairs[0][0]) or _small(pairs[0][1]):
        return None
    a, b = pairs[0]
    if all(_close(_times(a, d), _times(c, b)) for c, d in pairs[1:]):
        return 1 if _times(a, b) > 0 else -1
    return None


def value(text: str) -> Any:
    """Return the constant that canonical ``text`` denotes, a ``Fraction`` if it is rational.

    Raises as :func:`same_formula`, and :class:`Unreadable` if the text holds a variable.
    """
    node = parse(text)
    if symbols(node):
        raise Unreadable(text)
    return evaluate(node, Point({}, imaginary(node)))


def evaluate(node: Node, point: Point) -> Any:
    """Return a ``Fraction`` if everything is rational, else an mpmath number. Raises Undefined."""
    if node.kind == "number":
        return node.value
    if node.kind == "symbol":
        return _symbol(node.name, point)
    parts = [evaluate(part, point) for part in node.parts]
    exact = all(isinstance(part, Fraction) for part in parts)
    try:
        if exact and (found := _exact(node.kind, parts)) is not None:
            return found
        context = _context(point.digits)
        real = [_float(part, context) for part in parts]
        found = _inexact(node.kind, real, context, point)
    except (ZeroDivisionError, OverflowError, ValueError, TypeError, KeyError) as err:
        raise Undefined(node.kind) from err
    if not context.isfinite(found):
        raise Undefined(node.kind)
    return found


def _points(left: Node, right: Node) -> Iterator[Point]:
    names = sorted(symbols(left) | symbols(right))
    complex_ = imaginary(left) or imaginary(right)
    if not names:
        yield Point({}, complex_)
        return
    ways: tuple[Callable[[int], Fraction], ...] = (
        lambda at: Fraction(17 + 30 * at, 97 + 31 * at),
        lambda at: Fraction(211 + 97 * at * at, 89 - at % 7),
        lambda at: Fraction((53 + 19 * at) * (-1) ** at, 37),
        lambda at: Fraction((71 + 29 * at) * (-1) ** (at + 1), 41),
        lambda at: Fraction(7 + 3 * at),
        lambda at: Fraction(12 + 5 * at),
    )
    for way in ways:
        yield Point({name: way(at) for at, name in enumerate(names)}, complex_)


def _symbol(name: str, point: Point) -> Any:
    if name in point.values:
        return point.values[name]
    context = _context(point.digits)
    constants = {"π": context.pi, "e": context.e, "i": context.mpc(0, 1)}
    return +constants[name] if name in constants else Fraction(0)


def _exact(kind: str, parts: list[Fraction]) -> Fraction | None:
    """Apply the operation to fractions if the result is one of bounded size; else ``None``."""
    if kind in _RATIONAL:
        found: Fraction | None = _RATIONAL[kind](*parts)
    elif kind in ("^", "root"):
        found = _rational_power(parts[0], parts[1] if kind == "^" else 1 / parts[1])
    elif kind in _WHOLE and all(
        0 <= part <= _WHOLE_MOST and part.denominator == 1 for part in parts
    ):
        found = Fraction(_WHOLE[kind](*(part.numerator for part in parts)))
    else:
        found = None
    return found if found is not None and _bits(found) <= MAX_BITS else None


_RATIONAL: dict[str, Callable[..., Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a: -a,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "abs": abs,
    "floor": lambda a: Fraction(math.floor(a)),
    "ceil": lambda a: Fraction(math.ceil(a)),
    "max": max,
    "min": min,
}
_WHOLE: dict[str, Callable[..., int]] = {
    "factorial": math.factorial,
    "binom": math.comb,
    "gcd": math.gcd,
    "lcm": math.lcm,
}
_WHOLE_MOST = 3_000
"""Factorials above this have more than 30,000 bits."""


def _rational_power(base: Fraction, power: Fraction) -> Fraction | None:
    if power.denominator > 1:
        return _rational_root(base, power)
    return base**power.numerator if _bits(base) * abs(power.numerator) <= MAX_BITS else None


def _rational_root(base: Fraction, power: Fraction) -> Fraction | None:
    """Return a rational root (8^(2/3) is 4), else ``None``; odd roots of negatives are real."""
    degree, times = power.denominator, power.numerator
    if degree > 64 or _bits(base) * abs(times) > MAX_BITS or (base < 0 and degree % 2 == 0):
        return None
    top, under = _integer_root(abs(base.numerator), degree), _integer_root(base.denominator, degree)
    if top is None or under is None:
        return None
    return Fraction(-top if base < 0 else top, under) ** times


def _integer_root(whole: int, degree: int) -> int | None:
    if degree == 2:
        found = math.isqrt(whole)
        return found if found * found == whole else None
    low, high = 0, 1 << (whole.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= whole else (low, middle - 1)
    return low if low**degree == whole else None


def _inexact(kind: str, parts: list[Any], context: Any, point: Point) -> Any:
    a, b = parts[0], parts[-1]
    if kind in ("+", "-", "*", "/"):
        return _RATIONAL[kind](*parts)
    if kind == "^":
        return _power(a, b, context, point)
    if kind == "root":
        odd = not point.complex_ and a < 0 and b == int(b) and int(b) % 2
        return -_power(-a, 1 / b, context, point) if odd else _power(a, 1 / b, context, point)
    if kind in _LOGARITHMS:
        base = b if len(parts) > 1 else context.e if kind == "ln" else context.mpf(10)
        return _log(a, context, point) / _log(base, context, point)
    if abs(a) > (10**9 if kind in _WHOLE else 10**6):
        raise Undefined(kind)  # an angle of a million digits, e to the e to the e
    if kind in ("arcsin", "arccos") and not point.complex_ and abs(a) > 1:
        raise Undefined(kind)
    return getattr(context, _MPMATH[kind])(*parts)


_LOGARITHMS = frozenset(("log", "ln", "lg"))
_MPMATH = {
    "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "coth": "coth", "exp": "exp", "abs": "fabs",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec",
    "arccsc": "acsc", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "floor": "floor", "ceil": "ceil",
    "sgn": "sign", "factorial": "factorial", "binom": "binomial",
}  # fmt: skip


def _power(base: Any, exponent: Any, context: Any, point: Point) -> Any:
    if base == 0:
        return base**exponent
    if not point.complex_ and base < 0 and exponent != context.floor(exponent):
        raise Undefined("power")
    size = abs(exponent) * (abs(context.log(abs(base), 2)) + 1)
    if size > MAX_LOG2:
        raise Undefined("power")
    return base**exponent


def _log(argument: Any, context: Any, point: Point) -> Any:
    if argument == 0 or (not point.complex_ and argument < 0):
        raise Undefined("log")
    return context.log(argument)


def _equal(left: Node, right: Node, point: Point) -> bool:
    a, b = evaluate(left, point), evaluate(right, point)
    if _close(a, b):
        return True
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return False
    context = _context(DIGITS)
    if abs(_float(a, context) - _float(b, context)) > context.mpf(10) ** -TOLERANCE:
        return False
    # Zero, or just small? A rounding error shrinks with more digits, a small number doesn't.
    finer = Point(point.values, point.complex_, 4 * DIGITS)
    context = _context(4 * DIGITS)
    rest = _float(evaluate(left, finer), context) - _float(evaluate(right, finer), context)
    return bool(abs(rest) < context.mpf(10) ** (-4 * TOLERANCE))


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    context = _context(DIGITS)
    a, b = _float(a, context), _float(b, context)
    return bool(abs(a - b) <= context.mpf(10) ** -TOLERANCE * max(abs(a), abs(b)))


def _small(found: Any) -> bool:
    if isinstance(found, Fraction):
        return found == 0
    return bool(abs(found) < _context(DIGITS).mpf(10) ** -TOLERANCE)


def _times(a: Any, b: Any) -> Any:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a * b
    context = _context(DIGITS)
    found = _float(a, context) * _float(b, context)
    return found.real if hasattr(found, "real") else found


def _bits(found: Fraction) -> int:
    return max(found.numerator.bit_length(), found.denominator.bit_length())


def _float(part: Any, context: Any) -> Any:
    if isinstance(part, Fraction):
        return context.mpf(part.numerator) / context.mpf(part.denominator)
    return part


@lru_cache(maxsize=4)
def _context(digits: int) -> Any:
    """Return an mpmath context of fixed precision; the global one is shared by all threads."""
    try:
        from mpmath.ctx_mp import MPContext
    except ImportError:
        raise MissingExtra("grade", needed_for="grading LaTeX answers") from None
    context = MPContext()
    context.dps = digits
    return context
