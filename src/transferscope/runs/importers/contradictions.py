"""Check whether samples agree with the reported score, with the same wording for every format."""

from __future__ import annotations

from collections.abc import Collection, Sequence

CLOSE = 1e-3
"""Means (0..1) that differ by no more than this agree, because scores are often rounded."""


def contradiction(
    *,
    counts: Collection[int] = (),
    mean: float | None,
    said_n: int | None = None,
    said: float | None,
    close: float = CLOSE,
) -> str | None:
    """How samples contradict the reported score, ``None`` if they don't.

    ``counts`` are the numbers of samples that may equal the reported ``said_n`` (all samples, those
    with a score); the first one is shown. ``mean`` is the samples' mean and ``said`` the reported
    score, both in 0..1.

    >>> contradiction(counts=(20,), mean=0.5, said_n=40, said=0.75)
    '20 samples, not 40; mean 50.00 %, not 75.00 %'
    """
    found = []
    if said_n is not None and counts and said_n not in counts:
        found.append(f"{next(iter(counts)):,} samples, not {said_n:,}")
    if said is not None and mean is not None and abs(said - mean) > close:
        found.append(f"mean {100 * mean:.2f} %, not {100 * said:.2f} %")
    return "; ".join(found) or None


def of_benchmark(parts: Sequence[tuple[str, str | None]]) -> str | None:
    """The contradiction of a benchmark, from (name, contradiction) of each of its tasks.

    >>> of_benchmark([("anatomy", "2 samples, not 3"), ("virology", None)])
    'anatomy: 2 samples, not 3'
    """
    said = [f"{task}: {text}" if len(parts) > 1 else text for task, text in parts if text]
    if not said:
        return None
    more = f" (and {len(said) - 1} more of its tasks)" if len(said) > 1 else ""
    return said[0] + more
