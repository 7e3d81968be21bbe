"""Make untrusted text safe to show: model answers, prompts and names may be hostile.

There are three targets: HTML (Jinja's autoescape after :func:`visible`), JSON inside a ``<script>``
element (:func:`script_json`), and Markdown table cells (:func:`markdown_cell`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from ..core.shown import TEXT_LIMIT, name, sentence, visible

__all__ = [
    "TEXT_LIMIT",
    "finite",
    "markdown_cell",
    "markdown_html",
    "markdown_line",
    "minus",
    "name",
    "script_json",
    "sentence",
    "token",
    "visible",
]

TOKEN_LIMIT = 40
"""Maximum number of characters shown of a vocabulary entry."""
SENTENCE_LIMIT = 4_000
"""Maximum number of characters of a sentence in Markdown."""
_MARKS = re.compile(r"([\\`|*_\[\]~$!#])")
_LINKED = re.compile(
    r"@|www(?=\.)|:(?=//)|\b(?:mailto|xmpp)(?=:)|#(?=\d)|\bGH-(?=\d)", re.IGNORECASE
)
"""Places for a word joiner, which keeps GitHub from linking addresses or notifying people."""
_NEGATIVE = re.compile(r"(?<![^\s(])-(?=\d)")
"""An ASCII minus sign before a number, but not a hyphen inside a word."""


def token(text: object) -> str:
    """A vocabulary entry with its white space made visible."""
    whole = str(text)
    cut = whole if len(whole) <= TOKEN_LIMIT else whole[: TOKEN_LIMIT - 1] + "…"
    drawn = visible(cut).replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")
    return drawn or "(empty)"


def minus(text: str) -> str:
    """A sentence with the typographic minus sign, as in the tables, before negative numbers.

    >>> minus("the lower bound, -8.1, is below -4.0 on gpt-4 (change -3.0)")
    'the lower bound, −8.1, is below −4.0 on gpt-4 (change −3.0)'
    """
    return _NEGATIVE.sub("\u2212", text)


def finite(value: Any) -> Any:
    """Replace NaN and infinities by ``None`` at any depth, so that ``value`` is valid JSON."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def script_json(value: Any) -> str:
    """JSON that is safe inside a ``<script>`` element, whatever strings it contains."""
    # ensure_ascii also escapes U+2028 and U+2029.
    text = json.dumps(finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def markdown_cell(text: object) -> str:
    """Escape ``text`` for a table cell of GitHub's Markdown: no new cell, line, tag or mention."""
    return _MARKS.sub(r"\\\1", markdown_html(text))


def markdown_html(text: object) -> str:
    """Escape ``text`` for HTML inside Markdown, where backslashes would be visible."""
    return _unlinked(name(text))


def markdown_line(text: object) -> str:
    """Escape a sentence like a cell, but without truncating it to the length of a name."""
    return _MARKS.sub(r"\\\1", _unlinked(sentence(text, SENTENCE_LIMIT)))


def _unlinked(line: str) -> str:
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINKED.sub(lambda found: f"{found[0]}\u2060", line)
