"""Cues that announce an answer, by language: "The answer is", "答案：", "La réponse est".

A cue records whether its language writes decimal commas; "3,5" after it is then three and a half.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARKS = r"[\s*_]{0,6}"
_VERB = r"is|are|was|would be|should be|will be|must be|comes out (?:as|to)|equals?"
_IS = rf"(?:(?<![a-z])(?:{_VERB})(?!\w)|[:=]|->|→)"
_ENGLISH = (
    rf"\banswers?{_MARKS}(?:(?:to|of|for|in) [^.:\n=]{{1,80}}?\s)?"
    rf"{_MARKS}(?:\([^()\n]{{1,40}}\)\s*)?{_IS}"
    rf"|\b(?:correct|right|best)\s+(?:option|choice|letter){_MARKS}(?:is(?!\w)|:)"
    r"|^\W{0,4}(?:A|Ans|Final)\W{0,3}[:.](?=\s)"
)
_ASIAN = (
    r"(?:最终|正确)?(?:答案|答え|答|解答|正解|结果|結果)(?:应该|應該)?"
    r"(?:就?是|为|為|は|選|选|等于)?(?:\s*:|(?<=[是为為は選选于]))"
    r"|(?:정답|답|답변)\s*(?:은|는|이|:)"
)
_GERMAN = r"\b(?:antwort|lösung|ergebnis)(?: \w{1,20}){0,2}?\s*(?:ist|lautet|beträgt|sind|[:=])"
_FRENCH = (
    r"\b(?:réponse|résultat|reponse|solution)(?: (?:finale?|correcte|est donc))?"
    r"\s*(?:est(?: de| donc| égale à)?|vaut|[:=])"
)
_SPANISH = (
    r"\b(?:respuesta|resultado|solución)(?: (?:final|correcta))?\s*(?:es(?: igual a)?|sería|[:=])"
)
_PORTUGUESE = r"\b(?:resposta|solução)(?: (?:final|correta|certa))?\s*(?:é|será|[:=])"
_ITALIAN = r"\b(?:risposta|risultato|soluzione)(?: (?:finale|corretta))?\s*(?:è|e'|[:=])"
_RUSSIAN = (
    r"\bответ(?: (?:равен|будет|на задачу))?\s*(?:[:=—–]|-(?=\s)|(?<=равен)|(?<=будет))"
    r"|\bвідповідь\s*[:=]"
)
_MORE_WITH_COMMAS = (
    r"\b(?:antwoord|uitkomst)\s*(?:is|[:=])|\b(?:odpowiedź|wynik)\s*(?:to|jest|[:=])"
    r"|\b(?:cevap|yanıt)\s*:|\bđáp án(?: là|\s*:)|\bsvaret är"
)
_OTHER = (
    r"(?:الجواب|الإجابة|الاجابة|الناتج)(?: (?:النهائي|النهائية|الصحيحة))?\s*(?:هو|هي|:)"
    r"|(?:उत्तर|जवाब)\s*(?:है|:)?(?=\s*[\d$\\-])"
)
_COMMAS = "|".join((_GERMAN, _FRENCH, _SPANISH, _PORTUGUESE, _ITALIAN, _RUSSIAN, _MORE_WITH_COMMAS))
_CUE = re.compile(
    rf"(?P<comma>{_COMMAS})|{_ENGLISH}|{_ASIAN}|{_OTHER}", re.IGNORECASE | re.MULTILINE
)
_WEAK = re.compile(
    rf"(?P<comma>(?!))|(?:\bresult|\bsolutions?|\broots?){_MARKS}(?:is|are|:){_MARKS}"
    r"(?=[$\\(\[{\-+]*\d|\\\(|\$|[a-z]\s*=)",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    r"\b(?:reference|expected|given|provided|wrong|incorrect|previous|alleged|student's|user's|their)"
    r"\s*$",
    re.IGNORECASE,
)
"""Attributions of an answer to another person."""


class Cue(NamedTuple):
    """Start and end of an announcement, and whether its language writes decimal commas."""

    start: int
    end: int
    comma: bool


def cues(text: str) -> Iterator[Cue]:
    """Yield the announcements in ``text``, last first; those of a mere result follow the others."""
    for pattern in (_CUE, _WEAK):
        for found in reversed(list(pattern.finditer(text))):
            if not _ANOTHER.search(text[max(0, found.start() - 20) : found.start()]):
                yield Cue(found.start(), found.end(), found["comma"] is not None)
