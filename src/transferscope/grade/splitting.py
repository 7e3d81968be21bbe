"""Where an answer comes apart: its commas, equals signs and unions outside all brackets."""

from __future__ import annotations

import re

_OPEN, _CLOSE = "([{", ")]}"
_GROUPED = re.compile(r"(?<!\d)(?<!\d,)\d{1,3}(?:,\d{3})+(?![\d,]\d)")
_SEPARATOR = re.compile(r"[,;]|(?<![a-zA-Z\\])(?:and|or|und|oder|et|ou|y|o|e)(?![a-zA-Z])|或|和")
_WORD_SEPARATOR = frozenset(["y", "o", "e"])


def top_level(text: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """The matches of ``pattern`` in ``text`` that stand outside brackets of any kind.

    Brackets need not match in kind: ``[0,1)`` is one pair. One pass, linear in the text.
    """
    depths = []
    depth = 0
    for char in text:
        if char in _CLOSE:
            depth -= 1
        depths.append(depth)
        if char in _OPEN:
            depth += 1
    return [m for m in pattern.finditer(text) if depths[m.start()] <= 0]


def split(text: str, pattern: re.Pattern[str]) -> list[str]:
    """``text`` between the top-level matches of ``pattern``, stripped; at least one part."""
    parts, at = [], 0
    for found in top_level(text, pattern):
        parts.append(text[at : found.start()].strip())
        at = found.end()
    return [*parts, text[at:].strip()]


def items(text: str) -> list[str]:
    """The parts of a list: "1, 2 and 3" has three, "1,234" is one number."""
    grouped = [m.span() for m in _GROUPED.finditer(text)]
    parts, at, span = [], 0, 0
    for found in top_level(text, _SEPARATOR):
        while span < len(grouped) and grouped[span][1] <= found.start():
            span += 1
        if span < len(grouped) and grouped[span][0] <= found.start():
            continue  # the comma of 1,234
        if found[0] in _WORD_SEPARATOR and not _between_words(text, found):
            continue
        parts.append(text[at : found.start()].strip())
        at = found.end()
    parts.append(text[at:].strip())
    return [part for part in parts if part]


def _between_words(text: str, found: re.Match[str]) -> bool:
    """Spanish "2 y 3", no variable: numbers stand on both sides."""
    before, after = text[: found.start()].rstrip(), text[found.end() :].lstrip()
    spaced = text[found.start() - 1 : found.start()].isspace() and text[found.end() :][:1].isspace()
    return spaced and before[-1:].isdigit() and after[:1].isdigit()


def bracketed(text: str) -> tuple[str, str, str] | None:
    """Opening, content and closing where one pair of brackets encloses all of ``text``."""
    for opening, closing in (("\\{", "\\}"), ("\\langle", "\\rangle")):
        if text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : -len(closing)].strip()
            return None if opening in inner and _apart(inner) else (opening, inner, closing)
    if len(text) < 2 or text[0] not in "([" or text[-1] not in ")]":
        return None
    depth = 0
    for at, char in enumerate(text):
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth == 0:
            return (text[0], text[1:-1].strip(), text[-1]) if at == len(text) - 1 else None
    return None


def _apart(inner: str) -> bool:
    """Whether ``inner`` closes a bracket that it never opened: "1\\}, \\{2"."""
    depth = 0
    for char in inner:
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth < 0:
            return True
    return False
