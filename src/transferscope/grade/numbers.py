"""Exact arithmetic: "2\\frac{1}{2}", "3e8", "10^{9}+7", "1/2006!" as fractions, never as floats.

A descent through the text of :func:`.latex.cleaned`. It reads rational arithmetic only; whatever
holds a variable, a root that is no fraction or a word is no number here. Sizes, depth and work are
bounded: the text is a model's.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

MAX_DIGITS = 4_000
"""A longer row of digits is no number: Python turns no more than 4,300 into one."""
MAX_BITS = 40_000
"""A larger number is not written out: :class:`TooLarge`. 2006! has 19,000 bits."""
MAX_WORK = 4_000_000
"""Bits of all results of one text."""
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<repeat>\d[\d,]*\.\d*\\overline\s*\{\d+\}|\d*\.\d*\\dot\s*\{\d\})
    | (?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?:\ \d{3})+(?![\d/])|\d+)(?:\.\d*)?|\.\d+)
      (?P<exponent>[eE][-+]?\d{1,6}(?![a-zA-Z\d]))?
    | (?P<command>\\[a-zA-Z]+)
    | (?P<sign>[-+*/^!(){}\[\]|])
    )""",
    re.VERBOSE,
)
_REPEAT = re.compile(r"([\d,]*)\.(\d*)\\(?:overline|dot)\s*\{(\d+)\}")
_DOTTED = re.compile(r"([-+]?\d*)\.(\d*?)(\d{1,6}?)\3{2,}(?:\d{0,5})?\.\.\.")


class TooLarge(ArithmeticError):
    """A number of more than :data:`MAX_BITS` bits."""


class _NotANumber(Exception):
    pass


def exact(text: str) -> Fraction | None:
    """The value of cleaned ``text`` where it is rational arithmetic only, else ``None``.

    Raises :class:`TooLarge` where the value is a number too large to be written out.
    """
    text = text.strip()
    if not text or len(text) > MAX_DIGITS or not any(c.isdigit() for c in text):
        return None
    if dotted := _DOTTED.fullmatch(text):
        # three or more equal blocks before "...": 0.333..., 0.1212121...
        value = _repeating(dotted[1].lstrip("+-") or "0", dotted[2], dotted[3])
        return -value if dotted[1].startswith("-") else value
    try:
        return _Reader(text).value()
    except (_NotANumber, ZeroDivisionError):
        return None


def _repeating(whole: str, fixed: str, block: str) -> Fraction:
    nines = (10 ** len(block) - 1) * 10 ** len(fixed)
    tail = Fraction(int(fixed + block) - int(fixed or "0"), nines)
    return int(whole.replace(",", "") or "0") + tail


