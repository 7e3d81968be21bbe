"""Make third-party text safe to display in terminals, logs, errors and documents.

The name of a task, column or model in a file may contain escape codes, line breaks and direction
marks, and may have any length. All such text is passed through this module before it is shown:
:func:`name` for a name, :func:`sentence` for a line that contains names, :func:`visible` for a text
of several lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TEXT_LIMIT = 2_000
"""Maximum number of characters shown of a prompt or an answer."""
NAME_LIMIT = 80
"""Maximum number of characters shown of a name, or of a word in a sentence."""
HEAD_SHARE = 0.7
"""Share of a shortened text taken from its beginning; the rest is its end, where answers are."""

_CODES = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Control and direction characters, fillers and other zero-width characters."""
_HIDDEN = re.compile(f"[{_CODES}]")
# Joiners form Persian words and emoji of several characters in an answer; a name needs none.
_HIDDEN_IN_NAMES = re.compile(f"[{_CODES}\u200c\u200d\ufe0e\ufe0f]")
_LONG_WORD = re.compile(rf"[^\s/]{{{NAME_LIMIT + 1},}}")


def visible(text: object, limit: int = TEXT_LIMIT) -> str:
    """``text`` shortened to ``limit`` characters, with control and direction characters escaped.

    Newlines and tabs are kept (a carriage return before a newline is dropped). A NUL reads
    ``⟨U+0000⟩``, a right-to-left override ``⟨U+202E⟩``. A shortened text keeps both ends and says
    how much is missing.
    """
    whole = str(text)
    if len(whole) > limit:
        head = int(limit * HEAD_SHARE)
        missing = len(whole) - limit
        note = f"\n[… cut here: {missing:,} of {len(whole):,} characters not shown …]\n"
        whole = whole[:head] + note + whole[len(whole) - (limit - head) :]
    return _HIDDEN.sub(_spelled, whole.replace("\r\n", "\n"))


def name(text: object) -> str:
    """A task, column, file or model name on one line, at most :data:`NAME_LIMIT` characters.

    >>> name("a\\x1b[31m red\\nname"), len(name("x" * 500))
    ('a⟨U+001B⟩[31m red name', 80)
    """
    return _cut(_line(str(text)[: 10 * NAME_LIMIT]))


def listed(names: Sequence[str], most: int) -> str:
    """ "a", "a and b", or "a, b, c and 4 more" if ``most`` is 3."""
    shown = [name(text) for text in names[:most]]
    if (left := len(names) - most) > 0:
        return f"{', '.join(shown)} and {left} more"
    *first, last = shown
    return f"{', '.join(first)} and {last}" if first else last


def sentence(text: object, limit: int = TEXT_LIMIT) -> str:
    """A line that may contain names: no control character, no word above :data:`NAME_LIMIT`.

    Each component of a path counts as a word, so that a path can be copied.
    """
    whole = str(text)
    if len(whole) > limit:
        whole = f"{whole[: limit - 1]}…"
    return _LONG_WORD.sub(lambda found: _cut(found[0]), _line(whole))


def _line(text: str) -> str:
    if not text.isprintable():  # printable text, the usual case, can only contain a few fillers
        text = " ".join(text.split())
    return " ".join(_HIDDEN_IN_NAMES.sub(_spelled, text).split())


def _cut(text: str) -> str:
    return text if len(text) <= NAME_LIMIT else text[: NAME_LIMIT - 1] + "…"


def _spelled(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"
