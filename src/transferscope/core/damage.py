"""What a file that can't be read really is: empty, cut off, a pointer, a web page.

A reader that fails on a file asks :func:`damage_of` first: "not valid JSON" does not
help a user whose download stopped or whose clone holds Git LFS pointers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LFS = "version https://git-lfs.github.com/spec/v1"
AGAIN = "copy or download it again"
HEAD = 1_000
"""Characters of a file's start that tell what it is."""
BLANK = "\ufeff \t\r\n"
_PART = re.compile(
    r'"(?:[^"\\]|\\.)*\\?'  # a string that nothing closes
    r"|-|[.eE][+-]?|tr?u?|fa?l?s?|nu?l?|u?[0-9a-fA-F]{0,4}",
    re.DOTALL,
)
"""What a decoder leaves where a value ends before it is whole: its start, or an escape's."""


class Damage(NamedTuple):
    """What is wrong with a file as a whole, and the remedy."""

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
    """What ``text`` is in the place of the content that was expected, ``None`` where unknown.

    ``text`` is the whole file, its start, or one line; ``at``: where a JSON decoder gave up. What
    ends before its last bracket or quote closes was cut off.

    >>> damage_of("version https://git-lfs.github.com/spec/v1\\noid sha256:1\\n").remedy
    'run: git lfs pull'
    >>> damage_of('{"a": ', at=6).what
    'not valid JSON: cut off in the middle of a value'
    """
    head = text[:HEAD]
    for pattern, found in _KINDS:
        if pattern.match(head) and (pattern is not _BLANK or not text.strip(BLANK)):
            return found
    if at is not None and _opened_at_the_end(text, at):
        return Damage("not valid JSON: cut off in the middle of a value", None)
    return None


def _opened_at_the_end(text: str, at: int) -> bool:
    """Whether the decoder failed because ``text`` ended, not because of its contents.

    Where it ends in a string the decoder names the string's start; where it ends in a name or a
    number, the start of that.
    """
    rest = text[at:].rstrip("\0 \t\r\n")
    return not rest or _PART.fullmatch(rest) is not None
