"""Repairs of IFEval's checkers that check something other than what their instruction says.

Three of the 25 checkers are wrong by a public report (sieval, pull request 104), a fourth here:

- ``length_constraints:nth_paragraph_first_word`` leaves blank paragraphs out of the count, but not
  when it looks for the n-th one. So after a blank paragraph it checks the wrong one.
- ``keywords:letter_frequency`` accepts only a to z and counts a random letter instead of "!" and
  "#", which two prompts ask for.
- ``change_case:english_capital`` detects the language of text in capitals, which the detector
  mistakes for other languages. Here it reads the same text in lower case.
- ``startend:end_checker`` takes emphasis marks after the end phrase for further words
  ("**That is all.**").

A repair rewrites the answer and leaves the verdict to the published checker, so that nothing else
changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

LETTERS = "keywords:letter_frequency"
END = "startend:end_checker"
FIRST_WORD = "length_constraints:nth_paragraph_first_word"
CAPITALS = "change_case:english_capital"
LOWER_CASE = "change_case:english_lowercase"
"""Its checker reads a text that :data:`CAPITALS` asked for, once that is in lower case."""


def without_emphasis(text: str) -> str:
    """Remove white space and emphasis marks at the end.

    >>> without_emphasis("So. **That is all.** ")
    'So. **That is all.'
    """
    return text.rstrip().rstrip("*_`~")


def without_blank_paragraphs(text: str) -> str:
    """Remove paragraphs without text.

    >>> without_blank_paragraphs("\\n\\nOne.\\n\\n  \\n\\nTwo.")
    'One.\\n\\nTwo.'
    """
    return "\n\n".join(part for part in text.split("\n\n") if part.strip())


MENDED: Mapping[str, Callable[[str], str]] = {
    LETTERS: str,
    END: without_emphasis,
    FIRST_WORD: without_blank_paragraphs,
    CAPITALS: str.lower,
}
"""What the published checker reads instead of the answer, by the instruction's id."""


def counted(variants: Sequence[str], asked: Mapping[str, Any]) -> bool | None:
    """Return the verdict for a character outside a to z; ``None`` if the published checker applies.

    Also ``None`` if the instruction doesn't say how often: the published checker then refuses or
    draws.
    """
    character, times = asked.get("letter"), asked.get("let_frequency")
    relation = asked.get("let_relation")
    if not isinstance(character, str) or not character or not isinstance(times, int):
        return None
    plain = len(character) == 1 and character.isascii() and character.isalpha()
    if plain or times < 0 or relation not in ("less than", "at least"):
        return None
    counts = [text.lower().count(character.lower()) for text in variants if text.strip()]
    return any(count < times if relation == "less than" else count >= times for count in counts)
