"""Read values of third-party JSON: each has the wanted type, or an empty value is returned."""

from __future__ import annotations

import math
from typing import Any


def mapping(value: object) -> dict[str, Any]:
    """``value`` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def number(value: object) -> float | None:
    """A finite number or true/false as a float; ``None`` for anything else."""
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return found if math.isfinite(found) else None


def listed(value: object) -> list[Any]:
    """``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def share(value: object) -> float | None:
    """A number within 0..1, else ``None``."""
    found = number(value)
    return found if found is not None and 0.0 <= found <= 1.0 else None


def count(value: object) -> int | None:
    """A whole number above 0, else ``None``."""
    return value if type(value) is int and value > 0 else None


def text(value: object) -> str | None:
    """A non-empty text, else ``None``."""
    return value if isinstance(value, str) and value else None
