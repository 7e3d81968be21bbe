"""Numbers with what they count: "5 km/h", "\\$1.5 million", "50 %", "3 hours", "12 apples".

Two quantities are equal when their values are, in the same unit: 1 m is 100 cm and not 100 km. A
side that names no unit leaves it open: "5 cm" answers 5. A word that is no unit of the table
("apples") is compared as a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from .numbers import exact

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
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
_SPELLED = {word: number for number, word in enumerate(_SMALL)} | {
    word: 10 * number
    for number, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), 3)
}
_FILLERS = frozenset(
    "of in the a an each per total altogether left only more all is are was there exactly at to for"
    " have has".split()
)
_NO_UNIT = frozenset(
    "and or to plus minus times half quarter third not but either than mod modulo base".split()
)
_CURRENCY = r"(?:US|USD|EUR|GBP|A|C)?\s*[$£€¥₹]|(?:USD|EUR|GBP|Rs\.?)"
_MONEY = re.compile(rf"([-+]?)\s*({_CURRENCY})\s*(.*)", re.DOTALL)
_LETTERS = re.compile(r"\\[a-zA-Z]+|(?<=\d)[eE](?=[-+]?\d)|[a-zA-Zµ\u00c0-\uffff%$£€¥¢]")
_UNIT_TOKEN = re.compile(
    r"\s*(?:(\^\{?(-?\d)\}?)|(/|per(?![a-z]))|(\*)|(\\?[a-zA-Zµ\u00c0-\uffff%$£€¥¢]+)|([().,-]))"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """``value`` in base units. ``unit`` are powers by base unit, ``words`` what no table knows."""

    value: Fraction
    unit: tuple[tuple[str, int], ...] = ()
    words: tuple[str, ...] = ()
    bare: Fraction = Fraction(0)
    """The number as written, without the unit's scale."""

    @property
    def open(self) -> bool:
        """Whether no unit is named ("square units" is none)."""
        return not self.words and all(base == "unit" for base, _ in self.unit)


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
    found = _unit(text[split:], symbol=symbol, attached=attached)
    if found is None:
        return None
    multiplier, scale, unit, words = found
    bare = value * multiplier
    return Quantity(bare * scale, unit, words, bare)


def equal(mine: Quantity, theirs: Quantity) -> bool:
    """Whether both are the same amount, where each may leave its unit open."""
    percent = [(("%", 1),) == side.unit for side in (mine, theirs)]
    if percent[0] != percent[1]:
        share, other = (mine, theirs) if percent[0] else (theirs, mine)
        return other.open and other.value in (share.bare, share.bare / 100)
    if mine.open or theirs.open:
        # "5 km" answers 5, and "1.5 million dollars" 1,500,000
        return mine.bare == theirs.bare
    if mine.unit != theirs.unit or mine.value != theirs.value:
        return False
    ours, others = set(mine.words), set(theirs.words)
    return not ours or not others or ours <= others or others <= ours


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
    found = _unit(rest)
    if found is None:
        return None
    bare = value * found[0]
    return Quantity(bare * found[1], found[2], found[3], bare)


def _unit(
    text: str, *, symbol: str = "", attached: bool = False
) -> tuple[int, Fraction, tuple[tuple[str, int], ...], tuple[str, ...]] | None:
    """Multiplier ("million"), scale, base units and words of ``text``; ``None``: it is no unit.

    ``symbol`` is a currency's; ``attached`` says that no space parts the number from ``text``.
    """
    multiplier, scale = 1, Fraction(1)
    powers: Counter[str] = Counter()
    if symbol:
        powers[_UNITS[symbol.lower().strip(".")][1]] = 1
    words: list[str] = []
    last: tuple[Fraction, str, int] | None = None
    sign, raised, at = 1, 1, 0
    compound = len(re.findall(r"[/*^]|[a-zA-Z]+", text)) > 1
    while at < len(text.rstrip()):
        found = _UNIT_TOKEN.match(text, at)
        if found is None:
            return None
        spaced = text[found.start()].isspace() or (at == 0 and not attached)
        at = found.end()
        power, over, word = found[2], found[3], found[5]
        if power is not None:
            if last is None:
                return None
            extra = int(power) - 1
            powers[last[1]] += last[2] * extra
            scale *= last[0] ** extra
        elif over:
            sign = -1
        elif word is not None:
            name = word.lower().lstrip("\\")
            by = _multiplier(name, money=bool(symbol))
            if by and not words and last is None:
                multiplier *= by
                continue
            if name in ("square", "sq", "cubic"):
                raised = 3 if name == "cubic" else 2
                continue
            if name in ("squared", "cubed") and last is not None:
                extra = 1 if name == "squared" else 2
                powers[last[1]] += last[2] * extra
                scale *= last[0] ** extra
                continue
            known = _known(word, alone=not compound, degrees=bool(powers[_TURN]))
            if known is not None and len(word) == 1 and not compound and not spaced:
                known = None if word.isascii() and word.isalpha() else known
            if known is None and name in _COMPOUND:
                inner = _unit(_COMPOUND[name])
                assert inner is not None
                scale *= inner[1]
                powers.update(dict(inner[2]))
            elif known is None:
                if name in _NO_UNIT:
                    return None
                if name in _FILLERS:
                    continue
                if not _is_word(word, spaced=spaced):
                    return None
                words.append(_singular(name))
            else:
                if known[1] in ("celsius", "fahrenheit"):
                    powers[_TURN] = 0
                exponent = sign * raised
                last = (known[0] ** sign, known[1], known[2] * sign)
                powers[known[1]] += known[2] * exponent
                scale *= known[0] ** exponent
            sign, raised = 1, 1
    return multiplier, scale, tuple(sorted((b, p) for b, p in powers.items() if p)), tuple(words)


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


def parted(text: str) -> tuple[str, object | None]:
    """A symbolic value and its unit: "5\\pi cm" is ("5\\pi", cm). No unit: ``text`` and ``None``."""
    for found in re.finditer(r"(?<=[\d})\]a-z])\s+(?=[a-zA-Z%])", text[:400]):
        head, tail = text[: found.start()], text[found.end() :]
        if not re.search(r"\d|\\pi|\\sqrt", head):
            return text, None
        unit = _unit(tail)
        if unit is not None and (unit[2] or unit[3]):
            open_ = not unit[3] and all(base == "unit" for base, _ in unit[2])
            return head, None if open_ else unit
    return text, None
