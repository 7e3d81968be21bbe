"""What the YAML files call: lm-eval loads this file by path, so imports are absolute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transferscope.grade.choice import most_likely
from transferscope.tasks.paper import from_doc, grade, rows, to_doc


def dataset(
    *,
    benchmark: str,
    data: str | None = None,
    n: int | None = None,
    seed: int = 0,
    **_metadata: Any,
) -> dict[str, Any]:
    """lm-eval's ``custom_dataset``: its metadata and the task's ``dataset_kwargs`` come merged."""
    from datasets import Dataset

    found = [
        to_doc(row) | {"benchmark": benchmark} for row in rows(benchmark, data, n=n, seed=seed)
    ]
    return {"test": Dataset.from_list(found)}


def process_results(doc: Mapping[str, Any], results: Sequence[Any]) -> dict[str, float]:
    """Score of one item: from the reply, or from (log-likelihood, is_greedy) of every option."""
    row = from_doc(doc)
    reply = results[0]
    if row.choices:
        reply = row.choices[most_likely([loglikelihood for loglikelihood, _ in results])]
    return {"score": grade(doc["benchmark"], row, reply)}
