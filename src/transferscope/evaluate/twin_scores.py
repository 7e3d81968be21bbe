"""What the twins of a benchmark's grader and its pooled measures give for the same replies."""

from __future__ import annotations

from collections.abc import Mapping

from ..runs import Run
from .benchmark_job import OwnJob
from .grading import graded

OWN = "score"
"""Names the benchmark's own grader among the scores."""


def twin_scores(job: OwnJob, run: Run) -> Mapping[str, float]:
    """The weighted mean score (0..1) of the own grader and of every twin over ``run``'s replies.

    The own grader's comes first, so that it is the metric of the outcomes. The measures of all
    replies together come last.
    """
    name = job.item.benchmark
    items = {item.id: item for item in job.items}
    outcomes = [outcome for outcome in run.by_benchmark.get(name, ()) if outcome.id in items]
    weight = sum(outcome.weight for outcome in outcomes)
    replies = run.responses(name)
    scores = {OWN: sum(o.weight * o.score for o in outcomes) / weight}
    given = [(items[o.id], replies[o.id, o.repeat].response) for o in outcomes]
    for twin, grade in job.benchmark.twins.items():
        found = zip(outcomes, graded(job.benchmark, grade, given), strict=True)
        scores[twin] = sum(o.weight * score for o, score in found) / weight
    for measure, of in job.benchmark.pooled.items():
        scores[measure] = of(given)
    return scores
