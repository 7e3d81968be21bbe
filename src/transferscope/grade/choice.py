"""Choices and named answers: which option a model took, which fact a reply names.

Everything here is strict on purpose. A reply that names two options has not chosen, and a reply
that talks without naming the option has not answered. What stands inside of reasoning tags is
never read.
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
"""Number of options where nobody knows it: a bare "I" is the pronoun then."""


def most_likely(loglikelihoods: Sequence[float]) -> int:
    """Index of the largest log-likelihood (summed over tokens, not length-normalised).

    The first of equals wins. Raises :class:`ValueError` when there is nothing to choose from.
    """
    if not loglikelihoods:
        raise ValueError("no options to choose from")
    return max(range(len(loglikelihoods)), key=lambda index: loglikelihoods[index])


def letter(response: str, options: int) -> str | None:
    r"""The letter a reply commits to, or ``None``; one beyond the number of ``options`` is none.

    In this order: the last box that holds a letter; the last place where the reply calls a letter
    its answer, gives it a line of its own or begins with it; the last letter that it chooses or
    judges right; the only letter that it names as an option. A judgement behind an answer counts
    where the reply corrects itself ("B. Wait, C is correct"). Two letters in one breath are no
    choice. Sentences are read in some thirty languages (:mod:`.choice_words`). Of a response
    longer than 24,000 characters its start and end are read.

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

    A rival equal to ``gold`` is ignored, and so are case and what the model thought.
    """
    said = without_thinking(response)
    if not _names(said, gold):
        return False
    return not any(_names(said, rival) for rival in rivals if _plain(rival) != _plain(gold))


def _boxed(box: str, options: int) -> str | None:
    """The letter in a box; empty for several, ``None`` where it holds no letter but a value."""
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
    """The letter of a last sentence that is nothing but a conclusion: "So it's C."."""
    text = text.strip()
    last = re.split(r"(?<=[.!?])\s+|\n", text)[-1]
    found = _CONCLUSION.fullmatch(last)
    named = found["letter"].upper() if found and found["letter"] not in "aIi" else ""
    if found and _BARE.fullmatch(last):
        # "A great question! B." is one, the end of a list is none, nor is "... A", cut off.
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
