"""Conversion of numbers, times and dates in words to digits: "noon" becomes 12 p.m.

>>> digits("five hundred and two apples"), digits("twenty-one or thirty"), digits("two thirds")
('502 apples', '21 or 30', '2/3')
>>> digits("one of them"), digits("five and six"), digits("two and a half")
('one of them', '5 and 6', '2 1/2')
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ONES = "zero one two three four five six seven eight nine"
_TEENS = """ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: at for at, word in enumerate((*_ONES.split(), *_TEENS.split()))} | {
    word: 20 + 10 * at for at, word in enumerate(_TENS.split())
}
_POWERS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12, "hundredth": 100,
    "thousandth": 1000,
}  # fmt: skip


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


_END = r"(?![\w-])"
_ONE = _any(_ONES.split())
_POWER = _any(_POWERS)
_BELOW_100 = (
    rf"(?:{_any(_TENS.split())}(?:[\s-]+{_ONE}{_END})?|{_any(_TEENS.split())}|{_ONE}(?!\w))"
)
_BELOW_1000 = (
    rf"(?:(?:{_BELOW_100}|a)[\s-]+hundred(?:(?:\s+and\s+|[\s-]+){_BELOW_100}{_END})?|{_BELOW_100})"
)
_NUMBER = re.compile(
    rf"(?<![\w\\-])(?P<minus>(?:minus|negative)\s+)?(?P<words>"
    rf"(?:{_BELOW_1000}|a)[\s-]+{_POWER}(?:,?\s+(?:and\s+)?{_BELOW_1000}[\s-]+{_POWER}{_END})*"
    rf"(?:,?\s+(?:and\s+)?{_BELOW_1000}{_END})?|{_BELOW_1000}|a(?=\s+dozen\b))"
    rf"(?:(?P<point>\s+point(?:\s+{_ONE}{_END})+)"
    rf"|\s+and\s+(?P<times>a|one|two|three)\s+(?P<alone>half|third|quarter)s?{_END}"
    rf"|[\s-]+(?P<part>{_any(_PARTS)})s?{_END})?{_END}",
    re.IGNORECASE,
)
_ONE_PART = re.compile(rf"\s*(?:(?:a|one)[\s-]+)?(?P<part>{_any(_PARTS)})[\s.!*]*", re.IGNORECASE)
_NO_NUMBER = re.compile(
    r"\s+(?:of|that|which|who|whose|where|more|another|can|could|must|has|is|was|would|should|may|"
    r"might|such|way|thing|or more|to|by)\b|['’]",
    re.IGNORECASE,
)
"""Follows a bare "one" that isn't a number."""
_LINKS = frozenset(
    ("to", "past", "or", "and", "is", "are", "plus", "minus", "times", "equals", "by")
)
_LETTERS = re.compile(r"[a-z]+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")
_ROMAN = re.compile(r"^\s*\\(?:text|mathrm|mbox)\s*\{([^{}]*)\}\s*$")


_AGAIN = _NUMBER.pattern.replace("?P<", "?P<again_")
_ECHO = re.compile(rf"(?<=\d)(\s*(?:\\text\s*\{{)?\s*)\(\s*{_AGAIN}\s*\)", re.IGNORECASE)
"""A repeated number: "5 (five)"."""
_MINUS = re.compile(r"(?<![\w)}]\s)(?<!\w)(?:minus|negative)\s+(?=[\d$\\])", re.IGNORECASE)
_AND_HALF = re.compile(r"(\d)\s+and\s+(?:a|one)\s+(half|third|quarter)\b", re.IGNORECASE)
_PARTS_OF = re.compile(
    rf"(\d)[\s-](halves|{'|'.join(f'{part}s' for part in _PARTS)})\b", re.IGNORECASE
)
_POWER_OF = re.compile(r"(\d|\b[a-z])\s+(squared|cubed)(?![\w-]|\s+[a-z])")
_ROOT_OF = re.compile(r"\b(?:the\s+)?(square|cube)\s+root\s+of\s+(\d+|[a-z])(?!\w)", re.IGNORECASE)
_HALF_A = re.compile(r"\b(?:a\s+)?(half|quarter)(?:\s+of)?\s+an?\s+(?=[a-z])", re.IGNORECASE)
_PAST = re.compile(r"\b(?:a\s+)?(half|quarter)\s+(past|to)\s+(\d{1,2})\b", re.IGNORECASE)
_O_CLOCK = re.compile(
    r"(?<!\d)(\d{1,2})\s*(?P<roman>\\text\s*\{\s*)?o['’]\s?clock\b(?(roman)\})", re.IGNORECASE
)
_PART_OF_DAY = re.compile(
    r"(?<![\d.])(\d{1,2}(?::\d\d)?)\s+(?:in\s+the\s+(morning|afternoon|evening)|at\s+night)\b"
)
_CENTS = re.compile(r"\$\s?(\d+)\s+and\s+(\d\d)\s+cents\b")
_NOON = {"noon": "12 p.m.", "midday": "12 p.m.", "midnight": "12 a.m."}
_MONTH = (
    r"(?P<{0}>January|February|March|April|May|June|July|August|September|October|November|"
    r"December)"
)
_DATE = re.compile(
    rf"\b{_MONTH.format('before')}\s+(?P<late>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)"
    rf"|\b(?P<early>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH.format('behind')}\b"
)
_FOREIGN = {
    word: str(at)
    for row in (
        "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf "
        "dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
        "zéro un deux trois quatre cinq six sept huit neuf dix onze douze "
        "treize quatorze quinze seize dix-sept dix-huit dix-neuf vingt",
        "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce "
        "trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte",
        "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici "
        "tredici quattordici quindici sedici diciassette diciotto diciannove venti",
        "zero um dois três quatro cinco seis sete oito nove dez onze doze "
        "treze catorze quinze dezesseis dezessete dezoito dezenove vinte",
        "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать "
        "тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать "
        "девятнадцать двадцать",
    )
    for at, word in enumerate(row.split())
}


