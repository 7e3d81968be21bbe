"""Recognise files that can't be read: empty, truncated, a pointer to another file, a web page.

A reader that fails on a file calls :func:`damage_of` first: "not valid JSON" does not help a user
whose download was interrupted or whose clone contains Git LFS pointers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LFS = "version https://git-lfs.github.com/spec/v1"
AGAIN = "copy or download it again"
HEAD = 1_000
"""Number of characters at the start of a file that are read to recognise it."""
BLANK = "\ufeff \t\r\n"
_PART = re.compile(
    r'"(?:[^"\\]|\\.)*\\?'  # an unterminated string
    r"|-|[.eE][+-]?|tr?u?|fa?l?s?|nu?l?|u?[0-9a-fA-F]{0,4}",
    re.DOTALL,
)
"""The rest that a decoder leaves when the text ends within a value or an escape sequence."""


class Damage(NamedTuple):
    """What is wrong with the file, and the remedy."""

    what: str
    remedy: str | None = AGAIN


_BLANK = re.compile(rf"[{BLANK}]*$")
_KINDS = [
    (_BLANK, Damage("is empty")),
    (
        re.compile(rf"[{BLANK}]*{re.escape(LFS)}"),
        Damage("is a Git LFS pointer, not the file itself", "run: git lfs pull"),
    ),
    (
        re.compile(r"\s*(\.\./)*(\.git/|/)annex/objects/\S+\s*$"),
        Damage("is a git-annex pointer, not the file itself", "run: git annex get"),
    ),
    (
        re.compile(rf"[{BLANK}]*<(!doctype\s+html|html)\b", re.IGNORECASE),
        Damage("is a web page, not the file itself", "download the raw file"),
    ),
    (re.compile(r"\0+$"), Damage("contains only null characters: its content was never saved")),
    (
        re.compile("<{7} "),
        Damage("contains merge conflict markers", "resolve the conflict and save it again"),
    ),
]


def damage_of(text: str, *, at: int | None = None) -> Damage | None:
    """What ``text`` is instead of the expected content, or ``None`` if it is not recognised.

    ``text`` is the whole file, its start, or one line. ``at`` is the position at which a JSON
    decoder failed. JSON that ends before its last bracket or quote is closed counts as truncated.

    >>> damage_of("version https://git-lfs.github.com/spec/v1\\noid sha256:1\\n").remedy
    'run: git lfs pull'
    >>> damage_of('{"a": ', at=6).what
    'not valid JSON: it is cut off in the middle of a value'
    """
    head = text[:HEAD]
    for pattern, found in _KINDS:
        if pattern.match(head) and (pattern is not _BLANK or not text.strip(BLANK)):
            return found
    if at is not None and _opened_at_the_end(text, at):
        return Damage("not valid JSON: it is cut off in the middle of a value", None)
    return None


def _opened_at_the_end(text: str, at: int) -> bool:
    """Whether the decoder failed because ``text`` ended, and not because of its content.

    If the text ends within a string, the decoder reports the start of the string; if it ends within
    a name or number, the start of that.
    """
    rest = text[at:].rstrip("\0 \t\r\n")
    return not rest or _PART.fullmatch(rest) is not None
