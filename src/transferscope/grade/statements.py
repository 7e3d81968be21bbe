"""Statements: the answer in a sentence like "The answer is 12, since x = 4", which is just 12.

A statement is the formula, amount, list or word right after an announcement (:mod:`.cues`), up to
where the sentence continues in words.

>>> stated(" 12, since x = 4."), stated(" 2x + 3."), stated(" between 5 and 6.")
('12', '2x + 3', 'between 5 and 6')
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .combinations import CHOOSE
from .corrections import corrected
from .cues import cues
from .formulas import Formula, formula
from .numbers import chinese
from .spoken import digits

LOOK_AHEAD = 400
"""Most characters after "the answer is" that may belong to the statement."""

_FILLERS = """simply just therefore thus then clearly approximately about roughly around exactly
equal\\ to given\\ by as\\ follows still indeed either only now so the\\ number the\\ value
the\\ fraction the\\ expression the\\ set the\\ point the\\ interval the\\ ordered\\ pair the\\ pair
the\\ matrix actually option choice la\\ opción opción a\\ opção opção
die\\ option l['’]option l['’]opzione opzione вариант 选项 選項 also ungefähr etwa genau
donc exactement environ exactamente aproximadamente
igual\\ a égal\\ à égale\\ à de ≈ \\\\approx 大约 約 约"""
_LEAD = re.compile(
    r"(?:[-=]+>|[\s:*_=→']+|(?:" + "|".join(re.split(r"(?<!\\)\s", _FILLERS)) + r")(?![a-z]))+",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:between|from|at least|at most|less|more|greater|fewer|larger|smaller|not|neither|over|"
    r"under|than|within|no|up to|twice|double|triple|minus|negative|"
    r"(?:half|third|quarter|root|square|cube|reciprocal|inverse|factorial|log(?:arithm)?|sine|cosine|"
    r"tangent|power|multiple|factor|divisor|remainder|percent|%) of|"
    r"below|above|unknown|cannot|can't|"
    r"zwischen|nicht|mindestens|höchstens|maximal|minimal|mehr als|weniger als|größer|kleiner|"
    r"über|unter|"
    r"entre|al menos|como (?:máximo|mínimo)|a lo sumo|más de|menos de|mayor|menor|"
    r"au (?:moins|plus)|plus de|moins de|supérieure? à|inférieure? à|pas|"
    r"pelo menos|no (?:máximo|mínimo)|mais de|maior|"
    r"almeno|al (?:massimo|più|meno)|più di|meno di|tra|"
    r"не (?:менее|более|меньше|больше)|больше|меньше|от|между)\b"
    r"|至少|至多|最多|最少|超过|超過|不到|不超过|大于|小于|大於|小於|不足|少なくとも|以上|以下|未満",
    re.IGNORECASE,
)
_JUDGEMENTS = frozenset(
    re.findall(
        r"\S+",
        """wrong incorrect correct right valid invalid clear unclear obvious different given
        expected fine good reasonable confirmed plausible consistent possible required
        needed supposed indeed now here below above this that simple easy hard likely
        probably what how why the falsch richtig""",
    )
)
"""Words about an answer, which are not an answer themselves."""
_OR = r"or|oder|ou|o|oppure|или|或者?|または"
_AND = r"and|und|et|y|e|en|и|和|以及|と|、"
_JOIN = re.compile(
    rf"\s*(?:,\s*(?P<late>(?:and|or)\b)|,?\s*\(?(?P<maybe>(?:or\s+)?(?:possibly|perhaps|maybe)|(?<=\()or)\b|(?P<comma>,)"
    rf"|(?<![^\W\d_])(?:(?P<or>{_OR})|(?P<and>{_AND}))(?![a-zA-Z]))\s*",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\s*(?:$|[.!?;:)\]*_`\n。,\u3040-\u9fff]|\$|\(|since|because|as |which|where|so "
    r"|for |when|"
    r"respectively|weil|porque|car |perché)"
)
_MORE = re.compile(
    r"\s*,?\s*(?:\band\b|\bund\b|\bet\b|\by\b)?\s*(?P<amount>\d+(?:\.\d+)?)(?=\s?[a-zA-Z]{1,12}\b)"
)
_RANGE = re.compile(
    r"\s*(?:(?:more|less|fewer|greater)\s+than\b|(?:or|and)\s+(?:more|less|fewer|greater|above|below|up|higher|lower|over)\b"
    r"|(?:to|through|until|bis|до|out of(?: the| a total of)?|per|by)\s+\$?\d[\d.,]*(?<![.,])"
    r"|[到至]\s?\d[\d.,]*(?<![.,])|(?:以上|以下|以内|未満)"
    r"|(?<=\d)\s+in\s+10+(?=\s*(?:[.,;!?*$\n]|$))"
    r"|(?<=\b1)\s+in\s+\d+(?=\s*(?:[.,;!?*$\n]|$))|\s*\(?(?:in\s+)?(?:base[\s-]\d{1,2}|binary|octal|"
    r"decimal|hexadecimal)\b(?!\s+(?:place|digit|point))\)?|[–—~]\s?\d[\d.,]*(?<![.,]))"
)
"""Text after an amount that makes it a range (or the ratio "3 to 1")."""
_HALF_DAY = re.compile(r"\s*(?:[ap]\.\s?m\.|[ap]m\b)", re.IGNORECASE)
_UNIT_BEHIND = re.compile(
    r"(?:\s*(?:[°%¢]|[a-zA-ZÀ-ÿµ]+(?:\s?/\s?[a-zA-Z]+)?(?:\^?\{?[23]\}?|[²³])?(?![\w]))){1,3}"
)
_NO_UNIT = re.compile(
    r"\b(?:since|because|as|which|where|so|for|when|if|is|are|was|were|in|on|at|with|after|each|"
    r"every|left|and|or|but|then|that|this|it|he|she|they|we|i|to|from|by|not|respectively|weil|da|"
    r"denn|porque|car|puisque|perché|ya|pois|has|have|total|altogether|more|remaining|per day|ist|"
    r"sind|no|wait|sorry|oops|actually|hmm|rather|nein|non)\b",
    re.IGNORECASE,
)
_TAGS = re.compile(
    r"</?(?:b|i|u|strong|em|p|span|code|mark|answer|br)\s?/?>|[`\"“”]", re.IGNORECASE
)
_SPOKEN_SIGN = re.compile(
    r"(?<=\d)\s+(times|plus|minus|divided by|(?:raised )?to the power(?: of)?)\s+(?=-?\d)"
)
_SPOKEN_SIGNS = {"times": " * ", "plus": " + ", "minus": " - ", "divided by": " / "}
_NOT_BUT = re.compile(
    r"^(?:not|nicht|non|pas|no)\s[^.\n]{1,40}?,?\s(?:but|sondern|mais|sino|bensì|ma)\s|"
    r"^(?:not|nicht)\s[^.,;\n]{1,40}[,;]\s*(?:it['’]s|it is|rather|es ist)\s",
    re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"\n[ \t]{0,4}>[ \t]?")
_RUPEES = re.compile(r"^Rs\.?\s?(?=\d)")
_INCHES = re.compile(r"\s*in\.?(?=\s*(?:[.,;!?)*]|$))")
_TRAILING_DOTS = re.compile(r"^(\d+)(?:\.\.\.|…)(?=\s|$)")
_CLAUSE_END = re.compile(r"[.!?](?:\s|$)|\n|。|,\s")


@dataclass(frozen=True, slots=True)
class Statement:
    """A stated answer, its cue's position, and whether the language writes decimal commas."""

    text: str
    start: int
    comma: bool = False


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements after the cues of ``text``, last first; skip cues without an answer."""
    later = len(text)
    for cue in cues(text):
        content = text[cue.end : cue.end + LOOK_AHEAD]
        if said := stated(content):
            behind = content[: later - cue.end] if later > cue.end else content
            yield Statement(taken_back(behind) or said, cue.start, cue.comma)
        later = cue.start


def taken_back(content: str, *, at_once: bool = False) -> str | None:
    """Return the answer to which ``content`` corrects the one at its start or just before it."""
    return corrected(digits(_TAGS.sub("", content)), run, at_once=at_once)


def stated(content: str) -> str | None:
    """Return the answer at the start of ``content``; ``None`` for words that aren't an answer."""
    content = _TAGS.sub("", _lines(content))
    if lead := _LEAD.match(content):
        content = content[lead.end() :]
    content = CHOOSE.sub(r"\\binom{\1}{\2}", digits(_NOT_BUT.sub("", chinese(content))))
    content = _SPOKEN_SIGN.sub(lambda sign: _SPOKEN_SIGNS.get(sign[1], "^"), content)
    content = _RUPEES.sub("₹", _TRAILING_DOTS.sub(r"\1", content))
    if found := run(content):
        return found
    clause = _CLAUSE_END.split(content, maxsplit=1)[0].strip(" *_.,")
    first = re.search(r"\d|\$|\\[(\[a-zA-Z]", clause)
    if first is None:
        words = clause.casefold().split()
        return clause if 0 < len(words) <= 4 and not _JUDGEMENTS.intersection(words) else None
    if _VAGUE.search(clause[: first.start()]):
        return clause
    begin = first.start()
    while begin and clause[begin - 1] in "-+({[$\\√":
        begin -= 1
    return run(content[content.find(clause) + begin :]) or clause


