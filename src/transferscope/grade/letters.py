"""Which letter a reply commits to: a multiple-choice answer read strictly.

In order: the last box that holds a letter; the last sentence that states an answer ("the answer
is B", "B is correct", "la réponse est B", "答案是B"); a letter that opens the reply ("B) Paris");
one that stands alone on its last line. What is thought aloud is not read, two letters named
together are no choice, and neither are the article "A", the pronoun "I" and letters inside words.
"""

from __future__ import annotations

import re
import unicodedata

from ..core.thinking import without_thinking

MAX_CHARS = 8_000
"""Longer replies are read at their beginning and their end: hostile input stays bounded."""
_RUNS = re.compile(r"([\s*_`$\"'(\[<{]{8})[\s*_`$\"'(\[<{]+")
"""Runs of signs and blanks longer than any real one; what is beyond eight of them goes."""

_WRAP = r"(?:\\[(\[]|[\s*_`$\"'“”‘’„«»「」『』(\[<{【])*"
_TEX = r"(?:\\(?:text(?:bf|it|rm)?|math(?:bf|rm|sf)?|boxed|fbox|bf|rm)\s*\{?\s*)*"
_NOUN = r"(?:(?:option|choice|letter|alternative|answer|statement)\s*)?"
_LETTER = rf"{_WRAP}{_TEX}{_WRAP}(?P<letter>[A-Za-z])(?![A-Za-z0-9À-ɏ]|['’][A-Za-z])"

