"""One of n shares of a long job, named as in ``--shard 2/8``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from .errors import InputError

T = TypeVar("T")
SHOWN = 8
"""Number of missing shards that a message lists."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard number ``number`` (from 1) out of ``of``."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse ``"2/8"``. Raises :class:`InputError` for anything else."""
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text.strip())
        number, of = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= of:
            remedy = "give i/n with 1 <= i <= n <= 9999, like 2/8"
            raise InputError(f"{text!r} is not a shard", remedy=remedy)
        return cls(number, of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def of_units(self, units: Sequence[T]) -> list[T]:
        """Return this shard's units: every n-th, beginning with number i."""
        return list(units[self.number - 1 :: self.of])


WHOLE = Shard(1, 1)


def all_shards(of: int) -> list[Shard]:
    """Return shards 1 to ``of``."""
    return [Shard(number, of) for number in range(1, of + 1)]


def listed(shards: Sequence[str]) -> str:
    """List the first few shards and the number of further ones."""
    more = len(shards) - SHOWN
    return ", ".join(shards[:SHOWN]) + (f" and {more} more" if more > 0 else "")
