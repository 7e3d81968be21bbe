"""Units: names and symbols to base units, "km/h" as m/s, "apples" as a word.

The table covers what answers are given in; a word that it lacks is kept as a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

_F = Fraction
_LENGTH, _MASS, _TIME, _TURN, _DATA = "m", "kg", "s", "deg", "bit"


def _named(table: Mapping[str, tuple[str, Fraction, int]]) -> dict[str, tuple[Fraction, str, int]]:
    return {
        name: (scale, base, power)
        for names, (base, scale, power) in table.items()
        for name in names.split()
    }


_UNITS: dict[str, tuple[Fraction, str, int]] = _named(
    {
        "m meter metre": (_LENGTH, _F(1), 1),
        "km kilometer kilometre": (_LENGTH, _F(1000), 1),
        "cm centimeter centimetre": (_LENGTH, _F(1, 100), 1),
        "mm millimeter millimetre": (_LENGTH, _F(1, 1000), 1),
        "nm nanometer nanometre": (_LENGTH, _F(1, 10**9), 1),
        "dm decimeter decimetre": (_LENGTH, _F(1, 10), 1),
        "in inch inche": (_LENGTH, _F(254, 10000), 1),
        "ft foot feet": (_LENGTH, _F(3048, 10000), 1),
        "yd yard": (_LENGTH, _F(9144, 10000), 1),
        "mi mile": (_LENGTH, _F(1609344, 1000), 1),
        "g gram gramme": (_MASS, _F(1, 1000), 1),
        "kg kilogram kilo": (_MASS, _F(1), 1),
        "mg milligram": (_MASS, _F(1, 10**6), 1),
        "t ton tonne": (_MASS, _F(1000), 1),
        "lb lbs pound_mass": (_MASS, _F(45359237, 10**8), 1),
        "oz ounce": (_MASS, _F(45359237, 16 * 10**8), 1),
        "s sec second": (_TIME, _F(1), 1),
        "ms millisecond": (_TIME, _F(1, 1000), 1),
        "min minute": (_TIME, _F(60), 1),
        "h hr hour": (_TIME, _F(3600), 1),
        "d day": (_TIME, _F(86400), 1),
        "week wk": (_TIME, _F(7 * 86400), 1),
        "month": ("month", _F(1), 1),
        "year yr": ("month", _F(12), 1),
        "deg degree": (_TURN, _F(1), 1),
        "rad radian": ("rad", _F(1), 1),
        "l liter litre": (_LENGTH, _F(1, 1000), 3),
        "ml milliliter millilitre": (_LENGTH, _F(1, 10**6), 3),
        "gal gallon": ("gallon", _F(1), 1),
        "acre": ("acre", _F(1), 1),
        "ha hectare": (_LENGTH, _F(10000), 2),
        "hz hertz": (_TIME, _F(1), -1),
        "khz": (_TIME, _F(1000), -1),
        "bit": (_DATA, _F(1), 1),
        "b byte": (_DATA, _F(8), 1),
        "kb kilobyte": (_DATA, _F(8000), 1),
        "mb megabyte": (_DATA, _F(8 * 10**6), 1),
        "gb gigabyte": (_DATA, _F(8 * 10**9), 1),
        "$ usd dollar buck": ("$", _F(1), 1),
        "¢ cent penny pennies": ("$", _F(1, 100), 1),
        "£ gbp pound sterling": ("£", _F(1), 1),
        "€ eur euro": ("€", _F(1), 1),
        "¥ yen jpy": ("¥", _F(1), 1),
        "元 yuan rmb": ("yuan", _F(1), 1),
        "₹ rs rupee inr": ("₹", _F(1), 1),
        "n newton": ("newton", _F(1), 1),
        "j joule": ("joule", _F(1), 1),
        "kj kilojoule": ("joule", _F(1000), 1),
        "w watt": ("watt", _F(1), 1),
        "kw kilowatt": ("watt", _F(1000), 1),
        "v volt": ("volt", _F(1), 1),
        "ohm": ("ohm", _F(1), 1),
        "mol mole": ("mol", _F(1), 1),
        "pa pascal": ("pascal", _F(1), 1),
        "kpa kilopascal": ("pascal", _F(1000), 1),
        "k kelvin": ("kelvin", _F(1), 1),
        "c celsius": ("celsius", _F(1), 1),
        "f fahrenheit": ("fahrenheit", _F(1), 1),
        "% percent percentage pct": ("%", _F(1), 1),
        "sqm": (_LENGTH, _F(1), 2),
        "unit": ("unit", _F(1), 1),
    }
)
_COMPOUND = {"mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour", "mpg": "mile/gallon"}
_CJK = {
    "厘米": "cm", "公分": "cm", "米": "m", "公尺": "m", "公里": "km", "千米": "km", "小时": "hour",
    "小時": "hour", "時間": "hour", "分钟": "minute", "分鐘": "minute", "分": "minute", "秒": "s",
    "天": "day", "日": "day", "公斤": "kg", "千克": "kg", "克": "g", "美元": "$", "円": "yen",
    "平方米": "sqm", "度": "deg", "升": "l",
}  # fmt: skip
_SCALES = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "dozen": 12, "lakh": 10**5, "crore": 10**7, "万": 10**4, "亿": 10**8, "億": 10**8,
    "millionen": 10**6, "millones": 10**6, "mille": 10**3, "mil": 10**3, "tausend": 10**3,
}  # fmt: skip
_MONEY_SCALES = {"k": 10**3, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9}
_RAISED = {"square": 2, "sq": 2, "cubic": 3}
_FILLERS = frozenset(
    [
        "of",
        "in",
        "the",
        "a",
        "an",
        "each",
        "per",
        "total",
        "altogether",
        "left",
        "only",
        "more",
        "all",
        "is",
        "are",
        "was",
        "there",
        "exactly",
        "at",
        "to",
        "for",
        "have",
        "has",
    ]
)
_NO_UNIT = frozenset(
    [
        "and",
        "or",
        "to",
        "plus",
        "minus",
        "times",
        "half",
        "quarter",
        "third",
        "not",
        "but",
        "either",
        "than",
        "mod",
        "modulo",
        "base",
    ]
)
_UNIT_TOKEN = re.compile(
    r"\s*(?:(\^\{?(-?\d)\}?)|(/|per(?![a-z]))|(\*)|(\\?[a-zA-Zµ\u00c0-\uffff%$£€¥¢]+)|([().,-]))"
)


@dataclass(frozen=True, slots=True)
class Unit:
    """``multiplier`` ("million"), ``scale`` to the base units, ``powers`` of them, ``words``."""

    multiplier: int
    scale: Fraction
    powers: tuple[tuple[str, int], ...]
    words: tuple[str, ...]

    @property
    def open(self) -> bool:
        """Whether no unit is named ("square units" is none)."""
        return not self.words and all(base == "unit" for base, _ in self.powers)


def unit(text: str, *, symbol: str = "", attached: bool = False) -> Unit | None:
    """The unit that ``text`` names, open where it is empty; ``None`` where it is no unit.

    ``symbol`` is a currency's; ``attached`` says that no space parts the number from ``text``.
    """
    reader = _Reader(symbol, compound=len(re.findall(r"[/*^]|[a-zA-Z]+", text)) > 1)
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _UNIT_TOKEN.match(text, at)
        if found is None:
            return None
        spaced = text[found.start()].isspace() or (at == 0 and not attached)
        at = found.end()
        if found[2] is not None:
            read = reader.raise_last(int(found[2]))
        elif found[5] is not None:
            read = reader.word(found[5], spaced=spaced)
        else:
            read = True
            reader.sign = -1 if found[3] else reader.sign
        if not read:
            return None
    powers = tuple(sorted((base, power) for base, power in reader.powers.items() if power))
    return Unit(reader.multiplier, reader.scale, powers, tuple(reader.words))


class _Reader:
    """What was read of a unit so far. Methods say whether what they are given belongs to it."""

    def __init__(self, symbol: str, *, compound: bool) -> None:
        self.money, self.compound = bool(symbol), compound
        self.multiplier, self.scale = 1, Fraction(1)
        self.powers: Counter[str] = Counter()
        if symbol:
            self.powers[_UNITS[symbol.lower().strip(".")][1]] = 1
        self.words: list[str] = []
        self.last: tuple[Fraction, str, int] | None = None
        self.sign = self.raised = 1

    def raise_last(self, power: int) -> bool:
        """The last unit to this power instead of the first."""
        if self.last is None:
            return False
        scale, base, exponent = self.last
        self.powers[base] += exponent * (power - 1)
        self.scale *= scale ** (power - 1)
        return True

    def word(self, word: str, *, spaced: bool) -> bool:
        """A word of the unit: "million", "square", "per" ... or the unit's own name."""
        name = word.lower().lstrip("\\")
        by = _multiplier(name, money=self.money)
        if by and not self.words and self.last is None:
            self.multiplier *= by
            return True
        if name in _RAISED:
            self.raised = _RAISED[name]
            return True
        if name in ("squared", "cubed"):
            return self.raise_last(2 if name == "squared" else 3)
        return self._named(word, name, spaced=spaced)

    def _named(self, word: str, name: str, *, spaced: bool) -> bool:
        known = _known(word, alone=not self.compound, degrees=bool(self.powers[_TURN]))
        letter = len(word) == 1 and word.isascii() and word.isalpha()
        if letter and not self.compound and not spaced:
            known = None  # "5m" may be five times m
        if known is not None:
            self._count(known)
        elif name in _COMPOUND:
            inner = unit(_COMPOUND[name])
            assert inner is not None
            self.scale *= inner.scale
            self.powers.update(dict(inner.powers))
        elif name in _FILLERS:
            return True
        elif name in _NO_UNIT or not _is_word(word, spaced=spaced):
            return False
        else:
            self.words.append(_singular(name))
        self.sign = self.raised = 1
        return True

    def _count(self, known: tuple[Fraction, str, int]) -> None:
        scale, base, power = known
        if base in ("celsius", "fahrenheit"):
            self.powers[_TURN] = 0
        exponent = self.sign * self.raised
        self.last = (scale**self.sign, base, power * self.sign)
        self.powers[base] += power * exponent
        self.scale *= scale**exponent


def _multiplier(name: str, *, money: bool) -> int | None:
    return _SCALES.get(name) or (_MONEY_SCALES.get(name) if money else None)


def _known(word: str, *, alone: bool, degrees: bool) -> tuple[Fraction, str, int] | None:
    """The unit that ``word`` names. A letter that stands alone may be a variable."""
    word = word.lstrip("\\")
    if len(word) == 1 and word.isascii() and word.isalpha():
        if word in "CF" and degrees:
            return _UNITS[word.lower()]
        if word not in ("mghslLNJWVK" if alone else "mghslLNJWVKd"):
            return None
    lower = word.lower()
    return _UNITS.get(_CJK.get(lower, lower)) or _UNITS.get(_singular(lower))


def _is_word(word: str, *, spaced: bool) -> bool:
    """Whether ``word`` is one, and no product of variables."""
    if not word.isascii():
        return "\\" not in word
    return spaced and len(word) > 2 and word.isalpha() and not set("aeiouyAEIOUY").isdisjoint(word)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and len(word) > 2 else word
