"""The passages of responses in which two models differ most, for a person to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .labels import Labels
from .position_shifts import PositionShifts
from .typed_record import record

WINDOW = 64
"""Length of a passage in tokens: a few lines of text."""
PASSAGES = 12
"""Maximum number of passages per probe."""
PASSAGES_OF_ONE = 2
"""Maximum number of passages per benchmark."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows ``start`` to ``stop`` (exclusive) of the positions, all in the same text."""

    text: int
    start: int
    stop: int
    mean_js: float


@record()
class Passage:
    """A passage of a response: each token's text and the JS (nats) at its position."""

    text: int
    benchmark: str
    start: int
    mean_js: float
    tokens: tuple[tuple[str, float], ...]


def most_shifted(
    text_N: NDArray[np.integer[Any]],
    js_N: NDArray[np.floating[Any]],
    *,
    window: int = WINDOW,
) -> list[Window]:
    """The window of each text with the largest summed JS, sorted by mean JS, largest first.

    A text shorter than ``window`` is a single window, but its mean is still taken over ``window``
    positions, so that one unusual token doesn't outrank a paragraph. Positions are ordered by text.
    """
    starts_N = np.flatnonzero(np.diff(text_N, prepend=-1))
    found = []
    for start, stop in zip(starts_N, [*starts_N[1:], len(text_N)], strict=True):
        width = min(window, stop - start)
        total_N = np.concatenate([[0.0], np.cumsum(js_N[start:stop], dtype=np.float64)])
        sums_N = total_N[width:] - total_N[:-width]
        at = int(start + sums_N.argmax())
        found.append(Window(int(text_N[start]), at, at + int(width), sums_N.max() / window))
    return sorted(found, key=lambda w: (-w.mean_js, w.text))


def passages_of(
    positions: PositionShifts, decode: Callable[[int], str], labels: Labels
) -> tuple[Passage, ...]:
    """The most shifted windows, a few per benchmark; ``decode`` gives the text of a token id."""
    place_N = positions.place_N
    found: list[Passage] = []
    shown: Counter[str] = Counter()
    for window in most_shifted(positions.text_N, positions.js_N):
        name = labels.of_text(window.text)
        if len(found) == PASSAGES:
            break
        if name and shown[name] == PASSAGES_OF_ONE:
            continue
        shown[name] += 1
        rows = slice(window.start, window.stop)
        pairs = zip(positions.token_N[rows].tolist(), positions.js_N[rows].tolist(), strict=True)
        found.append(
            Passage(
                text=window.text,
                benchmark=name,
                start=int(place_N[window.start]),
                mean_js=window.mean_js,
                tokens=tuple((decode(token), round(js, 5)) for token, js in pairs),
            )
        )
    return tuple(found)
