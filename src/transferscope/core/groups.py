"""Names of the shipped suites' groups for use in sentences."""

from __future__ import annotations

from .shown import name

GROUP_NAMES = {"other": "other reasoning", "non": "non-reasoning"}
"""Display names; all other groups keep their own names."""


def group_name(group: str) -> str:
    """The name of a group for use in a sentence."""
    return GROUP_NAMES.get(group) or name(group)
