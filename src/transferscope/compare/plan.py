"""``transferscope plan``: how many items show a change of a given size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import ceil, isfinite, sqrt
from typing import Any

from ..core.errors import InputError
from ..core.power import POWER, mcnemar_power

WINDOW = 0.02
"""How far from 80 % the power of a plan may lie where one item more or less jumps over it."""
SCANNED = 2_000
"""Up to about so many items every number is tried; beyond, power is taken to rise with n."""
SUMMED = 10_000_000
"""Beyond so many items the normal formula with a continuity correction of 1 / effect is enough."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``n`` items show a change of ``effect`` points where a share ``discordance`` of items flips.

    Power 80 % at two-sided 0.05.
    """

    effect: float
    discordance: float
    n: int

    def to_json(self) -> dict[str, Any]:
        """The JSON of ``transferscope plan``."""
        return asdict(self)


def plan(effect: float, discordance: float) -> Plan:
    """The plan for ``effect`` points at ``discordance``; see :func:`items_needed`."""
    return Plan(effect, discordance, items_needed(effect, discordance))


def items_needed(effect: float, discordance: float) -> int:
    """Fewest paired 0/1 items for which exact McNemar has 80 % power at two-sided 0.05.

    ``effect`` in points, above 0. ``discordance``: the share (0..1) of items that one model gets
    right and the other wrong.

    The power of an exact test is a sawtooth in n. Where the fewest items with 80 % have more than
    82 %, because one item fewer has less than 80 %, the fewest with 78 to 82 % are taken; where no
    number has that, those with 80 %. Beyond :data:`SCANNED` items the steps are below 0.01.

    docs/science.md section 2. Raises :class:`InputError` for values outside these ranges, and for
    an effect that no model can have at this discordance.
    """
    if not (isfinite(effect) and 0.0 < effect <= 100.0):
        raise InputError(
            f"an effect of {effect:g} points can't be planned for",
            place="--effect",
            remedy="give points above 0 and up to 100",
        )
    if not (isfinite(discordance) and 0.0 < discordance <= 1.0):
        raise InputError(
            f"a discordance of {discordance:g} is not a share of items",
            place="--discordance",
            remedy="give a share above 0 and up to 1, for instance 0.2",
        )
    if effect > 100.0 * discordance + 1e-9:
        raise InputError(
            f"no change of {effect:g} points is possible where {discordance:g} of the items flip",
            place="--discordance",
            remedy=f"give a discordance of at least {effect / 100.0:g}",
        )
    share = min(effect / 100.0, discordance)
    # Miettinen's formula (Biometrics 24, 1968) with 1.96 and 0.84
    root = 1.95996 * sqrt(discordance) + 0.84162 * sqrt(discordance - share**2)
    about = ceil((root / share) ** 2 + 1.0 / share)
    if about > SUMMED:
        return about
    if about > SCANNED:
        return _crossing(share, discordance, about)
    tried = range(6, about + about // 4 + 60)  # below six no p is below 0.05
    return _fewest([(n, mcnemar_power(share, discordance, n)) for n in tried])


def _fewest(powers: Iterable[tuple[int, float]]) -> int:
    powers = list(powers)
    enough, power = next((n, power) for n, power in powers if power >= POWER)
    if power <= POWER + WINDOW:
        return enough
    return next((n for n, power in powers if abs(power - POWER) <= WINDOW), enough)


def _crossing(share: float, discordance: float, about: int) -> int:
    """An n with 80 % power, and below it with one item fewer."""
    low, high = about // 2, 2 * about
    while high - low > 1:
        middle = (low + high) // 2
        if mcnemar_power(share, discordance, middle) < POWER:
            low = middle
        else:
            high = middle
    return high
