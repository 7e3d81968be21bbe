"""``transferscope plan``: the number of items needed to detect a change of a given size."""

from __future__ import annotations

from math import isfinite

from ..core.errors import InputError
from ..core.power import items_for
from ..core.typed_record import Document, record

REACH = 100_000
"""More items than any suite has: the largest benchmarks have 10,000 to 15,000."""


@record()
class Plan(Document):
    """``n`` items detect a change of ``effect`` points if a share ``discordance`` of them flips.

    With 80 % power, by the exact McNemar test at two-sided 0.05.
    """

    effect: float
    discordance: float
    n: int

    @property
    def comment(self) -> str:
        """A remark if ``n`` is out of reach; else empty."""
        if self.n <= REACH:
            return ""
        return "out of reach: the largest benchmarks have about 15,000 items; plan a larger effect"


def plan(effect: float, discordance: float) -> Plan:
    """The plan for ``effect`` points at ``discordance``; see :func:`items_needed`."""
    return Plan(effect, discordance, items_needed(effect, discordance))


def items_needed(effect: float, discordance: float) -> int:
    """Fewest paired 0/1 items with which exact McNemar detects ``effect`` with 80 % power.

    ``effect`` in points, above 0. ``discordance``: the share (0..1) of items that one model gets
    right and the other wrong. The power is 78 to 82 % if any number of items has such a power
    (:func:`.power.items_for`). docs/science.md section 2. Raises :class:`InputError` for values
    outside these ranges, for an effect that is impossible at this discordance, and for one that
    would need more than 10^12 items.
    """
    if not (isfinite(effect) and 0.0 < effect <= 100.0):
        raise InputError(
            f"an effect of {effect:g} points is out of range",
            place="--effect",
            remedy="give points above 0, up to 100",
        )
    if not (isfinite(discordance) and 0.0 < discordance <= 1.0):
        raise InputError(
            f"a discordance of {discordance:g} is not a share of items",
            place="--discordance",
            remedy="give a share above 0 and up to 1, for instance 0.2",
        )
    if effect > 100.0 * discordance + 1e-9:
        raise InputError(
            f"no change of {effect:g} points is possible if {discordance:g} of the items flip",
            place="--discordance",
            remedy=f"give a discordance of at least {effect / 100.0:g}",
        )
    if discordance > 1e11 * (effect / 100.0) ** 2:  # whose square may be 0
        raise InputError(
            f"an effect of {effect:g} points would need more than 10^12 items",
            place="--effect",
            remedy="give a larger effect",
        )
    return items_for(effect / 100.0, discordance)
