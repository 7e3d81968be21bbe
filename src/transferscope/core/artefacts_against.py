"""Artefacts that only show in comparison with the base model's answers: style and script.

Tuning on a text transfers its opening phrases and its script, even where neither helps
(docs/science.md, section 3). Without the base model's answers they are not measured.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

OPENING_WORDS = 3
"""Number of words in an opening."""
COMMON = 0.5
"""An opening is a style if at least this share of the tuned model's answers begin with it ..."""
UNUSED = 0.05
"""... and at most this share of the base model's answers do."""
FEWEST = 20
"""With fewer answers on either side, style is not assessed."""
LETTERS = 10
"""Letters that an answer needs for its script to be determined."""
SCRIPT_CHARS = 2_000
"""Characters that are searched for the script."""

OPENING_CHARS = 200
"""Characters that are searched for the opening."""
CACHED = 4096
"""Cached openings and scripts: a base model's answers are looked up once per tuned model."""

STYLE, SCRIPT = "style_opening", "script_change"
_OPENING = re.compile(r"\W*(\w+)" + r"\W+(\w+)" * (OPENING_WORDS - 1))
_TEN_LETTERS = re.compile(f"(?:[^a-zA-Z]*[a-zA-Z]){{{LETTERS}}}")


def style_openings(base: Sequence[str], tuned: Sequence[str]) -> tuple[bool, ...]:
    """For each tuned answer, whether it begins with the opening that tuning introduced.

    An opening is the first three words, ignoring case. Tuning introduced it if at least half of the
    tuned model's answers and at most 5 % of the base model's begin with it, with at least 20
    answers on either side. At most one opening can meet this condition.
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
    """Whether both answers have a dominant script, but not the same (Latin and Cyrillic, say)."""
    one, other = script(base[:SCRIPT_CHARS]), script(tuned[:SCRIPT_CHARS])
    return one is not None and other is not None and one != other


@lru_cache(maxsize=CACHED)
def script(text: str) -> str | None:
    """The script of most letters, from their Unicode names; ``None`` for fewer than 10 letters.

    >>> script("Guten Tag, wie geht es?")
    'LATIN'
    """
    if text.isascii():  # true for most answers, which saves looking up names
        return "LATIN" if _TEN_LETTERS.match(text) else None
    letters = [c for c in text if c.isalpha()]
    if len(letters) < LETTERS:
        return None
    counts = Counter(unicodedata.name(letter, "?").partition(" ")[0] for letter in letters)
    found = counts.most_common(1)[0][0]
    return _ONE_SCRIPT.get(found, found)


# Japanese uses three scripts, and Unicode calls Chinese characters CJK in all languages.
_ONE_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK"}


@lru_cache(maxsize=CACHED)
def _opening(text: str) -> tuple[str, ...]:
    found = _OPENING.match(text.casefold())
    return found.groups() if found else ()
