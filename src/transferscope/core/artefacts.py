"""Artefacts: ways in which an answer fails that say little about what the model knows.

A detector is one function and one line in :data:`DETECTORS`. Detectors here look at one response
alone; those that need the base's responses (style, script) belong to ``compare``.

>>> flags_of("12", finish="length")
Flagged(flags=('truncated',), inferred=())
>>> flags_of("so 4. " * 30)
Flagged(flags=('looped',), inferred=('looped',))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

LOOP_TAIL = 4096
"""Characters at a response's end in which a loop is looked for: hostile input stays bounded."""
LOOP_REPEATS = 4
"""A unit must stand at the end at least this often."""
LOOP_CHARS = 80
"""The repetition must cover at least this many characters, so that "1 + 1 + 1 + 1" is no loop."""
LOOP_SHARE = 0.2
"""... and at least this share of the tail."""


class Flagged(NamedTuple):
    """Names of the artefacts seen; ``inferred`` are those deduced from the text alone."""

    flags: tuple[str, ...]
    inferred: tuple[str, ...]


def empty(text: str) -> bool:
    """No visible character."""
    return not text.strip()


def looped(text: str) -> bool:
    """One unit is repeated up to the end of the text; the last repetition may be cut anywhere.

    A suffix with period p (its characters equal those p further left) is p + Z[p] characters
    long, Z being the Z-function of the reversed tail. It is a loop when it holds
    :data:`LOOP_REPEATS` units, :data:`LOOP_CHARS` characters and :data:`LOOP_SHARE` of the tail.
    Linear in :data:`LOOP_TAIL`, whatever the text's length.
    """
    tail = text[-2 * LOOP_TAIL :].rstrip()[-LOOP_TAIL:]
    needed = max(LOOP_CHARS, LOOP_SHARE * len(tail))
    if len(tail) < needed:
        return False
    return any(
        period + matched >= max(needed, LOOP_REPEATS * period)
        for period, matched in enumerate(_z_function(tail[::-1]))
        if period
    )


def truncated(finish: str | None) -> bool:
    """The token limit cut the answer; only an engine that records how it ended knows."""
    return finish == "length"


DETECTORS: dict[str, Callable[[str], bool]] = {"empty": empty, "looped": looped}
"""Flag name to a detector over the response text."""


def flags_of(text: str, *, finish: str | None = None) -> Flagged:
    """Flags of one response. ``finish`` as in :class:`~transferscope.core.records.Generation`."""
    inferred = tuple(name for name, detect in DETECTORS.items() if detect(text))
    recorded = ("truncated",) if truncated(finish) else ()
    return Flagged(recorded + inferred, inferred)


def _z_function(text: str) -> list[int]:
    """Z[i]: length of the longest common prefix of ``text`` and ``text[i:]``; Z[0] = 0."""
    length = len(text)
    z = [0] * length
    left = right = 0
    for i in range(1, length):
        run = min(right - i, z[i - left]) if i < right else 0
        while i + run < length and text[run] == text[i + run]:
            run += 1
        z[i] = run
        if i + run > right:
            left, right = i, i + run
    return z
