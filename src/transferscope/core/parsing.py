"""JSON read strictly: what one reader takes and the next refuses is refused.

A repeated key (which value counts?), and nesting beyond :data:`MAX_DEPTH`: whatever walks
over such a value would run out of stack. NaN and Infinity pass: lm-eval and Inspect write them for
"no score".
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from .shown import name

MAX_DEPTH = 100
"""Objects and arrays inside each other; results of harnesses have about ten."""
MAX_DIGITS = 300
"""Of a whole number; beyond it it is read as Infinity, as 1e400 is: no float could hold it."""


def too_deep(value: Any) -> bool:
    """Whether objects and arrays lie inside each other beyond :data:`MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for whole in level
            if isinstance(whole, dict | list)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
        if not level:
            return False
    return any(isinstance(whole, dict | list) for whole in level)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"key '{name(twice)}' occurs twice in one object")
    return found


def _whole(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        return -math.inf if digits.startswith("-") else math.inf
    return int(digits)


DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=_whole)
"""Raises ``ValueError``, or ``RecursionError`` far beyond :data:`MAX_DEPTH`."""