_ANSWER = "|".join(
    (
        r"(?:answer|choice|option|selection|pick|response|solution)s?",  # English
        r"réponse|solution|option|choix",
        r"antwort|lösung|antwoord|svaret|svar|vastaus",
        r"respuesta|opción|alternativa|risposta|opzione|resposta|opção|alternativa",
        r"odpowiedź|odpověď|răspunsul|válasz|cevap|yanıt|đáp án|jawaban(?:nya)?|sagot",
        r"ответ|відповідь|απάντηση|الإجابة|الجواب|جواب|תשובה|उत्तर|คำตอบ",
    )
)
_COPULA = "|".join(
    (
        r"is|was|are|would be|should be|must be|will be|has to be|can only be|seems to be|has been",
        r"est|c'est|serait|ist|lautet|wäre|es|è|é|är|er|on|to|je|este|là|adalah|это|есть|είναι",
        r"هي|هو|היא|है|คือ",
    )
)
_STATED = re.compile(
    rf"(?:\b|(?<=['’])|(?<=_))(?:{_ANSWER})(?:\s*[*_]+)?"
    r"(?:\s+(?:to|for|of|here|correcte?|correta|correcta|corretta|richtige?|finale?|juste|الصحيحة"
    r"|the question|this question)){0,3}(?:\s*[*_]+)?"
    rf"\s*(?P<copula>(?:{_COPULA})\b|[:=：]|[-–—→]+>?)\s*(?:[:：]\s*)?"
    r"(?P<not>(?:definitely |clearly |certainly )?(?:not|nicht|pas|no|non|não|не)\s+)?"
    r"(?:(?:therefore|thus|clearly|definitely|most likely|probably|likely|indeed|simply)[,\s]+)?"
    r"(?:(?:the|la|le|l'|die|der|das|el|a|o|il)\s+(?=(?:option|choice|letter|lettre|letra|"
    r"opción|opção|alternativa|réponse|antwort|[\"'(\[*$]*[B-Zb-z][^A-Za-zÀ-ɏ'’])))?"
    r"(?:(?:option|choice|letter|lettre|letra|lettera|buchstabe|opción|opção|opzione|alternative"
    r"|alternativa|réponse|antwort|number|вариант)\s*[:#]?\s*)?"
    rf"{_LETTER}",
    re.IGNORECASE,
)
_CHOSEN = re.compile(
    r"\b(?:i|we|you)(?:'d|’d|'ll|’ll|\s+(?:would|will|should|must|can|have\s+to))?\s+"
    r"(?:therefore\s+)?(?:choose|chose|pick|select|go\s+(?:with|for)|opt\s+for|vote\s+for|say|answer"
    r"|think\s+it(?:'s|’s|\s+is))\s+(?:the\s+)?"
    rf"{_NOUN}{_LETTER}",
    re.IGNORECASE,
)
_CONCLUDED = re.compile(
    r"(?:\b(?:so|thus|hence|therefore|ergo|yes|also|ja|oui|donc|por\s+lo\s+tanto|portanto|quindi)\b[,:]?\s+"
    r"(?:it(?:'s|’s|\s+is|\s+must\s+be)\s+)?|\b(?:it|that)(?:'s|’s|\s+is|\s+must\s+be)\s+"
    rf"|\b(?:correct|right|richtig|korrekt)\s*(?:(?:is|ist)\b|:)\s*){_NOUN}{_LETTER}",
    re.IGNORECASE,
)
_CALLED = re.compile(
    rf"(?<![A-Za-z0-9'’]){_NOUN}{_WRAP}(?<![A-Za-z])(?P<letter>[A-Z])[)\]}}*\"'”’$.:]*\s+"
    r"(?:is|was|would\s+be|seems|must\s+be|has\s+to\s+be|est|ist|es|è|é)\s+"
    r"(?:(?:the|clearly|definitely|obviously|therefore|thus|la|le|die|der|das|il|a|o|most|my|only)\s+)*"
    r"(?:single\s+|most\s+)?(?:correct|right|best|accurate|true|answer|bonne|juste|richtig|korrekt"
    r"|richtige|correcta|correcto|corretta|correta|certa)(?![A-Za-z])",
)
_EAST = re.compile(
    r"(?:(?:正确)?答案(?:是|为|為|应该是|应为|選|选)?|[应應该該故所以]*[选選](?:择|擇|项|項)?|正解は?|解答は?"
    r"|答えは?|회?정답은?|답은?|정답)\s*[:：]?\s*(?:选项|選項|選択肢|是)?"
    rf"{_WRAP}{_TEX}{_WRAP}(?P<letter>[A-Za-z])(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])(?P<before>[A-Z])(?:选项|選項)?\s*[)」』】]?\s*"
    r"(?:是|が|は|가|이|는|은)\s*(?:正确|正確|正解|对|對|정답|答え|答案|맞)",
)
_BOX = re.compile(
    r"\\(?:boxed|fbox)\s*\{(?P<inside>(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}|\\boxed\s+(?P<bare>[A-Z])\b"
)
_TEXT = re.compile(r"\\(?:text(?:bf|it|rm|sf)?|math(?:bf|rm|sf)?|bf|rm)\b\s*")
_IN_BOX = re.compile(
    r"[\s({\[*$\"']*(?:(?:option|choice|answer)\s*:?\s*)?[\s({\[]*(?P<letter>[A-Za-z])"
    r"(?:[\s)}\]*$\"']*|[)}\]]*\s*[.):,]\s*\S.*|[)}\]]+\s*\S.*)",
    re.DOTALL | re.IGNORECASE,
)
_OPENS = re.compile(
    r"[\s*_`$\"'“‘«「>#•\-–]*(?:(?:option|choice|\\[(\[]|\\text(?:bf)?\{|\\mathrm\{)\s*)?"
    r"(?P<mark>[(\[<{【]?)\s*(?P<letter>[A-Za-z])(?![A-Za-z0-9À-ɏ]|['’][A-Za-z])"
    r"(?P<behind>(?:\\[)\]]|[)\]>}】.:,*_`$\"'”’»」])*)(?P<rest>[^\n]*)"
)
_ALONE = re.compile(
    r"[\s*_`$\"'“‘«「>•\-–(\[<{【]*(?P<letter>[A-Z]|[b-hj-z](?=[)\].]))[\s*_`$\"'”’»」)\]>}】.!]*"
)
_FIRM = re.compile(r"\s*(?:$|[.,;:!?)\]}>*_`$\"'”’»」』】–—。，；：！？]|-\s|\n|\\\)|\\\]"
                   r"|\s(?:because|since|as|for|due|given|which|that|car|parce|weil|denn|da|porque|perché)\b)",
                   re.IGNORECASE)  # fmt: skip
_OTHER = re.compile(
    r"[)\]}*_`$\"'”’.]*\s*(?:,?\s*\b(?:and|or|und|oder|et|ou|y|e|o|nor|as\s+well\s+as)\b|[,/&+、]|和|或|と|및)"
    rf"\s*(?:both\s+)?{_NOUN}{_WRAP}(?P<letter>[A-Z])(?![A-Za-z0-9'’])"
    r"(?!\s+(?:is|was|are|ist|est|es|would|does|can|will|has|only|says|states|assumes|ignores))",
    re.IGNORECASE,
)
_BUT = re.compile(
    r"[)\]}*_`$\"'”’]*\s*[,;.]?\s*(?:but|sondern|mais|sino|ma|mas|rather|instead|it(?:'s|’s|\s+is))\s+"
    rf"(?:rather\s+|it\s+is\s+)?{_NOUN}{_LETTER}",
    re.IGNORECASE,
)
_WORDS_OF_ONE_LETTER = frozenset("AI")
"""English words: read as letters only where a sign or the end of the sentence follows."""


