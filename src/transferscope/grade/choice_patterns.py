"""Patterns for the context of a letter, built from the words of :mod:`.choice_words`.

All are matched against lower-case text.
"""

from __future__ import annotations

import re

from . import choice_words as words
from .choice_text import LATIN


def alone(listed: str, joined: str = "") -> str:
    """Return a pattern for a whole word of ``listed``, or for one of ``joined`` anywhere."""
    word = rf"(?<![{LATIN}])(?:{listed})(?![{LATIN}])"
    return f"(?:{word}|{joined})" if joined else word


COPULA = (
    r"is|are|was|be|can\s+(?:all\s+)?be|(?:has|have)\s+been|would\s+be|must\s+be|should\s+be|seems|seems\s+to\s+be|appears|looks|remains|"
    r"ist|sind|wäre|est|sont|serait|es|son|sería|è|sono|é|são|seria|är|er|jest|to|je|on|este|là|"
    r"adalah|είναι|является|это|—|هو|هي|है|হল|could\s+be|might\s+be|could|would|did|does|also"
)
COPULA_JOINED = r"は|が|も|是|为|為|项|項|选项|選項|이|가|은|는|번|คือ|เป็น"
ADVERBS = (
    r"also|therefore|thus|then|clearly|fully|entirely|totally|simply|definitely|obviously|indeed|the|an?|only|most|la|le|"
    r"el|il|lo|die|der|das|l'|uma|una|une|eine|o|partially|partly|completely|likely|probably|por|"
    r"lo|tanto|donc|quindi|also|som|de|het|den|det|est\s+la|my|one|option|answer|choice|to|be"
)
NOUN = re.compile(alone(words.NOUNS, words.NOUNS_JOINED))
OPTION = re.compile(alone(words.OPTIONS, words.OPTIONS_JOINED))
CHOSEN = re.compile(alone(words.CHOSEN, words.CHOSEN_JOINED))
THEREFORE = re.compile(alone(words.THEREFORE))
AGAINST = re.compile(alone(words.AGAINST, words.AGAINST_JOINED))
LINK = re.compile(
    r"[\s:;=\-–—>→⇒,،、|\]\"“”'«»؛،#]|\.{2,3}(?=\s)|\((?![A-Za-z]\))|"
    + alone(words.LINKS, words.LINKS_JOINED)
    + "|"
    + alone(words.OPTIONS, words.OPTIONS_JOINED)
)
STATED = re.compile(
    r"[:=—→]|" + alone(COPULA + r"|lautet|heißt|brzmi|heter", r"是|为|為|は|은|는|คือ")
)
JOIN = re.compile(
    rf"\s*,?\s*(?:{alone(words.JOINS, words.JOINS_JOINED)})\s*"
    rf"(?:{alone(f'{words.OPTIONS}|either|both|possibly|maybe|the|la|die', words.OPTIONS_JOINED)}"
    r"\s*)?"
)
OR = re.compile(
    alone(r"or|and/or|oder|ou|o|oppure|of|lub|eller|tai|veya|hoặc|atau|или|або|ή|या|או|أو")
)
BUT = re.compile(alone(words.BUT, words.BUT_JOINED))
IS_WRONG = re.compile(
    rf"\s*:?\s*(?:{alone(COPULA)}\s*|{alone(ADVERBS)}\s*){{0,6}}{alone(words.WRONG)}"
    r"(?!\s*\(?(?:[b-hj-z]\b|a\b(?!\s+\w)))"
    rf"|\s*(?:{COPULA_JOINED}){{0,6}}\s*(?:{words.WRONG_JOINED})"
)
IS_RIGHT = re.compile(
    rf"\s*(?:(?::\s*|(?:{alone(ADVERBS)}\s*){{0,6}}{alone(COPULA)}\s*)"
    rf"(?:{alone(COPULA)}\s*|{alone(ADVERBS)}\s*){{0,6}}{alone(words.RIGHT)}|{alone(words.FITS)}|it\s+is(?=\s*(?:[.!]|$))"
    rf"|{alone(COPULA)}\s+the\s+only\s+{alone(words.OPTIONS + '|one|answer')}\s+(?:that|which)\s"
    rf"(?!\s*{alone(words.WRONG)})|(?:the|die|la|le|l'|el|il)\s+{alone(words.RIGHT)}|{alone(words.RIGHT)}\s+(?:ist|wäre|sei)\b)"
    rf"|\s*(?:{COPULA_JOINED}){{0,6}}\s*(?:{words.RIGHT_JOINED})"
)
LISTED_WRONG = re.compile(rf"[.):]\s*{alone(words.WRONG)}")
LISTED_RIGHT = re.compile(rf"[.):]\s*{alone(words.RIGHT)}\s*(?:$|[\n.,;!])")
TAKEN_BACK = re.compile(
    r"아니|아닙|아닌|않|ではな|ではあり|じゃな|değil|नहीं|নয়|不正|ไม่|"
    r"\b(?:not|it is wrong|if|wenn|si)\b"
)
WORD = re.compile(rf"[{LATIN}\w'’-]{{2,30}}")
DENIES = re.compile(alone(f"{words.WRONG}|{words.AGAINST}|{words.IF}|{words.JOINS}"))
LATIN_LETTER = re.compile(rf"[{LATIN}]")
SINGULAR = re.compile(r"\s+(?:is|has|says|ist|est|es|è|é)\b")
"""Follows the second of two letters if that begins its own clause ("B, A is the mass")."""
VERB = re.compile(rf"\s*{alone(COPULA + '|has|have|says|states|ignores|describes')}")
CONNECTED = re.compile(rf"\s+{alone(words.CONNECTORS)}\s*\S")
BECAUSE = re.compile(
    r"[\s,]*"
    + alone(
        r"because|since|as|due|weil|da|denn|car|parce|puisque|porque|pues|ya|perché|poiché|pois|"
        r"omdat|want|потому|так|vì|karena|bo|ponieważ|çünkü|eftersom|fordi|koska",
        r"因为|因為|なぜなら|왜냐",
    )
    + r"\s*\S|[\s,]+"
    + alone(r"not|rather\s+than|instead\s+of|nicht|pas|no|non|não|niet|不是")
    + r"\s+\(?[a-z]\b"
)
CLOSED = re.compile(r"\s*(?:$|\n|[.,;:!)\]、。，；：！।؟،…]|[-–—](?!\w)|\()")
INITIALS = re.compile(r"[A-Z]\.\s?[A-Z]\.\s?[A-Z][a-z]")
PARTED = re.compile(r"\s*(?:[|→]|=>|->|/\s)")
"""Separates a letter at the start of a reply from its option's text: "B | Paris"."""
CUT_REASON = re.compile(r"\s+(?:because|since|as)\s*$")
"""``**D** because``: a reply cut before its reason."""
ENDS = re.compile(r"[.)!。]*\s*(?:$|\n)")
OPENING = re.compile(r"[\s\-–—•·>#*:→✅✔☑(\[\"']*(?:\d{1,3}[.)]\s+)?")
SENTENCE = re.compile(
    r"[.!?;。！？；।](?=\s|$)|[。！？।\n]|,?\s(?:but|however|aber|mais|pero|ma|mas|но)\s"
)
HEDGE = re.compile(alone(f"{words.HEDGE}|{words.OTHERS}", words.HEDGE_JOINED))
OTHERS = re.compile(alone(words.OTHERS))
IF = re.compile(rf"(?:{alone(words.IF, words.IF_JOINED)})[^,，、]*$")
CORRECTED = re.compile(
    r"(?:^|(?<=[.,!?;:…—\s]))"
    + alone(
        r"no(?:\s+wait)?|wait(?:\s+no)?|actually|correction|sorry|hmm+|rather|oops|nein|moment|"
        r"non|нет|não|anzi"
    )
    + r"\s*[,:—–…-]\s*(?:(?:it\s+is|it's|it\s+must\s+be|i\s+mean)\s+)?(?:option\s+)?"
)
"""Precedes the letter that replaces another one: "A? No, B.", "... wait, it's B."."""
CONSIDERED = re.compile(
    r"(?:consider(?:ing)?|examin(?:e|ing)|check(?:ing)?|evaluat(?:e|ing)|analy[sz](?:e|ing)|"
    r"look(?:ing)?\s+at|review(?:ing)?|test(?:ing)?|start(?:ing)?\s+with|try(?:ing)?)\s+"
    r"(?:(?:the|option|choice|answer|statement)\s+){0,2}\(?$"
)
"""Precedes a letter that is considered, not chosen: "Let me consider option A"."""
ASKING = re.compile(
    r"\s*(?:but\s+|so\s+|and\s+)?(?:is|are|does|do|did|can|could|would|should|might|must|will|was|what\s+(?:if|about)|why|"
    r"how\s+about)\b"
)
QUESTION = re.compile(r"[^.!?\n]{0,80}\?")
"""Runs from a letter to the end of the question about it."""
CORRECTION = re.compile(alone(words.CORRECTION, words.CORRECTION_JOINED))
NAMED = re.compile(rf"(?:(?<![{LATIN}])(?:{words.THINGS})\s+|(?:{words.THINGS_JOINED})\s?)$")
FIRST_WORD = re.compile(r"(?:^|[.!?]\s|\n)[\s*>-]*([A-Z][a-z]{2,30}) $")
NO_NAME = re.compile(
    rf"\w+ly|{words.LINKS}|{words.NOUNS}|{words.OPTIONS}|{words.CHOSEN}|{words.THEREFORE}|"
    rf"{words.CONNECTORS}|{words.IF}|{words.AGAINST}|{words.HEDGE}|{words.BUT}|{words.CORRECTION}|"
    rf"{words.LIKE_OPTIONS}"
)
"""Words that may begin a sentence before its letter: "Option B", "Clearly B"."""
LISTED = re.compile(r"(?:^|\s)\(?([A-Z])(?:[).:](?=\s|\S)|[ \t]*(?=\n|$))")
