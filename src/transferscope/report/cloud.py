"""Shifted tokens as a word cloud, drawn if the wordcloud package is installed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .escaping import token

if TYPE_CHECKING:
    from ..core.token_shift import ShiftedToken

COLOURS = {"logical": "#0072b2", "content": "#b34d00"}
"""Colours by kind; the page shows the image on white, where both have a contrast above 5."""
WORDS = 120


def word_cloud(shifted: Sequence[ShiftedToken]) -> bytes | None:
    """Return a PNG of the shifted tokens, sized by count and coloured by kind.

    The result is ``None`` without tokens or without the package (extra ``figures``). The same
    tokens always give the same image.
    """
    try:
        from wordcloud import WordCloud
    except ImportError:
        return None
    counts: dict[str, int] = {}
    kinds: dict[str, str] = {}
    for entry in shifted:
        word = token(entry.token.strip() or entry.token)
        counts[word] = counts.get(word, 0) + entry.count
        kinds.setdefault(word, entry.kind)
    if not counts:
        return None

    def colour(word: str, **_: Any) -> str:
        return COLOURS.get(kinds.get(word, ""), "#6b6b6b")

    cloud = WordCloud(
        width=1100,
        height=360,
        mode="RGBA",
        background_color=None,
        max_words=WORDS,
        color_func=colour,
        random_state=0,
        prefer_horizontal=1.0,
    )
    out = io.BytesIO()
    cloud.generate_from_frequencies(counts).to_image().save(out, format="PNG")
    return out.getvalue()