def letter(response: str, options: int) -> str | None:
    """The letter, upper case, that ``response`` commits to, or ``None``.

    A letter beyond the number of ``options`` is no answer.
    """
    text = unicodedata.normalize("NFKC", without_thinking(response)).strip()
    if len(text) > MAX_CHARS:
        text = f"{text[: MAX_CHARS // 2]}\n{text[-MAX_CHARS // 2 :]}"
    text = _RUNS.sub(r"\1", text)
    for read in (_boxed, _stated, _opening, _last_line):
        if (found := read(text)) is not None:
            upper = found.upper()
            return upper if upper and ord(upper) - ord("A") < options else None
    return None


def _boxed(text: str) -> str | None:
    for box in reversed(list(_BOX.finditer(text))):
        if box["bare"]:
            return box["bare"]
        inside = _TEXT.sub("", box["inside"]).strip()
        if (found := _IN_BOX.fullmatch(inside)) and _TEXT.sub("", inside).strip("{}$ "):
            return found["letter"]
    return None


def _stated(text: str) -> str | None:
    """The letter of the last statement; ``""`` where that names two or only rules one out."""
    found: list[tuple[int, str]] = []
    for pattern in (_STATED, _CHOSEN, _CONCLUDED, _CALLED):
        for match in pattern.finditer(text):
            if (said := _said(text, match)) is not None:
                found.append((match.end(), said))
    found += [
        (match.end(), "" if _OTHER.match(text, match.end()) else match["letter"] or match["before"])
        for match in _EAST.finditer(text)
    ]
    return max(found)[1] if found else None


def _said(text: str, match: re.Match[str]) -> str | None:
    """A statement's letter, ``""`` for two letters, ``None`` where it is no statement."""
    said, end = match["letter"], match.end("letter")
    if match.groupdict().get("not"):
        but = _BUT.match(text, end)
        return but["letter"] if but else None
    if match.re is _CALLED:
        return None if _before_other(text, match.start("letter")) else said
    firm = _FIRM.match(text, end) is not None
    if not firm and (said.islower() or said in _WORDS_OF_ONE_LETTER):
        return None
    if said in "iI" and text[end : end + 1] not in (")", "]"):
        return None
    return "" if _OTHER.match(text, end) else said


def _before_other(text: str, start: int) -> bool:
    """Another letter is joined to this one: "A and B is correct"."""
    return (
        re.search(r"\b[A-Z]\W{0,3}\s*(?:and|or|,|/)\s*\W{0,3}$", text[max(0, start - 20) : start])
        is not None
    )


def _opening(text: str) -> str | None:
    """A letter that opens the reply, marked as one; ``""`` where it names two."""
    match = _OPENS.match(text)
    if match is None or _lists_options(text, match["letter"]):
        return None
    said, behind, rest = match["letter"], match["behind"], match["rest"]
    if not match["mark"] and (said in "iI" or (said.islower() and not set(behind) & set(").]"))):
        return None
    if _OTHER.match(text, match.end("letter")):
        return ""
    marked = bool(match["mark"] or set(behind) & set(").]:>}】"))
    if marked or not rest.strip(" *_`$\"'”’.!"):
        return said
    # "C - Paris", "C, because ..."; "C Paris" only as the whole of a short reply
    dashed = re.match(r"\s*[-–—]\s", rest) is not None or "," in behind
    short = "\n" not in text and len(text) <= 60 and said not in _WORDS_OF_ONE_LETTER
    named = short and re.match(r"\s+[A-Z0-9][^\s]*", rest) is not None
    return said if said.isupper() and (dashed or named) else None


def _lists_options(text: str, first: str) -> bool:
    """The reply begins by repeating the options: lines that open with A, B and so on."""
    heads = re.findall(r"^[\s*_(\[\-]*([A-Za-z])[).:\]]", text, re.MULTILINE)
    return first in "Aa" and [head.upper() for head in heads[:2]] == ["A", "B"]


def _last_line(text: str) -> str | None:
    last = text[text.rfind("\n") + 1 :]
    match = _ALONE.fullmatch(last)
    return match["letter"] if match and match["letter"] not in "I" else None
