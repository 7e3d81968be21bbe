"""How samples contradict the results beside them, in the words that every importer uses."""

from __future__ import annotations

from collections.abc import Sequence

CLOSE = 1e-3
"""Samples and the score beside them agree within this, in 0..1: scores are often rounded."""


def disagreement(
    *,
    n: int | Sequence[int],
    mean: float | None,
    said_n: int | None,
    said: float | None,
    close: float = CLOSE,
) -> str:
    """In what samples contradict the results beside them, empty where they don't.

    ``n``: the number of samples, or several of which the results may count any; ``mean`` of their
    scores and ``said``, the score beside them, in 0..1. ``None``: not known.

    >>> disagreement(n=3, mean=0.5, said_n=4, said=0.9)
    '3 samples, not 4; mean 50.00 %, not 90.00 %'
    """
    counts = [n] if isinstance(n, int) else n
    found = []
    if said_n is not None and said_n not in counts:
        found.append(f"{counts[0]:,} samples, not {said_n:,}")
    if said is not None and mean is not None and abs(mean - said) > close:
        found.append(f"mean {100 * mean:.2f} %, not {100 * said:.2f} %")
    return "; ".join(found)


def told_of_tasks(said: Sequence[str]) -> str:
    """The contradictions of a benchmark's tasks in one: the first of them, and how many more."""
    more = f" (and {len(said) - 1} more of its tasks)" if len(said) > 1 else ""
    return said[0] + more