def run(content: str) -> str | None:
    """Return the longest formula, amount or list at the start of ``content``."""
    first = formula(content, 0)
    if first is None:
        return None
    found, joints = [first], [""]
    while join := _JOIN.match(content, found[-1].end):
        part = formula(content, join.end())
        if part is None or (_bare_letter(part) and not _bare_letter(found[-1])):
            break
        found.append(part)
        joints.append(" or " if join["or"] or join["maybe"] or join["late"] == "or" else ", ")
    if len(found) > 1 and not _BEHIND.match(content, found[-1].end):
        # "12, 3 of which are red" is not a list, unless "or" joins it
        keep = joints.index(", ") if ", " in joints else len(found)
        found = found[:keep]
    text = "".join(joint + part.text for joint, part in zip(joints, found, strict=False))
    at = found[-1].end
    if behind := _RANGE.match(content, at):
        return text + behind[0]
    unit = _unit(content, at)
    while unit and (more := _MORE.match(content, at + len(unit))):  # 3 hours and 20 minutes
        text, at = f"{text}{unit} {more['amount']}", more.end()
        unit = _unit(content, at)
    behind = _RANGE.match(content, at + len(unit)) if unit else None  # 5 cm by 6 cm
    return text + unit + (behind[0] if behind else "")


def _lines(content: str) -> str:
    """Return the statement's own line or, if that is empty, the next non-empty one.

    A displayed formula continues over several lines.
    """
    content = _QUOTED_LINE.sub("\n", content).lstrip(" \t*_:=\n")
    head, _, _ = content.partition("\n")
    displayed = head.startswith(("\\[", "$$", "\\begin"))
    opened = head.count("\\[") > head.count("\\]") or head.count("$$") % 2
    return content if displayed or opened else head


def _bare_letter(part: Formula) -> bool:
    return bool(re.fullmatch(r"\(?[a-zA-Z]\)?", part.text.strip()))


def _unit(content: str, at: int) -> str:
    """Return up to three words after an amount that may be its unit."""
    if half := _HALF_DAY.match(content, at) or _INCHES.match(content, at):
        return half[0]
    match = _UNIT_BEHIND.match(content, at)
    if not match or content[at : at + 1].isalpha():
        return ""
    words = match[0]
    if stop := _NO_UNIT.search(words):
        words = words[: stop.start()]
    return words.rstrip()
