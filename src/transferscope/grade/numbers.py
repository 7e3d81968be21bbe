"""Exact numbers, in the forms in which people write them.

>>> number("1,234.50")
Fraction(2469, 2)
>>> amount("3 «million»"), amount("0.(3)"), amount("2 1/2")
(Fraction(3000000, 1), Fraction(1, 3), Fraction(5, 2))
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

MAX_DIGITS = 4_000
"""Longest row of digits read as a number; Python converts at most 4,300."""
MAX_EXPONENT = 3_000
"""Largest exponent read: 3e99999 would have too many digits to compute with."""

PATTERN = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*/\s*[1-9]\d*)?"
"""A plain number within a text."""
_ONLY_NUMBER = re.compile(rf"\$?\s*({PATTERN})\s*(?:%|\\%)?\s*\$?\.?")
_SIGN = r"(?P<sign>[-+]?)\s*"
_DECIMAL = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+"
_FORMS = re.compile(
    rf"""{_SIGN}(?:
      (?P<repeating>\d*\.\d*)(?:\\overline\s*\{{?(?P<over>\d+)\}}?|\((?P<inner>\d+)\)
        |\\dot\s*\{{?(?P<dot>\d)\}}?(?:(?P<middle>\d*)\\dot\s*\{{?(?P<last>\d)\}}?)?)
    | (?P<dotted>\d*\.\d+)…
    | (?P<whole>\d+)\s*(?:\s|\\|\+\s*|(?=\\frac))(?:\\?frac\s*)?
        \{{?(?P<top>\d+)(?:\}}\s*\{{|\s*/\s*)(?P<under>\d+)\}}?
    | (?P<mantissa>{_DECIMAL})\s*(?:[eE]|\*\s*10\s*\^)\s*\{{?\s*(?P<exponent>[-+]?\d+)\s*\}}?
    | (?P<upper>{_DECIMAL})\s*/\s*(?P<lower>{_DECIMAL})
    | \\frac\s*\{{\s*(?P<over_minus>-?)\s*(?P<above>\d+)\s*\}}\s*\{{\s*(?P<below>\d+)\s*\}}
    | (?P<plain>{_DECIMAL})
    )""",
    re.VERBOSE,
)
_MULTIPLES = {
    name: factor
    for names, factor in (
        ("thousand thousands mil tausend mille 千", 10**3),
        ("million millions millón millones millionen mn milhões milioni", 10**6),
        ("billion billions bn milliarde milliarden milliard milliards", 10**9),
        ("trillion trillions", 10**12),
        ("hundred hundreds hundert 百", 100),
        ("dozen dozens", 12),
        ("lakh lakhs", 10**5),
        ("crore crores", 10**7),
        ("万 萬", 10**4),
        ("亿 億", 10**8),
    )
    for name in names.split()
}
_MULTIPLE = re.compile(r"\s*«(\w+)((?: [^»]*)?»)")
_CHINESE = re.compile(
    r"[负負]?[零〇一二两兩三四五六七八九十百千万萬亿億]+"
    r"(?=\s*(?:[个個本天元米岁歳人只隻次页頁枚円日時时年月分秒块公厘千克条張张です]|[^\u3040-\u9fff]|$))"
)
_CHINESE_SHARE = re.compile(
    r"([零〇一二两兩三四五六七八九十百千万萬亿億]+)分之([零〇一二两兩三四五六七八九十百千万萬亿億]+)"
)
_CHINESE_DIGITS = {
    sign: at
    for at, signs in enumerate(["零〇", "一", "二两兩", "三", "四", "五", "六", "七", "八", "九"])
    for sign in signs
}
_CHINESE_TENS = {"十": 10, "百": 100, "千": 1000}


def number(text: str) -> Fraction | None:
    """Return ``text`` as an exact number, or ``None`` (a percent sign is ignored)."""
    # "\$32,\!348": LaTeX's dollar sign and thin space aren't part of the number
    plain = text.replace("\\$", "").replace("\\!", "").strip().strip("*")
    match = _ONLY_NUMBER.fullmatch(plain) if len(plain) <= MAX_DIGITS else None
    return _plain(match.group(1)) if match else None


@lru_cache(maxsize=1024)
def amount(text: str) -> Fraction | None:
    """Return canonical ``text`` as an exact number; ``None`` for anything else.

    Decimals, fractions, mixed and repeating numbers, powers of ten and "3 million" are read.
    """
    text = text.strip()
    if not text or len(text) > MAX_DIGITS:
        return None
    times = Fraction(1)
    if "«" in text:
        if re.fullmatch(r"-?\d+(?:/[1-9]\d*)?", digits := chinese(text.strip("«»"))):
            return Fraction(digits)
        text, found = multiplied(text)
        times = Fraction(found)
    match = _FORMS.fullmatch(text.strip())
    if match is None:
        return None
    value = _value(match)
    return None if value is None else (-times if match["sign"] == "-" else times) * value


def multiplied(text: str) -> tuple[str, int]:
    """Remove "million" and similar words after a number; return the text and the multiplier."""
    times = 1
    while match := _MULTIPLE.search(text):
        factor = _MULTIPLES.get(match[1].lower())
        if factor is None or not text[: match.start()].rstrip().endswith(tuple("0123456789}")):
            break
        times *= factor
        rest = match[2].strip(" »")
        text = text[: match.start()] + (f"«{rest}»" if rest else "") + text[match.end() :]
    return text, times


def chinese(text: str) -> str:
    """Convert Chinese numerals at the start of ``text`` ("十二" to "12", "三分之一" to "1/3")."""
    if share := _CHINESE_SHARE.match(text):
        under, over = chinese(share[1]), chinese(share[2])
        return (f"{over}%" if share[1] == "百" else f"{over}/{under}") + text[share.end() :]
    match = _CHINESE.match(text)
    if not match:
        return text
    total = section = digit = 0
    for sign in match[0].lstrip("负負"):
        if sign in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[sign]
        elif sign in _CHINESE_TENS:
            section += (digit or 1) * _CHINESE_TENS[sign]
            digit = 0
        else:
            total = (total + section + digit) * (10**4 if sign in "万萬" else 10**8)
            section = digit = 0
    minus = "-" if match[0][0] in "负負" else ""
    return f"{minus}{total + section + digit}" + text[match.end() :]


def _value(match: re.Match[str]) -> Fraction | None:  # noqa: PLR0911 - one per form
    if match["plain"]:
        return _decimal(match["plain"])
    if match["upper"]:
        under = _decimal(match["lower"])
        return _decimal(match["upper"]) / under if under else None
    if match["above"]:
        below = int(match["below"])
        above = int(match["over_minus"] + match["above"])
        return Fraction(above, below) if below else None
    if match["mantissa"]:
        exponent = match["exponent"]
        if len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT:
            return None
        return _decimal(match["mantissa"]) * Fraction(10) ** int(exponent)
    if match["whole"]:
        below = int(match["under"])
        return Fraction(int(match["whole"]) * below + int(match["top"]), below) if below else None
    if match["dotted"]:
        return _continued(match["dotted"])
    start = match["repeating"]
    period = match["over"] or match["inner"] or ""
    if match["dot"]:
        period = match["dot"] + (match["middle"] or "") + (match["last"] or "")
    return _repeating(start, period)


def _repeating(start: str, period: str) -> Fraction:
    """Return the number written as ``start`` (with a point), then ``period`` repeated forever."""
    places = len(start.partition(".")[2])
    head = _decimal(start if start != "." else "0.")
    return head + Fraction(int(period), (10 ** len(period) - 1) * 10**places)


def _continued(dotted: str) -> Fraction | None:
    """Read 0.1666... as 1/6 by the shortest period that ends it three times (twice if long)."""
    whole, _, decimals = dotted.partition(".")
    for length in range(1, len(decimals) // 2 + 1):
        period = decimals[-length:]
        times = 3 if length == 1 else 2
        if len(decimals) >= length * times and decimals.endswith(period * times):
            rest = decimals
            while rest.endswith(period):
                rest = rest[:-length]
            return _repeating(f"{whole or 0}.{rest}", period)
    return None


def _decimal(text: str) -> Fraction:
    text = text.replace(",", "")
    return Fraction(text.removesuffix(".") if text[-1:] == "." else text)


def _plain(text: str) -> Fraction:
    whole, _, divisor = text.replace(",", "").replace(" ", "").partition("/")
    return Fraction(whole) / Fraction(divisor or "1")
