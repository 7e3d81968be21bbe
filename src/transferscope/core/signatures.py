"""How letters and quotations end: a farewell, a name, an attribution, a postscript."""

from __future__ import annotations

import re

from .ending_words import CLOSERS, FUNCTION, NAME_WORDS, STOPS

SHORT = 60
"""Lines of up to this number of characters don't count as running prose."""

_SIGN_OFF = re.compile(
    r"(?:(?:best|kind|warm(?:est)?|with)\s+)*(?:regards|wishes|love(?: always)?|thanks|"
    r"gratitude|sincerely|respectfully|cheers|yours(?:\s+\w+)?|sincerely\s+yours|hugs|respect|appreciation|"
    r"mit freundlichen grüßen|viele grüße|liebe grüße|herzliche grüße|cordialement|bien à vous|"
    r"amicalement|saludos(?:\s+\w+)?|atentamente|un abrazo|cordiali saluti|distinti saluti|"
    r"atenciosamente|abraços|с уважением|此致|敬礼|敬上|敬具|草々|以上|"
    r"よろしくお願い(?:いたし|致し|し)ます|your\s+\w+(?:\s\w+)?)\s*[,.!，]?",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    r"(?:the\s+)?end|fin|ende|finis|amen|to be continued|thank(?:s| you)(?: \w+){0,4}|good luck|"
    r"enjoy|cheers|done|q\.?e\.?d|over and out|happy \w+|good (?:bye|night|day)|bye|"
    r"see you(?: \w+)?|yes|no|ok(?:ay)?|true|false|none|(?-i:[A-HJ-Z])|"
    r"stay \w+|sincerely|take care|talk soon|sent from my \w+|"
    r"have a(?: \w+){1,4}|with (?:best|warm|kind) \w+(?: \w+){0,4}|"
    r"end of (?:the |this )?\w+|namaste|gracias|merci(?: \w+)?|danke(?: \w+)?|grazie(?: \w+)?|"
    r"obrigad[oa]|bedankt|tack|dziękuję|děkuji|mulțumesc|teşekkürler|teşekkür ederim|"
    r"terima kasih|cảm ơn(?: \w+)?|спасибо(?: \w+ \w+)?|дякую|благодаря|ευχαριστώ|תודה(?: רבה)?|"
    r"شكر[اًا]{1,2}(?: \w+)?|متشکرم|شکریہ|धन्यवाद|ধন্যবাদ|நன்றி|ありがとう(?:ございます)?|감사합니다|"
    r"谢谢(?:您|你|大家)?|感谢|完|おわり|終わり|끝",
    re.IGNORECASE,
)
POSTSCRIPT = re.compile(r"(?:P\.?\s?){1,3}S\.?(?![a-zA-Z])[\s:,-]*|N\.?B\.?(?![a-zA-Z])[\s:,-]*")
_CREDIT = re.compile(
    r"(?P<said>.*(?:^|\s|(?<=[^\w\s–—―~-])))[-–—―~]{1,2}\s?(?P<name>[^-–—―~\s][^–—―~]{0,80})$"
)
""" "Stay hungry." - Steve Jobs, 2005: a quotation and its author."""
_SALUTATION = re.compile(
    r"(?:dear|hi|hello|hey|good \w+|greetings|to|sehr geehrte[rs]?|liebe[rs]?|hallo|cher|chère|"
    r"bonjour|estimad[oa]s?|querid[oa]s?|hola|gentile|car[oa]|ciao|prezad[oa]|уважаем\w+|дорог\w+)\b",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"(?:\w+\s){0,2}(?i:by)\s+(?P<name>\S.*)$")
_HAN_NAME = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af·・《》\s]{2,12}")
_OPEN = FUNCTION - {"no", "a", "o", "e", "y", "i", "you", "we", "they", "do", "is", "son"}
"""Words that a farewell can't end in, as in "Thank you for your"."""
_NAMELESS = frozenset(("anonymous", "anon", "unknown", "author unknown"))


def greets(line: str) -> bool:
    """Whether the line is a salutation: "Dear Ann,"."""
    return line[-1:] in (",", "，", "!") and _SALUTATION.match(line) is not None


def signature(line: str) -> bool:
    """Whether this is a signature or farewell: "Best regards, Ann", "Thank you", "The End"."""
    if (_FAREWELL.fullmatch(line) and line.rsplit(maxsplit=1)[-1].lower() not in _OPEN) or (
        _SIGN_OFF.fullmatch(line) and line[-1] not in ",，"
    ):
        return True
    closing, comma, name = line.partition(",")
    name = re.sub(r"^\s*your \w+\s", "", name, flags=re.IGNORECASE)
    return bool(comma) and _SIGN_OFF.fullmatch(closing) is not None and named(name.strip())


def named(text: str) -> bool:
    """Whether this is a name: up to five capitalised words, possibly with particles like "von"."""
    words = text.split()
    names = all(word[0].isupper() or word.lower() in NAME_WORDS for word in words)
    return 0 < len(words) <= 5 and names and words[-1][0].isupper()


def signs(line: str, before: str, above: list[str]) -> bool:
    """Whether this is a name below "Best regards," or another short line with a comma."""
    if len(line) > SHORT:
        return False
    comma = before[-1:] in (",", "，") and len(before) <= SHORT // 2 and len(above) > 2
    name = named(line) or len(line.split()) <= 2
    closed = _SIGN_OFF.fullmatch(before.rstrip("。"))
    if greets(before) or line.rsplit(maxsplit=1)[-1].lower() in FUNCTION:
        return False
    parting = closed or (named(line) and _FAREWELL.fullmatch(before))
    return bool((comma and name) or parting)


def parting(sentence: str) -> bool:
    """Whether this is a farewell that a name may follow: "Cheers!"."""
    last = sentence.strip("".join(STOPS) + " ")
    return bool(_FAREWELL.fullmatch(last) or _SIGN_OFF.fullmatch(last))


def credited(line: str, *, own: bool, listed: bool) -> bool:
    """Whether the line ends in a dash and the name of the author or signer.

    It must follow a quotation or sentence, or be on a line of its own, but not be a list item.
    """
    if own and (byline := _BYLINE.match(line)) and _source(byline["name"]):
        return True
    found = _CREDIT.match(line[-2 * SHORT :] if len(line) > 4 * SHORT else line)
    if found is None or not _source(found["name"]):
        return False
    said = found["said"].strip()
    if not said:
        return not listed
    if said[-1] in STOPS | CLOSERS:
        return True
    return own and len(line) <= SHORT and found["said"][-1].isspace() and named(found["name"])


def _source(text: str) -> bool:
    """Whether this is a source: "Steve Jobs, 2005", "Hamlet, Act 3, Scene 1", "鲁迅"."""
    if text.casefold() in _NAMELESS or _HAN_NAME.fullmatch(text):
        return True
    parts = [part.split() for part in text.split(",")]
    words = [word for part in parts for word in part]
    fit = (w[0].isupper() or w[0].isdigit() or w.lower() in NAME_WORDS for w in words)
    return (
        all(parts)
        and len(words) <= 8
        and all(fit)
        and any(word[0].isupper() for word in parts[0])
        and (words[-1][0].isupper() or words[-1][0].isdigit())
        and words[-1].lower() not in FUNCTION
    )
