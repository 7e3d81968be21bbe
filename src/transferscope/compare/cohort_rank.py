"""A model's rank in the paper's cohort; it needs scores on the paper's whole suite."""

from __future__ import annotations

from ..documents.ranking import Placement, PublishedContrast
from ..published import cohort_plane, published_models


def placed(gain: float, retention: float, base: str) -> Placement:
    """Rank of a model tuned from ``base`` among the published ones, on the paper's suite.

    ``gain`` and ``retention`` in points. It is contrasted only with models of the same base,
    because tuning methods in the cohort differ in their bases too.
    """
    plane = cohort_plane()
    kin = [m for m in published_models() if _key(m.base) == _key(base)]
    return Placement(
        gain=1 + sum(other > gain for other, _ in plane.values()),
        retention=1 + sum(other > retention for _, other in plane.values()),
        of=len(plane) + 1,
        same_base=tuple(
            PublishedContrast(
                m.name, m.method, gain - plane[m.name][0], retention - plane[m.name][1]
            )
            for m in kin
        ),
    )


def _key(name: str) -> str:
    """The same key for a model's hub id, folder or plain name."""
    return name.rstrip("/").rpartition("/")[2].casefold()
