"""How an answer ends: rounded off, or in mid-sentence, where a token limit cut it.

Prose ends in a sign that closes a sentence, in any script. Much that is complete ends without one:
lists, verse, signatures, hashtags, links, emoji, "Answer: yes", scripts that have no full stop. So
an end without a sign counts as cut only where nothing of that kind explains it, and always where
something is left open: a code block, a formula, a table row, a word that breaks off.
"""

from __future__ import annotations

import re
import unicodedata

TAIL = 4_000
"""Characters at the end that are looked at, beside counts over the whole text."""
SHORT_LINE = 30
"""Characters of a last line that may do without a full stop behind its number or its colon."""
VERSE_LINE = 70
"""Longest line of a verse or a list without full stops."""
_CLOSING = frozenset(".!?:;。！？…｡．\"'”’»›)]}）】」』〉》`*$|>_~।॥؟۔։።၊။។៕܀᠃⸮‼⁇⁈⁉")
_COMMAS = frozenset(",、，،;؛-–—/&+=<\\^")
_NO_STOP = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u0f00-\u0fff]")
"""Thai, Lao, Burmese, Khmer, Tibetan: sentences end without a sign, or with one of their own."""
_EAST = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LINK = re.compile(
    r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.\w[\w.]*|[\w-]+\.(?:com|org|net|io|dev|edu|gov)(?:/\S*)?"
)
_TAG = re.compile(r"[#@]\w[\w-]*")
_ITEM = re.compile(r"\s*(?:[-*•+–▪◦‣]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|#{1,6})\s+(?P<said>\S.*)")
_OPEN_WORD = re.compile(
    r"a|an|the|of|to|in|on|at|by|for|with|from|and|or|but|nor|as|if|that|which|who|whose|is|are|was"
    r"|were|be|been|has|have|had|will|would|can|could|should|may|might|must|its|their|his|her|your"
    r"|my|our|this|these|those|because|since|than|into|about|between|we|i|he|she|they|it|not",
    re.IGNORECASE,
)
"""Words that no sentence ends in."""
_SIGNED = re.compile(
    r"(?:regards|sincerely|yours(?: \w+)?|cheers|love|best(?: wishes| regards)?|kind regards|thanks"
    r"|thank you|respectfully|cordially|warmly|faithfully|grüßen?|salutations|saludos"
    r"|cordialement|xo+)[,!.]?\s*",
    re.IGNORECASE,
)


def ends_open(text: str) -> bool:
    """Something is left open at the end: a code block, a formula, a table row, a bracket of TeX."""
    end = text.rstrip()
    if end.count("```") % 2 or end.count("\\[") > end.count("\\]"):
        return True
    if end.count("\\(") > end.count("\\)"):
        return True
    last = end[end.rfind("\n") + 1 :]
    if len(re.findall(r"(?<!\\)\$", last)) % 2 and not re.search(r"\$\s?\d", last):
        return True
    return _open_row(end)


def ends_complete(text: str) -> bool:
    """Whether the end of ``text`` reads as an end; ``text`` is prose of some length, not empty."""
    end = text.rstrip()[-TAIL:]
    lines = [line for line in end.split("\n") if line.strip()]
    last, before = lines[-1].strip(), [line.strip() for line in lines[:-1]]
    sign, word = end[-1], last.split()[-1]
    if sign in _COMMAS:
        return False
    if sign in _CLOSING or _is_emoji(sign) or _NO_STOP.match(sign):
        return True
    if _LINK.fullmatch(word.strip("<>()[]*")) or _TAG.fullmatch(word):
        return True
    if _EAST.match(sign):
        return not re.search(r"[。！？｡.!?]", end) or _short_answer(last)
    if _OPEN_WORD.fullmatch(word.strip("*_\"'")) or _breaks_off(word, end):
        return False
    return any((_short_answer(last), _signature(last, before), _rows_alike(last, before)))


def _is_emoji(sign: str) -> bool:
    """A pictogram, or what modifies one."""
    return unicodedata.category(sign) in ("So", "Sk") or sign in "\u200d\ufe0f\u20e3♥"


def _open_row(end: str) -> bool:
    """The last line is a table's row with fewer bars than the row above."""
    rows = end.rsplit("\n", 2)[-2:]
    if len(rows) < 2 or not all(row.lstrip().startswith("|") for row in rows):
        return False
    return rows[1].count("|") < rows[0].count("|")


def _breaks_off(word: str, end: str) -> bool:
    """``word`` stands nowhere else, and longer words that begin with it do: "poi", "point"."""
    plain = re.sub(r"\W", "", word)
    if len(plain) < 2:
        return False
    known = re.findall(rf"(?<!\w){re.escape(plain)}(\w*)", end, re.IGNORECASE)
    return known.count("") <= 1 and any(known)


def _short_answer(last: str) -> bool:
    """A short line with a number, a result, or something behind a colon: "So: yes", "= 12 km"."""
    if last[-1].isdigit() and re.search(r"=\s*\S+$", last):
        return True
    head, colon, said = last.partition(":")
    stated = bool(colon and head.strip()) and 0 < len(said.split()) <= 3
    return len(last) <= SHORT_LINE and (stated or bool(re.search(r"\d", last[-8:])))


def _signature(last: str, before: list[str]) -> bool:
    """A name under a greeting, or a last line in capitals or title case: "Anna", "THE END"."""
    words = last.split()
    if len(words) > 5 or len(last) > 40:
        return False
    above = before[-1] if before else ""
    if _SIGNED.fullmatch(above) or _SIGNED.fullmatch(last) or last.startswith(("—", "–", "~")):
        return True
    small = {"of", "the", "and", "de", "van", "von", "da"}
    titled = all(word[:1].isupper() or word in small for word in words)
    return titled and len(words) > 1 and above[-1:] in {*".!?:…", ""}


def _rows_alike(last: str, before: list[str]) -> bool:
    """A list or a verse whose lines do without full stops, and whose last line is as long."""
    above = before[-4:]
    if item := _ITEM.fullmatch(last):
        others = [found["said"] for line in above if (found := _ITEM.fullmatch(line))]
        return _as_long(item["said"], [said for said in others if said[-1] not in ".!?;"], others)
    verse = [line for line in above[-2:] if len(line) <= VERSE_LINE and not _ITEM.fullmatch(line)]
    short = bool(verse) and len(above[-1]) <= VERSE_LINE and len(last) <= VERSE_LINE
    return short and last[:1].isupper() and 2 * len(last) > min(map(len, verse))


def _as_long(said: str, bare: list[str], others: list[str]) -> bool:
    """A last item as long as those without a full stop, which are half of all or more."""
    words = len(said.split())
    if not others:
        return words <= 4
    return 2 * len(bare) >= len(others) and 2 * words > min(len(one.split()) for one in bare)
