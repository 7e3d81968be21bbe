"""What a worker on another machine does: answer one part (a shard of a benchmark) of a model."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.files import scratch_folder
from ..core.records import no_tick
from ..core.shard import Shard
from ..core.suite import Suite
from ..engines.protocol import Engine, Needs, require
from ..runs.journal import journal
from .benchmark_job import Asked, Job
from .run import ask_job, needs_of, prepare

if TYPE_CHECKING:
    from .lm_eval_loader import LmEvalTasks


@dataclass(frozen=True, slots=True)
class Part:
    """One shard of one benchmark for one model; ``ids`` are its items that lack an answer.

    ``run`` is the place of the run among those that are evaluated.
    """

    run: int
    model: str
    benchmark: str
    shard: Shard
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to a part, and the engine's description of itself."""

    about: Mapping[str, Any]
    asked: Asked


class PartAnswerer:
    """Answers parts, one after the other; keeps the engine open as long as the model is the same.

    The items are drawn on the worker, which therefore needs the same files at the same paths.
    """

    def __init__(
        self,
        suite: Suite,
        open_: Callable[[str], Engine],
        *,
        n: int | None,
        seed: int,
        data: Path | None,
        lm_eval: LmEvalTasks | None,
        max_tokens: int | None = None,
        chat: bool = True,
    ) -> None:
        self._suite, self._open, self._seed = suite, open_, seed
        self._drawn: dict[str, Any] = {"n": n, "seed": seed, "data": data}
        self._drawn |= {"max_tokens": max_tokens, "chat": chat}
        self._lm_eval = None if lm_eval is None else lm_eval.unloaded()
        self._jobs: dict[str, Job] = {}
        self._engine: tuple[str, Engine] | None = None
        self._tried: list[Needs] = []

    def __call__(self, part: Part) -> Answered:
        """Answer one part. Raises the same errors as :func:`~.run.evaluate`."""
        job = self._job(part.benchmark).of_shard(part.shard).only(part.ids)
        engine = self._opened(part.model)
        needs = needs_of([job])
        if needs not in self._tried:
            require(engine, needs)
            self._tried.append(needs)
        with scratch_folder() as folder, journal(folder, part.benchmark) as kept:
            asked = ask_job(engine, job, seed=self._seed, tick=no_tick, kept=kept)
        return Answered(dict(engine.describe()), asked)

    def _job(self, benchmark: str) -> Job:
        if benchmark not in self._jobs:
            group, own = self._suite.group_of[benchmark], self._suite.benchmarks[benchmark]
            parts: dict[str, Any] = {
                "groups": {group: (benchmark,)},
                "benchmarks": {benchmark: own},
            }
            suite = Suite(name=self._suite.name, source=group, **parts)
            (self._jobs[benchmark],) = prepare(suite, lm_eval=self._lm_eval, **self._drawn)
        return self._jobs[benchmark]

    def _opened(self, model: str) -> Engine:
        if self._engine is not None and self._engine[0] != model:
            self._engine = None  # before the next is loaded: there may be no room for two
            gc.collect()
        if self._engine is None:
            self._engine = (model, self._open(model))
            self._tried.clear()
        return self._engine[1]
