"""When an answer, or an item's mean over repeats, counts as correct. No numpy."""

from __future__ import annotations

from typing import Any, overload

RIGHT = 0.5
"""Score (0..1) from which on an answer is correct."""


@overload
def is_right(score: float) -> bool: ...
@overload
def is_right(score: Any) -> Any: ...
def is_right(score: Any) -> Any:
    """Whether a score in 0..1 is at least 1/2; elementwise for an array."""
    return score >= RIGHT
