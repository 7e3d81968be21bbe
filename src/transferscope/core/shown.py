"""Foreign text made safe to show: names and sentences for terminals, logs, errors and documents.

What a file calls a task, a column or a model may hold escape codes, line ends and direction marks,
and may be of any length. Every door to a reader goes through here: :func:`name` for a name,
:func:`sentence` for a line that holds names, :func:`visible` for a text of several lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TEXT_LIMIT = 2_000
"""Characters shown of a prompt or an answer."""
NAME_LIMIT = 80
"""Characters shown of a name, and of a word of a sentence."""
HEAD_SHARE = 0.7
"""Share of a cut text that is its beginning; the rest is its end, where answers stand."""

_CODES = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Control and direction characters, fillers and other characters without width."""
_HIDDEN = re.compile(f"[{_CODES}]")
# Joiners make words of Persian and pictures of several signs, in an answer; a name needs none.
_HIDDEN_IN_NAMES = re.compile(f"[{_CODES}\u200c\u200d\ufe0e\ufe0f]")
_LONG_WORD = re.compile(rf"[^\s/]{{{NAME_LIMIT + 1},}}")


def visible(text: object, limit: int = TEXT_LIMIT) -> str:
    """``text`` cut at ``limit`` characters, with control and direction characters spelled out.

    Newlines and tabs stay (a carriage return before a newline goes); a NUL reads ``⟨U+0000⟩``,
    a right-to-left override ``⟨U+202E⟩``. A cut text keeps both ends and says how much is missing.
    """
    whole = str(text)
    if len(whole) > limit:
        head = int(limit * HEAD_SHARE)
        missing = len(whole) - limit
        note = f"\n[… cut here: {missing:,} of {len(whole):,} characters not shown …]\n"
        whole = whole[:head] + note + whole[len(whole) - (limit - head) :]
    return _HIDDEN.sub(_spelled, whole.replace("\r\n", "\n"))


def name(text: object) -> str:
    """A task's, column's, file's or model's name: one line, at most :data:`NAME_LIMIT` characters.

    >>> name("a\\x1b[31m red\\nname"), len(name("x" * 500))
    ('a⟨U+001B⟩[31m red name', 80)
    """
    return _cut(_line(str(text)[: 10 * NAME_LIMIT]))


def listed(names: Sequence[str], most: int) -> str:
    """ "a", "a and b", "a, b, c and 4 more" where ``most`` is 3."""
    shown = [name(text) for text in names[:most]]
    if (left := len(names) - most) > 0:
        return f"{', '.join(shown)} and {left} more"
    *first, last = shown
    return f"{', '.join(first)} and {last}" if first else last


def sentence(text: object, limit: int = TEXT_LIMIT) -> str:
    """A line that may hold names: no control character, no word above :data:`NAME_LIMIT`.

    The parts of a path are words of their own, so that a path can be copied.
    """
    whole = str(text)
    if len(whole) > limit:
        whole = f"{whole[: limit - 1]}…"
    return _LONG_WORD.sub(lambda found: _cut(found[0]), _line(whole))


def _line(text: str) -> str:
    if not text.isprintable():  # most are, and then only a few fillers can hide in them
        text = " ".join(text.split())
    return " ".join(_HIDDEN_IN_NAMES.sub(_spelled, text).split())


def _cut(text: str) -> str:
    return text if len(text) <= NAME_LIMIT else text[: NAME_LIMIT - 1] + "…"


def _spelled(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"