_WORDS_READ = frozenset(("hundred", "dozen", "clock", "cents", "minus", "negative")).union(
    ("morning", "afternoon", "evening", "night", "halves", "squared", "cubed", "root"),
    *(_VALUES, _POWERS, _PARTS, _NOON, _FOREIGN),
    (f"{part}s" for part in _PARTS),
    (month.lower() for month in re.findall("[A-Z][a-z]+", _MONTH)),
)


def digits(text: str) -> str:
    """Convert number words, times of day and dates in ``text`` to digits, in linear time."""
    if _WORDS_READ.isdisjoint(_WORD.findall(text.lower())):
        return text
    word = _ROMAN.sub(r"\1", text).strip(" .!*").lower()
    if found := _FOREIGN.get(word) or _NOON.get(word):
        return found
    text = _plain(_ECHO.sub(r"\1", text))
    text = _AND_HALF.sub(lambda part: f"{part[1]} 1/{_PARTS[part[2].lower()]}", text)
    text = _PARTS_OF.sub(lambda part: f"{part[1]}/{_under(part[2].lower())}", _MINUS.sub("-", text))
    text = _POWER_OF.sub(lambda power: f"{power[1]}^{2 if power[2] == 'squared' else 3}", text)
    text = _ROOT_OF.sub(
        lambda root: f"\\sqrt{'[3]' if root[1].lower() == 'cube' else ''}{{{root[2]}}}", text
    )
    text = _PAST.sub(_past, _O_CLOCK.sub(r"\1:00", text))
    text = _PART_OF_DAY.sub(
        lambda half: f"{half[1]} {'a.m.' if half[2] == 'morning' else 'p.m.'}", text
    )
    text = _CENTS.sub(r"$\1.\2", text)
    return _DATE.sub(
        lambda day: f"{day['late'] or day['early']} {day['before'] or day['behind']}", text
    )


def _under(parts: str) -> int:
    return 2 if parts == "halves" else _PARTS[parts.removesuffix("s")]


def _past(match: re.Match[str]) -> str:
    hour, minutes = int(match[3]), 30 if match[1].lower() == "half" else 15
    if match[2].lower() == "to":
        hour, minutes = (hour - 2) % 12 + 1, 60 - minutes
    return f"{hour}:{minutes}"


def _plain(text: str) -> str:
    text = _HALF_A.sub(lambda part: f"1/{_PARTS[part[1].lower()]} ", text)
    if whole := _ONE_PART.fullmatch(text):
        return f"1/{_PARTS[whole['part'].lower()]}"
    return _NUMBER.sub(_digits, text)


def _digits(match: re.Match[str]) -> str:
    words = match["words"].lower()
    plain = not (match["point"] or match["alone"] or match["part"])
    if words == "one" and plain and not match["minus"]:
        before = _LETTERS.findall(match.string[max(0, match.start() - 12) : match.start()])
        joined = match.string[max(0, match.start() - 2) : match.start()].rstrip()[-1:].isalpha()
        strange = joined and before and before[-1].lower() not in _LINKS
        if strange or _NO_NUMBER.match(match.string, match.end()):
            return match[0]  # "the blue one", "one of them"
    whole, minus = _whole(words), "-" if match["minus"] else ""
    if match["point"]:
        places = _LETTERS.findall(match["point"].lower())[1:]
        return f"{minus}{whole}.{''.join(str(_VALUES[word]) for word in places)}"
    if match["alone"]:
        times = _VALUES.get(match["times"].lower(), 1)
        return f"{minus}{whole} {times}/{_PARTS[match['alone'].lower()]}"
    if match["part"]:
        return f"{minus}{whole}/{_PARTS[match['part'].lower()]}"
    return f"{minus}{whole}"


def _whole(words: str) -> int:
    total = section = 0
    for word in _LETTERS.findall(words):
        if word == "a":
            section = 1
        elif word == "hundred":
            section *= 100
        elif word in _POWERS:
            total, section = total + section * _POWERS[word], 0
        elif word != "and":
            section += _VALUES[word]
    return total + section
