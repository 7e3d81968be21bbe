r"""Which part of a reply is the program.

>>> program_in("First try:\n```python\nx = 1\n```\nBetter:\n```python\nx = 2\n```")
'x = 2\n'
"""

from __future__ import annotations

import re

from ..core.thinking import without_thinking

_FENCE = re.compile(r"^[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n`]*$", re.M)
_LANGUAGES = frozenset({"", "python", "python3", "py", "python2", "pypy", "pypy3"})


def program_in(reply: str, function: str = "") -> str:
    """The last fenced block of Python in ``reply``; without any block, the whole reply.

    Reasoning is left out. A block without a language counts as Python. If ``function`` is given and
    a block defines it, the last one of these is taken: the last block of a reply may only show how
    it is called. A block that is never closed counts only if no block is closed.
    """
    text = without_thinking(reply)
    closed, opened = _blocks(text)
    blocks = closed or opened
    defining = [block for block in blocks if function and _defines(block, function)]
    if defining or blocks:
        return (defining or blocks)[-1]
    return text if not _FENCE.search(text) else ""


def _defines(block: str, function: str) -> bool:
    return bool(re.search(rf"\bdef\s+{re.escape(function)}\s*\(", block))


def _blocks(text: str) -> tuple[list[str], list[str]]:
    """The closed blocks of Python, and the one that is never closed."""
    closed: list[str] = []
    start: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if start is None:
            start = fence
        elif fence["mark"].startswith(start["mark"]) and not fence["language"]:
            if start["language"].lower() in _LANGUAGES:
                closed.append(text[start.end() + 1 : fence.start()])
            start = None
    if start is not None and start["language"].lower() in _LANGUAGES:
        return closed, [text[start.end() + 1 :]]
    return closed, []
