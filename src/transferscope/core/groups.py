"""How the groups of the shipped suites are called in a sentence."""

from __future__ import annotations

from .shown import name

GROUP_NAMES = {"other": "other reasoning", "non": "non-reasoning"}
"""Reading names; other groups read as they are called."""


def group_name(group: str) -> str:
    """How a group is called in a sentence."""
    return GROUP_NAMES.get(group) or name(group)
