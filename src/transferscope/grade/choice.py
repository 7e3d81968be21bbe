"""Grading of choices and named answers: which option a model chose, which fact a reply names.

The rules are strict on purpose. A reply that names two options has not chosen, and a reply that
never names the option has not answered. Text inside reasoning tags is never read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.thinking import without_thinking
from .choice_claims import Reply
from .choice_text import mentions, unwrapped

_CONCLUSION = re.compile(
    r"(?:(?:so|then|hence|thus|therefore|yes|no|ok(?:ay)?|sure|alright|right|well|indeed|"
    r"without\s+(?:a\s+)?doubt)[,:.!]?\s+){0,2}"
    r"(?:(?:it|that)(?:['’]s|\s+is|\s+must\s+be)\s+)?"
    r"(?:(?:option|choice|letter)\s+)?\(?(?P<letter>[B-Zb-z]|A)\)?(?:,?\s+not\s+\(?[A-Z]\)?)?[.!]*",
    re.IGNORECASE,
)
_BARE = re.compile(r"\(?[A-Z]\)?[.!]*")
UNKNOWN = 26
"""Number of options assumed if it is unknown; a bare "I" is then the pronoun."""


def most_likely(loglikelihoods: Sequence[float]) -> int:
    """Return the index of the largest log-likelihood (summed over tokens, not length-normalised).

    Ties go to the first. Raises :class:`ValueError` for an empty sequence.
    """
    if not loglikelihoods:
        raise ValueError("no options to choose from")
    return max(range(len(loglikelihoods)), key=lambda index: loglikelihoods[index])


def letter(response: str, options: int) -> str | None:
    r"""Return the letter a reply commits to, or ``None``; letters beyond ``options`` don't count.

    The first of these that is found decides: the last box that holds a letter; the last place where
    the reply calls a letter its answer, gives it a line of its own or begins with it; the last
    letter that it chooses or judges right; the only letter that it names as an option. A judgement
    after an answer counts if the reply corrects itself ("B. Wait, C is correct"). Two letters in
    one statement do not count as a choice. Sentences are read in some thirty languages
    (:mod:`.choice_words`). Only the start and end of a response longer than 24,000 characters are
    read.

    >>> letter("Die Antwort ist **B**, denn A ist falsch.", 4)
    'B'
    >>> letter(r"So $\boxed{\text{(C) } 42}$.", 4)
    'C'
    >>> letter("A matter of taste: A or B.", 4) is None
    True
    """
    text, boxes = unwrapped(response)
    bare_i = ord("I") - ord("A") < options < UNKNOWN
    for box in reversed(boxes):
        if (found := _boxed(box, options)) is not None:
            return found or None
    reply = Reply(text, options, bare_i=bare_i)
    claims = reply.claims()
    strong = [claim for claim in claims if claim.strong]
    weak = [claim for claim in claims if not claim.strong]
    if not strong:
        return weak[-1].letter if weak else reply.only_named() or _concluded(text, options)
    answer = strong[-1]
    if weak and weak[-1].at > answer.at and reply.corrected(answer.at, weak[-1].at):
        answer = weak[-1]
    return answer.letter


def names_only(response: str, gold: str, rivals: Sequence[str] = ()) -> bool:
    """Whether the reply names ``gold`` as whole words and none of ``rivals``.

    Case, reasoning blocks and a rival equal to ``gold`` are ignored.
    """
    said = without_thinking(response)
    if not _names(said, gold):
        return False
    return not any(_names(said, rival) for rival in rivals if _plain(rival) != _plain(gold))


def _boxed(box: str, options: int) -> str | None:
    """Return the letter in a box; empty for several letters, ``None`` if it holds a value."""
    found = mentions(box)
    if not found or found[0].start > 0:
        named = re.fullmatch(r"(?:option|choice|answer|letter)s?\W*(.*)", box, re.IGNORECASE)
        return _boxed(named[1], options) if named else None
    first, behind = found[0], box[found[0].end :].strip()
    if any(re.fullmatch(r"[\s,;/&]*(?:and|or)?\s*", box[first.end : m.start]) for m in found[1:2]):
        return ""
    digits = behind[:1].isdigit() and first.letter not in "AI"
    if behind and not first.marked and not digits and behind[0] not in ".):,;-–—":
        return None  # a value that begins with a letter: "C = 4", "x + 1", "A cat"
    return first.letter if ord(first.letter) - ord("A") < options else ""


def _concluded(text: str, options: int) -> str | None:
    """Return the letter of a last sentence that is only a conclusion: "So it's C."."""
    text = text.strip()
    last = re.split(r"(?<=[.!?])\s+|\n", text)[-1]
    found = _CONCLUSION.fullmatch(last)
    named = found["letter"].upper() if found and found["letter"] not in "aIi" else ""
    if found and _BARE.fullmatch(last):
        # "A great question! B." concludes; the end of a list or a "... A" cut off doesn't.
        before = text[: len(text) - len(last)]
        others = {m.letter for m in mentions(before) if not m.lower and m.letter not in "AI"}
        if before.endswith("\n") or others or (named == "A" and last[-1] not in ".!"):
            return None
    return named if named and ord(named) - ord("A") < options else None


def _plain(text: str) -> str:
    return text.strip().rstrip(".").strip().casefold()


def _names(text: str, phrase: str) -> bool:
    pattern = rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)"
    return re.search(pattern, text.casefold()) is not None
