"""Check whether lm-eval's samples agree with the reported results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .contradictions import contradiction
from .lmeval_tasks import Task, count_of, score_keys, section

_CLOSE = 1e-6
"""Smaller differences between means come from the order of summation or from single precision."""
_MEANS = ("mean", "nanmean", "agg_inst_level_acc")
"""Aggregations that equal the importer's mean."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Reported number of documents and score (0..1) of a task; ``None`` if absent or not a mean."""

    task: str
    n: int | None
    score: float | None


def claim_of(task: Task, raw: Mapping[str, Any]) -> Claim:
    """What the results ``raw`` report for ``task``, whose ``key`` must not be ``None``."""
    name, key = task.place.task, task.key or ("", "")
    mean = not task.by_question and _is_mean(key[0], name, raw)
    score = score_keys(name, raw).get(key) if mean else None
    return Claim(name, count_of(name, raw), score)


def contradicted(claim: Claim, counts: tuple[int, int], mean: float | None) -> str | None:
    """How the samples contradict ``claim``; ``None`` if they don't.

    ``counts`` has the number of documents in the samples, and the number of those with a score:
    older versions report the former, newer ones the latter. ``mean`` is that of the scores, 0..1.
    """
    return contradiction(
        counts=counts, mean=mean, said_n=claim.n, said=claim.score, close=_room(claim)
    )


def _room(claim: Claim) -> float:
    """Tolerance for means. A score that isn't a fraction of n items may have been rounded."""
    score = claim.score or 0.0
    digits = len(repr(score).partition(".")[2])
    whole = claim.n is not None and abs(score * claim.n - round(score * claim.n)) < _CLOSE
    if not whole and 3 <= digits <= 6 and "e" not in repr(score):
        return _CLOSE + 0.5 * 10.0**-digits
    return _CLOSE


def _is_mean(metric: str, task: str, raw: Mapping[str, Any]) -> bool:
    """Whether the score is the mean of the samples' scores, by the task's configuration."""
    every = section(raw, "configs", task).get("metric_list")
    for entry in every if isinstance(every, list) else ():
        if isinstance(entry, dict) and entry.get("metric") == metric:
            how = entry.get("aggregation")
            return not isinstance(how, str) or any(name in how for name in _MEANS)
    return True
