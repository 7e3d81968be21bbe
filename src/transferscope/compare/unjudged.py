"""What two runs have in common: what can be compared, what can't be judged, and why."""

from __future__ import annotations

from collections.abc import Collection

from ..core.suite import Suite
from ..documents.comparison import ONE_SIDED
from ..runs import Pairing

NO_ITEM = "no item of the base's "
"""Start of the reason if both runs have a benchmark but share none of its items."""


def compared_names(pairing: Pairing) -> tuple[str, ...]:
    """Benchmarks that can be compared; those compared item by item come first."""
    return (*pairing.benchmarks, *pairing.unpaired)


def unjudged(pairing: Pairing, suite: Suite) -> dict[str, str]:
    """Benchmarks that both runs have but that can't be judged, each with the reason.

    Those in no group of ``suite`` come first, then those that can't be compared (other questions,
    fewer repeats). A benchmark of only one run is not listed, because there is nothing to compare.
    """
    return {**unmapped(pairing, suite), **not_comparable(pairing, suite)}


def unmapped(pairing: Pairing, suite: Suite, *, guarded: Collection[str] = ()) -> dict[str, str]:
    """Benchmarks that both runs have but that are in no group of ``suite``, with the reason.

    ``guarded``: benchmarks that a policy names directly; they need no group.
    """
    both = {**dict.fromkeys(compared_names(pairing), "")}
    both |= {name: why for name, why in pairing.excluded.items() if not why.startswith(ONE_SIDED)}
    where = f"in no group of suite {suite.name}"
    return {
        name: f"{where}; {why}" if why else where
        for name, why in both.items()
        if name not in suite.group_of and name not in guarded
    }


def not_comparable(pairing: Pairing, suite: Suite) -> dict[str, str]:
    """Benchmarks in a group that both runs have but that can't be compared, with the reason."""
    return {
        name: why
        for name, why in pairing.excluded.items()
        if not why.startswith(ONE_SIDED) and name in suite.group_of
    }


def nothing_shared(pairing: Pairing) -> bool:
    """Whether the runs have no question in common, so that one of them measures something else.

    Shared questions that can't be compared (reworded, fewer repeats) do count as common.
    """
    not_shared = (ONE_SIDED, NO_ITEM)
    return not compared_names(pairing) and all(
        why.startswith(not_shared) for why in pairing.excluded.values()
    )
