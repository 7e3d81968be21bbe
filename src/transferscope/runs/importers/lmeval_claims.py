"""What lm-eval's results say of the samples beside them, and whether those agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .contradictions import contradiction
from .lmeval_tasks import Task, count_of, score_keys, section

_CLOSE = 1e-6
"""Means that differ by less are sums in another order, or numbers of single precision."""
_MEANS = ("mean", "nanmean", "agg_inst_level_acc")
"""Aggregations that the importer's own mean repeats."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Number of documents and score (0..1) of a task; ``None``: not given or no mean."""

    task: str
    n: int | None
    score: float | None


def claim_of(task: Task, raw: Mapping[str, Any]) -> Claim:
    """What the results ``raw`` say of ``task``, whose ``key`` is not ``None``."""
    name, key = task.place.task, task.key or ("", "")
    mean = not task.by_question and _is_mean(key[0], name, raw)
    score = score_keys(name, raw).get(key) if mean else None
    return Claim(name, count_of(name, raw), score)


def contradicted(claim: Claim, counts: tuple[int, int], mean: float | None) -> str | None:
    """In what the samples contradict ``claim``; ``None`` where they don't.

    ``counts``: the samples' documents, and those of them with a score; older versions count the
    former, newer ones the latter. ``mean``: of the scores, 0..1.
    """
    return contradiction(
        counts=counts, mean=mean, said_n=claim.n, said=claim.score, close=_room(claim)
    )


def _room(claim: Claim) -> float:
    """Within which means are one; a score that is not a multiple of 1/n may have been rounded."""
    score = claim.score or 0.0
    digits = len(repr(score).partition(".")[2])
    whole = claim.n is not None and abs(score * claim.n - round(score * claim.n)) < _CLOSE
    if not whole and 3 <= digits <= 6 and "e" not in repr(score):
        return _CLOSE + 0.5 * 10.0**-digits
    return _CLOSE


def _is_mean(metric: str, task: str, raw: Mapping[str, Any]) -> bool:
    """Whether the score is the mean of the samples' as far as the task's configuration says."""
    every = section(raw, "configs", task).get("metric_list")
    for entry in every if isinstance(every, list) else ():
        if isinstance(entry, dict) and entry.get("metric") == metric:
            how = entry.get("aggregation")
            return not isinstance(how, str) or any(name in how for name in _MEANS)
    return True
