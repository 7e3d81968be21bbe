"""The windows of responses in which two models differ most, for a person to read."""

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
"""Positions of a passage: a few lines of text."""
PASSAGES = 12
"""Passages kept of a probe."""
PASSAGES_OF_ONE = 2
"""Maximum number of passages per benchmark."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows ``start`` to ``stop`` (exclusive) of the positions; all of one text."""

    text: int
    start: int
    stop: int
    mean_js: float


@record()
class Passage:
    """A piece of a response: each token's text and the JS (nats) at its position."""

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
    """Each text's window of largest summed JS, the largest mean JS first.

    A text shorter than ``window`` is one window, but its mean is still taken over ``window``
    positions, so that one odd token doesn't outrank a paragraph. Positions come text by text.
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
    """The most shifted windows, a few of each benchmark; ``decode`` gives a token id's text."""
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