class _Reader:
    """Recursive descent: sums of products of powers of atoms."""

    def __init__(self, text: str) -> None:
        self.kinds: list[str] = []
        self.texts: list[str] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise _NotANumber
            kind = "number" if found.lastgroup == "exponent" else str(found.lastgroup)
            self.kinds.append(kind)
            self.texts.append(found[0].strip())
            at = found.end()
        self.at = 0
        self.work = 0
        self.depth = 0

    def value(self) -> Fraction:
        value = self._sum()
        if self.at < len(self.texts):
            raise _NotANumber
        return value

    def _next(self) -> str:
        return self.texts[self.at] if self.at < len(self.texts) else ""

    def _take(self, token: str) -> None:
        if self._next() != token:
            raise _NotANumber
        self.at += 1

    def _sized(self, value: Fraction) -> Fraction:
        bits = value.numerator.bit_length() + value.denominator.bit_length()
        self.work += bits
        if bits > MAX_BITS or self.work > MAX_WORK:
            raise TooLarge
        return value

    def _sum(self) -> Fraction:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _NotANumber
        value = self._product()
        while (sign := self._next()) in ("+", "-"):
            self.at += 1
            term = self._product()
            value = self._sized(value + term if sign == "+" else value - term)
        self.depth -= 1
        return value

    def _product(self) -> Fraction:
        negative = False
        while self._next() in ("+", "-"):
            negative ^= self._next() == "-"
            self.at += 1
        whole = self._whole()
        value = self._power()
        if whole and (mixed := self._fraction_of_mixed()) is not None:
            value += mixed
        while (sign := self._next()) not in ("", "+", "-", ")", "}", "]", "|"):
            if sign in ("*", "/"):
                self.at += 1
                negative ^= self._next() == "-"
                if self._next() in ("+", "-"):
                    self.at += 1
                factor = self._power()
                value = self._sized(value * factor if sign == "*" else value / factor)
            elif sign in ("(", "\\frac", "\\sqrt", "\\binom"):
                value = self._sized(value * self._power())
            else:
                raise _NotANumber  # "3 4" is no product
        return -value if negative else value

    def _whole(self) -> bool:
        return self.at < len(self.kinds) and self._next().isdigit()

    def _fraction_of_mixed(self) -> Fraction | None:
        """The "\\frac{1}{2}" or "1/2" behind a whole number: a sum, though nothing says so."""
        texts, at = self.texts, self.at
        if self.texts[at - 1 : at] and not self.texts[at - 1].isdigit():
            return None  # a power or factorial came between
        if texts[at : at + 1] == ["\\frac"]:
            parts = texts[at + 1 : at + 7]
            if len(parts) == 6 and parts[1].isdigit() and parts[4].isdigit():
                top, bottom = int(parts[1]), int(parts[4])
                if parts[0::3] == ["{", "{"] and parts[2::3] == ["}", "}"] and top < bottom:
                    self.at += 7
                    return Fraction(top, bottom)
        parts = texts[at : at + 3]
        if len(parts) < 3 or parts[1] != "/" or not (parts[0].isdigit() and parts[2].isdigit()):
            return None
        if int(parts[0]) >= int(parts[2]):
            return None
        self.at += 3
        return Fraction(int(parts[0]), int(parts[2]))

    def _power(self) -> Fraction:
        value = self._atom()
        while (sign := self._next()) in ("!", "^"):
            self.at += 1
            value = self._factorial(value) if sign == "!" else self._raised(value, self._exponent())
        return value

    def _exponent(self) -> Fraction:
        if self._next() == "{":
            return self._group("{", "}")
        negative = self._next() == "-"
        if negative:
            self.at += 1
        value = self._atom()
        return -value if negative else value

    def _factorial(self, value: Fraction) -> Fraction:
        if value.denominator != 1 or value < 0:
            raise _NotANumber
        if value > MAX_BITS // 8:
            raise TooLarge
        return self._sized(Fraction(math.factorial(int(value))))

    def _raised(self, value: Fraction, exponent: Fraction) -> Fraction:
        if exponent.denominator != 1:
            root = _root(value, exponent.denominator)
            if root is None:
                raise _NotANumber
            value, exponent = root, Fraction(exponent.numerator)
        bits = value.numerator.bit_length() + value.denominator.bit_length()
        if abs(value) not in (0, 1) and abs(exponent) * bits > 2 * MAX_BITS:
            raise TooLarge
        if abs(value) == 1:
            exponent %= 2
        if value == 0:
            exponent = Fraction(0 if exponent == 0 else 1 if exponent > 0 else -1)
        return self._sized(Fraction(value ** int(exponent)))

    def _group(self, opening: str, closing: str) -> Fraction:
        self._take(opening)
        value = self._sum()
        self._take(closing)
        return value

    def _atom(self) -> Fraction:  # noqa: PLR0911 - one per kind of atom
        token = self._next()
        kind = self.kinds[self.at] if token else ""
        if kind == "number":
            self.at += 1
            return self._sized(_decimal(token))
        if kind == "repeat":
            self.at += 1
            parts = _REPEAT.fullmatch(token)
            assert parts is not None
            return _repeating(parts[1] or "0", parts[2], parts[3])
        if token in ("(", "{", "["):
            return self._group(token, {"(": ")", "{": "}", "[": "]"}[token])
        if token == "|":
            return abs(self._group("|", "|"))
        self.at += 1
        if token == "\\frac":
            top = self._group("{", "}")
            return self._sized(top / self._group("{", "}"))
        if token == "\\binom":
            top, bottom = self._group("{", "}"), self._group("{", "}")
            if top.denominator != 1 or bottom.denominator != 1 or not 0 <= bottom <= top < 20_000:
                raise _NotANumber
            return self._sized(Fraction(math.comb(int(top), int(bottom))))
        if token == "\\sqrt":
            degree = self._group("[", "]") if self._next() == "[" else Fraction(2)
            root = _root(self._group("{", "}"), int(degree)) if degree.denominator == 1 else None
            if root is None:
                raise _NotANumber
            return root
        raise _NotANumber


def _decimal(token: str) -> Fraction:
    mantissa, _, exponent = token.lower().replace(",", "").replace(" ", "").partition("e")
    if abs(int(exponent or "0")) > MAX_BITS // 4:
        raise TooLarge
    return Fraction(mantissa if mantissa[-1] != "." else mantissa[:-1]) * (
        Fraction(10) ** int(exponent or "0")
    )


def _root(value: Fraction, degree: int) -> Fraction | None:
    """The exact root of that degree, where there is a rational one."""
    if not 1 <= degree <= 64 or (value < 0 and degree % 2 == 0):
        return None
    sides = [_integer_root(side, degree) for side in (abs(value.numerator), value.denominator)]
    if sides[0] is None or sides[1] is None:
        return None
    return Fraction(-sides[0] if value < 0 else sides[0], sides[1])


def _integer_root(value: int, degree: int) -> int | None:
    if degree == 2:
        root = math.isqrt(value)
    else:
        low, high = 0, 1 << (value.bit_length() // degree + 1)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
        root = low
    return root if root**degree == value else None
