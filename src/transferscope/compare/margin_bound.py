"""The bound that decides a guard: from 0/1 pairs, or from replicates of any other change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.exact_margin import exact_dropped
from ..core.index import Array
from ..core.noninferiority import bootstrap_margin, moving_clusters, tango
from ..core.power import margin_mde, tango_mde


@dataclass(frozen=True, eq=False)
class UnitShares:
    """The independent units behind a mean change (:mod:`.core.resampling`).

    ``weight_U``: every unit's share in the mean (sum 1). ``moved_U``: its part of the change;
    ``None`` if answers were not kept. ``effective``: the effective number of units (Kish), 0 if
    their number is unknown.
    """

    weight_U: Array
    moved_U: Array | None
    effective: float

    @classmethod
    def pooled(cls, parts: Sequence[UnitShares], shares: Sequence[float]) -> UnitShares:
        """The units behind a mean over benchmarks with these shares (sum 1)."""
        squares = sum(
            share**2 / part.effective if part.effective else np.inf
            for share, part in zip(shares, parts, strict=True)
        )
        moved = [part.moved_U for part in parts if part.moved_U is not None]
        return cls(
            np.hstack([share * part.weight_U for share, part in zip(shares, parts, strict=True)]),
            np.hstack([share * moved_U for share, moved_U in zip(shares, moved, strict=True)])
            if len(moved) == len(parts)
            else None,
            1.0 / squares,
        )

    @property
    def moving(self) -> float:
        """Number of units that carry the change; all of them if answers were not kept."""
        if self.moved_U is None:
            return self.effective
        return float(moving_clusters(self.moved_U[None])[0])


@dataclass(frozen=True, slots=True)
class Bound:
    """A change compared with its margin, in points, before Holm's correction.

    ``lower``: the one-sided 95 % lower bound of ``test``. ``p_dropped``: p of the hypothesis "the
    drop is at most the margin"; ``exact``: it is valid for any number of items. ``detectable``: the
    drop that is shown to exceed the margin with 80 % power; ``None`` if no drop is.
    """

    test: str
    lower: float
    p_dropped: float
    detectable: float | None
    exact: bool


def pairs_bound(lost: int, won: int, n: int, *, margin: float) -> Bound:
    """Bound from n independent 0/1 pairs: Tango's test, and the exact one of a larger drop."""
    return Bound(
        test="tango",
        lower=tango(lost, won, n, margin=margin).lower,
        p_dropped=exact_dropped(lost, won, n, margin=margin),
        detectable=tango_mde(lost, won, n, margin=margin),
        exact=True,
    )


def replicates_bound(
    change: float, change_R: Array, units: UnitShares, *, margin: float, unmoved: bool
) -> Bound:
    """Bound from replicates (R,) of a ``change`` in points. ``unmoved``: most units moved alike."""
    test = bootstrap_margin(
        change,
        change_R,
        margin=margin,
        clusters=units.effective,
        moving=units.moving,
        weight_U=units.weight_U,
    )
    error = float(change_R.std(ddof=1))
    return Bound(
        test=test.name,
        lower=test.lower,
        p_dropped=test.p_dropped,
        detectable=margin_mde(error, units.effective, margin=margin, unmoved=unmoved),
        exact=False,
    )
