"""Foreign text made safe to show: model answers, prompts and names are hostile until escaped.

Three doors: HTML (Jinja's autoescape after :func:`visible`), JSON inside a ``<script>`` element
(:func:`script_json`), and Markdown table cells (:func:`markdown_cell`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

TEXT_LIMIT = 2_000
"""Characters shown of a prompt or an answer."""
NAME_LIMIT = 120
"""Characters shown of a name, a reason or a note's subject."""
TOKEN_LIMIT = 40
"""Characters shown of a vocabulary entry."""
HEAD_SHARE = 0.7
"""Share of a cut text that is its beginning; the rest is its end, where answers stand."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufe00-\ufe0d\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)

_NEGATIVE = re.compile(r"(?<![^\s(])-(?=\d)")
"""An ASCII minus before a number; inside a word it is a hyphen."""


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


def _spelled(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"


def name(text: object) -> str:
    """A model's, benchmark's or item's name on one line, at most :data:`NAME_LIMIT` characters."""
    line = " ".join(visible(text, 10 * NAME_LIMIT).split())
    return line if len(line) <= NAME_LIMIT else line[: NAME_LIMIT - 1] + "…"


def token(text: object) -> str:
    """A vocabulary entry with its white space drawn."""
    whole = str(text)
    cut = whole if len(whole) <= TOKEN_LIMIT else whole[: TOKEN_LIMIT - 1] + "…"
    drawn = visible(cut).replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")
    return drawn or "(empty)"


def minus(text: str) -> str:
    """A sentence whose negative numbers have the sign that the tables beside it have.

    >>> minus("the bound -8.1 lies below -4.0 on gpt-4 (change -3.0)")
    'the bound −8.1 lies below −4.0 on gpt-4 (change −3.0)'
    """
    return _NEGATIVE.sub("\u2212", text)


def finite(value: Any) -> Any:
    """``value`` with NaN and infinities replaced by ``None``, at any depth: valid JSON."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def script_json(value: Any) -> str:
    """JSON that can stand inside a ``<script>`` element, whatever strings it holds."""
    # ensure_ascii leaves no U+2028 or U+2029 behind.
    text = json.dumps(finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def markdown_cell(text: object) -> str:
    """``text`` as one table cell of GitHub's Markdown: no cell, line, tag or mention breaks out."""
    return re.sub(r"([\\`|*_\[\]~$!#])", r"\\\1", markdown_html(text))


def markdown_html(text: object) -> str:
    """``text`` inside an HTML line of Markdown, where backslashes would show."""
    line = name(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A word joiner keeps GitHub from linking addresses and from notifying people.
    return line.replace("@", "@\u2060").replace("://", ":\u2060//")
