"""The windows of responses in which two models part most, for a person to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOW = 64
"""Positions of a passage: a few lines of text."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows ``start`` to ``stop`` (exclusive) of the positions; all of one text."""

    text: int
    start: int
    stop: int
    mean_js: float


def most_shifted(
    text_N: NDArray[np.integer[Any]],
    js_N: NDArray[np.floating[Any]],
    *,
    window: int = WINDOW,
) -> list[Window]:
    """Each text's window of largest summed JS, the largest mean JS first.

    A text shorter than ``window`` is one window, and its mean is over ``window`` positions all the
    same: one odd token doesn't outrank a paragraph. Positions come text by text.
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
