"""pydantic's errors, reworded for users who write the TOML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LARGEST = 1e15
"""Whole numbers up to this are spelled out in the remedy; a larger float is not exact."""


def reason(error: ErrorDetails) -> str:
    """What is wrong with a value. ``1e3`` is a float in TOML, so the message gives the digits."""
    given = error["input"]
    if error["type"].startswith("int_") and isinstance(given, float):
        exact = given.is_integer() and abs(given) <= LARGEST
        return f"{given} is not a whole number" + (f": write {int(given)}" if exact else "")
    return error["msg"].removeprefix("Value error, ")
