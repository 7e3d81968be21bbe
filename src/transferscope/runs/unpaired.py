"""Benchmarks that are compared as two scores, because at least one run kept no answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.records import Outcome, ScoreRow
from .run_folder import Run


@dataclass(frozen=True, slots=True)
class Estimate:
    """A benchmark's score in percent, and what is known about its uncertainty.

    ``proportion`` means that the score is a mean of ``n`` independent 0/1 outcomes; otherwise
    ``stderr`` (percentage points) is its standard error, if known. ``n`` counts items, not repeats.
    """

    score: float
    n: int | None
    stderr: float | None
    proportion: bool


@dataclass(frozen=True, slots=True)
class UnpairedBenchmark:
    """Base and tuned estimates of one benchmark; ``chance`` is the base's level (0..1) if known."""

    benchmark: str
    base: Estimate
    tuned: Estimate
    chance: float | None

    @property
    def n(self) -> int | None:
        """The smaller number of items; ``None`` if neither is known."""
        return min((n for n in (self.base.n, self.tuned.n) if n is not None), default=None)


def unpaired(base: Run, tuned: Run) -> dict[str, UnpairedBenchmark]:
    """Benchmarks that are in both runs and of which at least one run has only a score."""
    base_rows, tuned_rows = _rows(base), _rows(tuned)
    found = {}
    for name in dict.fromkeys((*base.by_benchmark, *base_rows, *tuned_rows)):
        if name not in base_rows and name not in tuned_rows:
            continue
        before = _estimate(name, base, base_rows)
        after = _estimate(name, tuned, tuned_rows)
        if before is not None and after is not None:
            found[name] = UnpairedBenchmark(name, before[0], after[0], before[1])
    return found


def _rows(run: Run) -> dict[str, list[ScoreRow]]:
    rows: dict[str, list[ScoreRow]] = {}
    for row in run.scores:
        rows.setdefault(row.benchmark, []).append(row)
    return rows


def _estimate(
    name: str, run: Run, rows: Mapping[str, Sequence[ScoreRow]]
) -> tuple[Estimate, float | None] | None:
    """The estimate and the chance level, or ``None`` if the run lacks the benchmark."""
    if name in rows:
        return pooled(rows[name]), rows[name][0].chance
    if outcomes := run.by_benchmark.get(name):
        return _measured(outcomes), outcomes[0].chance
    return None


def pooled(rows: Sequence[ScoreRow]) -> Estimate:
    """Pool a benchmark's subsets into one estimate, weighted by their numbers of items.

    A subset with unknown n gets the average n of the others; if no n is known, the mean is
    unweighted. Subsets are independent, so their variances add. The result is a proportion if all
    subsets are proportions with a known n, because weighting by n equals pooling their items.
    """
    counts = [row.n for row in rows if row.n is not None]
    known = len(counts) == len(rows)
    typical = sum(counts) / len(counts) if counts else 1.0
    sizes = [typical if row.n is None else row.n for row in rows]
    shares = [size / sum(sizes) for size in sizes]
    score = 100.0 * sum(w * row.score for w, row in zip(shares, rows, strict=True))
    errors = [row.stderr for row in rows if row.stderr is not None]
    stderr = None
    if len(errors) == len(rows):
        stderr = 100.0 * math.hypot(*(w * e for w, e in zip(shares, errors, strict=True)))
    proportion = known and all(row.proportion for row in rows)
    return Estimate(min(score, 100.0), sum(counts) if known else None, stderr, proportion)


def _measured(outcomes: Sequence[Outcome]) -> Estimate:
    """The weighted mean score of answers whose counterparts in the other run were not kept."""
    items: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        items.setdefault(outcome.id, []).append(outcome)
    scores = [sum(o.score for o in rows) / len(rows) for rows in items.values()]
    weights = [rows[0].weight for rows in items.values()]
    total, n = sum(weights), len(scores)
    mean = sum(w * s for w, s in zip(weights, scores, strict=True)) / total
    plain = all(w == weights[0] for w in weights) and set(scores) <= {0.0, 1.0}
    spread = math.fsum((w * (s - mean)) ** 2 for w, s in zip(weights, scores, strict=True))
    clustered = any(rows[0].cluster for rows in items.values())
    stderr = None if clustered or n < 2 else 100.0 * math.sqrt(spread * n / (n - 1)) / total
    return Estimate(100.0 * mean, n, stderr, plain and not clustered)
