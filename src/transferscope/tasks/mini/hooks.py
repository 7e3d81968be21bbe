"""What the YAML files call: lm-eval loads this file by path, so imports are absolute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transferscope.grade.choice import most_likely
from transferscope.tasks.mini import Draft, grade, items


def dataset(*, benchmark: str, n: int = 200, seed: int = 0, **_metadata: Any) -> dict[str, Any]:
    """lm-eval's ``custom_dataset``: its metadata and the task's ``dataset_kwargs`` come merged."""
    from datasets import Dataset

    rows = [
        {
            "id": item.id,
            "cluster": item.cluster,
            "subset": item.draft.subset,
            "benchmark": benchmark,
            "prompt": item.draft.prompt,
            "gold": item.draft.gold,
            "choices": list(item.draft.choices),
            "rivals": list(item.draft.rivals),
            "check": item.draft.check,
        }
        for item in items(benchmark, n, seed=seed)
    ]
    return {"test": Dataset.from_list(rows)}


def process_results(doc: Mapping[str, Any], results: Sequence[Any]) -> dict[str, float]:
    """Score of one item: from the reply, or from (log-likelihood, is_greedy) of every option."""
    draft = Draft(
        doc["prompt"],
        doc["gold"],
        subset=doc["subset"],
        choices=tuple(doc["choices"]),
        rivals=tuple(doc["rivals"]),
        check=doc["check"],
    )
    reply = results[0]
    if draft.choices:
        reply = draft.choices[most_likely([loglikelihood for loglikelihood, _ in results])]
    return {"score": grade(doc["benchmark"], draft, reply)}
