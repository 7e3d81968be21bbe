"""What two runs have in common: what can be compared, and what can't be judged and why."""

from __future__ import annotations

from collections.abc import Collection

from ..core.suite import Suite
from ..documents.comparison import ONE_SIDED
from ..runs import Pairing

NO_ITEM = "no item of the base's "
"""How they begin where both runs have a benchmark, but none of each other's items."""


def compared_names(pairing: Pairing) -> tuple[str, ...]:
    """Benchmarks that can be compared, those item by item first."""
    return (*pairing.benchmarks, *pairing.unpaired)


def unjudged(pairing: Pairing, suite: Suite) -> dict[str, str]:
    """Benchmarks that both runs have and that can't be judged, each with the reason.

    Those in no group of ``suite`` come first, then those that can't be compared (other questions,
    fewer repeats). A benchmark of one run only is not listed: nobody can judge it.
    """
    return {**unmapped(pairing, suite), **not_comparable(pairing, suite)}


def unmapped(pairing: Pairing, suite: Suite, *, guarded: Collection[str] = ()) -> dict[str, str]:
    """Benchmarks that both runs have and that are in no group of ``suite``, with the reason.

    ``guarded``: benchmarks that a policy names itself, which need no group.
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
    """Benchmarks of a group that both runs have and that can't be compared, with the reason."""
    return {
        name: why
        for name, why in pairing.excluded.items()
        if not why.startswith(ONE_SIDED) and name in suite.group_of
    }


def nothing_shared(pairing: Pairing) -> bool:
    """Whether the runs have no question in common: one of them is of something else.

    Shared questions that can't be compared (other words, fewer repeats) are something in common.
    """
    alien = (ONE_SIDED, NO_ITEM)
    return not compared_names(pairing) and all(
        why.startswith(alien) for why in pairing.excluded.values()
    )
