"""Where a model stands in the paper's cohort; only a score on the paper's whole suite can."""

from __future__ import annotations

from ..documents.ranking import Placement, PublishedContrast
from ..published import cohort_plane, published_models


def placed(gain: float, retention: float, base: str) -> Placement:
    """Where a model tuned from ``base`` stands, on the paper's suite, among the published ones.

    ``gain`` and ``retention`` in points. Contrasts are only with models of the same base: in the
    cohort, tuning methods differ in their bases too.
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
    """A hub id, a folder or a plain name of one model, alike."""
    return name.rstrip("/").rpartition("/")[2].casefold()
