"""Evaluation over Ray workers: overhead per part, and scaling up to 64 workers.

The engine is fake: it waits as long as a model on a GPU of its own would take for a part, so one
machine with few cores can hold 64 workers. The figures are what this package and Ray add: sending
parts, drawing items, grading, writing and joining. Prints one JSON object.

- ``efficiency``: the share of a worker's time, from its first question to its last answer, in which
  the model works; ``gap_s`` is the mean pause between two parts.
- ``speedup``: workers times efficiency, so how many models work at a time.
- ``start_s``: seconds until the last worker asks its first question, on THIS machine's cores;
  ``finish_s``: from the last answer to the complete run folder.

    nice .venv/bin/python benchmarks/ray_scaling.py --workers 1,4,16,64 --parts 3 --part-seconds 20
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transferscope.core.records import Decoding, Generation, ModelRef, Tick, no_tick
from transferscope.core.suite import parse_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate
from transferscope.evaluate.cohort_file import CohortModel
from transferscope.evaluate.many_machines import evaluate_on_cluster
from transferscope.evaluate.worker_needs import Cluster
from transferscope.runs import Run, read_run

ITEMS = 4
"""Items of a part."""
SUITE = parse_suite(
    """
    name = "scaling"
    source = "math"
    [groups]
    math = ["chains"]
    [benchmarks]
    chains = {pack = "mini"}
    """,
    place="benchmark",
)


class Waiting(FakeEngine):
    """Waits for every prompt, half to one and a half of the mean; says when it began and ended."""

    def __init__(self, seconds: float) -> None:
        super().__init__({}, name="waiting")
        self.seconds = seconds

    def generate(
        self,
        prompts: Sequence[str],
        decoding: Decoding,  # noqa: ARG002
        *,
        tick: Tick = no_tick,  # noqa: ARG002
    ) -> list[Generation]:
        begin = time.time()
        time.sleep(sum(self.seconds * random.Random(p).uniform(0.5, 1.5) for p in prompts))
        said = f"{os.getpid()} {begin} {time.time()}"
        return [Generation(said, 3, "stop") for _ in prompts]

    def describe(self) -> Mapping[str, Any]:
        return {"engine": "openai", "template": "fake", "versions": {}}


class Opens:
    """Opens the engine on a worker."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, _: str) -> Waiting:
        return Waiting(self.seconds)


def spans_of(run: Run) -> dict[str, list[tuple[float, float]]]:
    """When each worker began and ended its parts, by its process id."""
    found: dict[str, set[tuple[float, float]]] = {}
    for row in run.responses("chains").values():
        pid, begin, end = row.response.split()
        found.setdefault(pid, set()).add((float(begin), float(end)))
    return {pid: sorted(spans) for pid, spans in found.items()}


def measured(workers: int, *, parts: int, seconds: float, root: Path) -> dict[str, float]:
    shards = workers * parts
    out, begin = root / str(workers), time.time()
    evaluate_on_cluster(
        [(CohortModel("waiting", None, "waiting"), out)],
        SUITE,
        Cluster("local", shards=shards, cpus=1),
        engine="openai",
        engine_args={"base_url": "http://localhost:1/v1"},
        open_=Opens(seconds / ITEMS),
        n=shards * ITEMS,
    )
    end = time.time()
    spans = spans_of(read_run(out))
    busy = sum(stop - start for own in spans.values() for start, stop in own)
    there = sum(own[-1][1] - own[0][0] for own in spans.values())
    pauses = sum(len(own) - 1 for own in spans.values())
    return {
        "workers": workers,
        "workers_used": len(spans),
        "parts": shards,
        "efficiency": busy / there,
        "gap_s": (there - busy) / max(1, pauses),
        "speedup": len(spans) * busy / there,
        "start_s": max(own[0][0] for own in spans.values()) - begin,
        "finish_s": end - max(own[-1][1] for own in spans.values()),
        "whole_s": end - begin,
    }


def alone(*, parts: int, seconds: float, root: Path) -> float:
    """Seconds that one process takes for the parts of one worker, beyond the waiting."""
    begin = time.time()
    engine, ref = Waiting(seconds / ITEMS), ModelRef("waiting")
    run = read_run(evaluate(engine, SUITE, root / "alone", model_ref=ref, n=parts * ITEMS))
    return time.time() - begin - sum(e - b for own in spans_of(run).values() for b, e in own)


def main() -> None:
    import ray

    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", default="1,4,16,64")
    parser.add_argument("--parts", type=int, default=3, help="parts per worker")
    parser.add_argument("--part-seconds", type=float, default=20.0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        how: dict[str, Any] = {"parts": given.parts, "seconds": given.part_seconds}
        beside = alone(**how, root=Path(folder))
        for workers in map(int, given.workers.split(",")):
            quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
            ray.init(address="local", num_cpus=workers, **quiet)
            found.append(measured(workers, **how, root=Path(folder)))
            ray.shutdown()
    rows = [{key: round(value, 3) for key, value in row.items()} for row in found]
    about = {"part_seconds": given.part_seconds, "parts_per_worker": given.parts}
    print(json.dumps(about | {"one_process_beyond_waiting_s": round(beside, 3), "ray": rows}))


if __name__ == "__main__":
    main()
