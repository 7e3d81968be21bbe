"""pydantic's findings in the words of those who write the TOML."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LARGEST = 1e15
"""Whole numbers up to this are written out in a remedy; above it a float is not exact."""


def reason(error: ErrorDetails) -> str:
    """What is wrong with a value. ``1e3`` is a float in TOML: the digits to write are said."""
    given = error["input"]
    if error["type"].startswith("int_") and isinstance(given, float):
        exact = given.is_integer() and abs(given) <= LARGEST
        return f"{given} is not a whole number" + (f": write {int(given)}" if exact else "")
    return error["msg"].removeprefix("Value error, ")
