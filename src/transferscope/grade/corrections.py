"""Answers that are corrected right away: "The answer is 5, wait, no, it's 6."

>>> from .statements import run
>>> corrected("5, wait, no, it's 6.", run), corrected("5. No further step is needed.", run)
('6', None)
"""

from __future__ import annotations

import re
from collections.abc import Callable

_FILLER = r"(?:oh|ah|well|hmm+|hm|so|but)"
_SAYS = (
    r"(?:oops|whoops|wait(?!\s\d)|hold on|nope|"
    r"(?:no|nein|non|não|нет|不是|아니)(?!\s*[-\d$\\]|\s+[a-z]\s*=)|"
    r"sorry|pardon|actually|correction|"
    r"scratch that|strike that|make that|i mean|i meant|or rather|rather|my mistake|my bad|"
    r"my apologies|apologies|on second thought|let me correct (?:that|this|myself)|i was wrong|"
    r"i made a mistake|"
    r"(?:that|this)(?:['’]s| is| was)(?: wrong| not right| incorrect| a mistake)|"
    r"moment|doch|entschuldigung|vielmehr|en fait|plutôt|perdón|mejor dicho|"
    r"en realidad|desculpe|aliás|anzi|scusa|точнее|вернее|"
    r"不对|不對|等等|更正|抱歉|应该是|應該是|いや|訂正)"
)
_GAP = r"[\s,.;:!…*_~–—)(-]+"
_IT_IS = (
    r"(?:(?:so |actually )?(?:the )?(?:correct |right |real |actual |final )?"
    r"(?:answer |value |result )?"
    r"(?:it['’]s|it is|that['’]s|it should be|should be|it must be|must be|is|was|equals|es ist|"
    r"c['’]est|es|è|это|是|为)\s*:?\s+|是\s*)"
)
_CLAUSE = r"[\s,.:;]+(?:i|we|there|that|this|let me)\s[^.:;\n]{0,60}[.:;,]\s+"
_TAKEN_BACK = re.compile(
    rf"(?:^|(?<=[\s,.;:!…*_$–—)}}\]])|(?<=\d))(?:{_FILLER}{_GAP})*{_SAYS}(?:{_GAP}(?:{_SAYS}|{_FILLER}))*"
    rf"(?:[\s,.]+i\s+\w[^.:\n]{{0,40}}:\s*|{_CLAUSE}{_IT_IS}|(?:{_GAP}|(?<=是)){_IT_IS}?)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?]\s+\S|[。！？]\S|\n\s*\S")
_BEHIND = re.compile(r"\s*(?:$|[.!?,;)\n*$。，]|\\[)\]])")
_NEAR = 120
"""Most characters between an answer and its correction, or between two corrections."""


def corrected(
    content: str, read: Callable[[str], str | None], *, at_once: bool = False
) -> str | None:
    """Return the correction in ``content``, an answer and the text after it; ``None`` without one.

    ``read`` returns the formula at the start of a text. ``at_once``: only punctuation may precede
    the correction.
    """
    found, at = None, 0
    for cue in _TAKEN_BACK.finditer(content):
        between = content[at : cue.start()].strip(" .,;:!…*$-–—")
        if len(between) > _NEAR or _SENTENCE.search(between) or (at_once and between.strip("\\])")):
            break
        rest = content[cue.end() :]
        said = read(rest)
        if said and said in rest and _BEHIND.match(rest, rest.find(said) + len(said)):
            found, at, at_once = said, cue.end(), False
    return found
