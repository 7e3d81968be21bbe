"""Evaluation over Ray workers against one process: overhead per part and scaling to 64 workers.

    python benchmarks/ray_scaling.py [--workers 1,2,4,8,16,32,64] [--parts 4] [--part-seconds 2]

The engine is fake and only waits: as long as a model on a GPU of its own would take for the same
answers (``--part-seconds`` for one part, drawn around it by item). So one machine with few cores
can hold 64 workers, and the figures show this package's and Ray's own cost: starting workers,
sending parts, writing them, joining them. Prints one JSON object.

- ``efficiency`` at w workers: ideal seconds (waiting in total / w) over the seconds taken, with the
  workers already started; ``start_s`` is what starting them takes in addition.
- ``overhead_s_per_part``: what a part costs beyond its waiting, at one worker.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transferscope.core import worker_pool
from transferscope.core.records import Decoding, Generation, Tick, no_tick
from transferscope.core.suite import parse_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate.cohort_file import CohortModel
from transferscope.evaluate.many_machines import evaluate_on_cluster
from transferscope.evaluate.worker_needs import Cluster
from transferscope.runs import read_run

ITEMS_PER_PART = 4
SUITE = parse_suite(
    """
    name = "scaling"
    source = "math"
    [groups]
    math = ["chains"]
    other = ["equations"]
    [benchmarks]
    chains = {pack = "mini"}
    equations = {pack = "mini"}
    """,
    place="benchmark",
)


class Waiting(FakeEngine):
    """Takes the time of a real model for every prompt, the same in every process."""

    def __init__(self, seconds: float) -> None:
        super().__init__(lambda prompt: str(len(prompt)), name="waiting")
        self.seconds = seconds

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, *, tick: Tick = no_tick
    ) -> list[Generation]:
        time.sleep(sum(self.waits(prompt) for prompt in prompts))
        return super().generate(prompts, decoding, tick=tick)

    def waits(self, prompt: str) -> float:
        """Seconds for one prompt: answers differ in length."""
        return self.seconds * random.Random(prompt).uniform(0.5, 1.5)

    def describe(self) -> Mapping[str, Any]:
        return {"engine": "openai", "template": "fake", "versions": {}}


@dataclass(frozen=True)
class Opens:
    """Opens the engine on a worker."""

    seconds: float

    def __call__(self, _: str) -> Waiting:
        return Waiting(self.seconds)


def measured(workers: int, *, parts: int, part_seconds: float, root: Path) -> dict[str, Any]:
    """One evaluation with ``parts`` parts per worker, on workers that one evaluation has started."""
    per_benchmark = max(1, workers * parts // len(SUITE.benchmarks))
    n = per_benchmark * ITEMS_PER_PART
    engine = Waiting(part_seconds / ITEMS_PER_PART)
    started: list[float] = []
    real = worker_pool._Pool._ended

    def noted(self: Any, held: Any, *given: Any) -> None:
        if held.task is None:
            started.append(time.perf_counter())
        real(self, held, *given)

    worker_pool._Pool._ended = noted  # type: ignore[method-assign]
    out = root / str(workers)
    begin = time.perf_counter()
    evaluate_on_cluster(
        [(CohortModel("waiting", None, "waiting"), out)],
        SUITE,
        Cluster("local", shards=per_benchmark, cpus=1),
        engine="openai",
        engine_args={"base_url": "http://localhost:1/v1"},
        open_=Opens(engine.seconds),
        n=n,
    )
    end = time.perf_counter()
    worker_pool._Pool._ended = real  # type: ignore[method-assign]
    run = read_run(out)
    waited = sum(
        engine.waits(row.prompt)
        for name in SUITE.benchmarks
        for row in run.responses(name).values()
    )
    last = sorted(started)[min(workers, len(started)) - 1]
    return {
        "workers": workers,
        "parts": per_benchmark * len(SUITE.benchmarks),
        "items": len(run.outcomes),
        "start_s": round(last - begin, 2),
        "waited_s": round(waited, 2),
        "whole_s": round(end - begin, 2),
    }
