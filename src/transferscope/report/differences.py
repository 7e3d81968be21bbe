"""Differences between runs, each stated once: notes that differ only in a name share a line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.shown import listed

NAMED = 6
"""Maximum number of names in a line."""
_NOTE = re.compile(r"(?P<before>(?:\S+: )*)(?P<name>\S+): (?P<rest>.+)", re.DOTALL)


def together(notes: Sequence[str]) -> list[str]:
    """Notes ``NAME: text`` or ``MODEL: NAME: text``; those with the same text (and model) merged.

    A merged line takes the place of its first note. Names that contain spaces are not merged.

    >>> together(["sums: cut", "a run: resumed", "chains: cut"])
    ['sums and chains: cut', 'a run: resumed']
    """
    found: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        match = _NOTE.fullmatch(note)
        key = (note, "") if match is None else (match["before"], match["rest"])
        found.setdefault(key, []).append("" if match is None else match["name"])
    return [
        f"{before}{listed(names, NAMED)}: {rest}" if rest else before
        for (before, rest), names in found.items()
    ]
