"""Artefacts that show only against the base's answers to the same items: style and script.

Tuning on a text transfers its openings and its script, even where neither
helps (docs/science.md section 3). Without the base's answers they are not measured.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

OPENING_WORDS = 3
"""Words that make an opening."""
COMMON = 0.5
"""An opening that at least this share of the tuned model's answers have is its style ..."""
UNUSED = 0.05
"""... where at most this share of the base's answers have it."""
FEWEST = 20
"""Answers on either side below which nothing is said about style."""
LETTERS = 10
"""Letters that an answer needs to have a script."""
SCRIPT_CHARS = 2_000
"""Characters in which it is looked for."""

OPENING_CHARS = 200
"""Characters in which an opening is looked for."""
CACHED = 4096
"""Openings and scripts kept: a base's answers are asked for once per tuned model."""

STYLE, SCRIPT = "style_opening", "script_change"
_OPENING = re.compile(r"\W*(\w+)" + r"\W+(\w+)" * (OPENING_WORDS - 1))
_TEN_LETTERS = re.compile(f"(?:[^a-zA-Z]*[a-zA-Z]){{{LETTERS}}}")


def style_openings(base: Sequence[str], tuned: Sequence[str]) -> tuple[bool, ...]:
    """Per tuned answer: it begins with the opening that tuning brought.

    An opening is the first three words, case ignored. It is brought when at least half of the
    tuned model's answers begin with it and at most 5 % of the base's do; at least 20 answers on
    either side. Several answers can't share two such openings, so there is one at most.
    """
    ours = [_opening(text[:OPENING_CHARS]) for text in tuned]
    theirs = Counter(_opening(text[:OPENING_CHARS]) for text in base)
    if min(len(ours), len(base)) < FEWEST:
        return (False,) * len(ours)
    counted = Counter(opening for opening in ours if opening)
    brought = {
        opening
        for opening, count in counted.most_common(2)
        if count >= COMMON * len(ours) and theirs[opening] <= UNUSED * len(base)
    }
    return tuple(opening in brought for opening in ours)


def script_changed(base: str, tuned: str) -> bool:
    """Both answers have a dominant script, and not the same one (Latin against Cyrillic, say)."""
    one, other = script(base[:SCRIPT_CHARS]), script(tuned[:SCRIPT_CHARS])
    return one is not None and other is not None and one != other


@lru_cache(maxsize=CACHED)
def script(text: str) -> str | None:
    """The script that most letters belong to, by their Unicode names; ``None`` below 10 letters.

    >>> script("Guten Tag, wie geht es?")
    'LATIN'
    """
    if text.isascii():  # most answers: no name has to be looked up
        return "LATIN" if _TEN_LETTERS.match(text) else None
    letters = [c for c in text if c.isalpha()]
    if len(letters) < LETTERS:
        return None
    counts = Counter(unicodedata.name(letter, "?").partition(" ")[0] for letter in letters)
    found = counts.most_common(1)[0][0]
    return _ONE_SCRIPT.get(found, found)


# Japanese is written in three scripts; Unicode calls Chinese characters CJK in all languages.
_ONE_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK"}


@lru_cache(maxsize=CACHED)
def _opening(text: str) -> tuple[str, ...]:
    found = _OPENING.match(text.casefold())
    return found.groups() if found else ()
