"""How much of a loss lies in answers that were flagged: cut off, looped, never found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..runs import Pairing
from .items import artefacts_of

NOTABLE = 1.0 / 3.0
"""Share of a loss from which on flagged answers are named beside it."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """``points`` of a weighted mean change that come from items with a flagged answer.

    ``flags``: how many answers of the tuned model carry which flag, the most frequent first.
    """

    points: float
    flags: Mapping[str, int] = field(default_factory=dict)

    def said(self, change: float) -> str:
        """One clause, where flagged answers hold a third of a loss of ``change`` points or more."""
        if change >= 0 or self.points > NOTABLE * change:
            return ""
        kinds = ", ".join(f"{name} {count}" for name, count in self.flags.items())
        lost = f"{-self.points:.1f} of the {-change:.1f} points lost are in flagged answers"
        return f"{lost} ({kinds})" if kinds else f"{lost} of the base"


def flagged_of(pairing: Pairing, share_B: Mapping[str, float]) -> Flagged:
    """The flagged part of a mean change over benchmarks with these shares (sum 1).

    Benchmarks of which only scores are known have no part in it: nothing tells.
    """
    points = 0.0
    flags: Counter[str] = Counter()
    for name, share in share_B.items():
        if (part := pairing.benchmarks.get(name)) is not None:
            found = artefacts_of(part)
            points += share * found.points
            flags.update(found.tuned_flags)
    return Flagged(points, dict(flags.most_common()))
