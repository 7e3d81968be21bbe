"""Evaluate models on a Ray cluster: every model, benchmark and shard is a task of its own.

The driver (this process) writes all files, so machines need no shared disk for results. Finished
parts are kept in the run folder; if the driver ends, the same command repeats only the others. The
run folders are those that one process would have written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.records import ModelRef, Tick, no_tick
from ..core.shard import Shard, all_shards
from ..core.suite import Suite
from ..core.worker_pool import Wants, connected, machines_of, over_workers, room
from ..documents.run_manifest import Manifest
from ..engines.prompt_form import AS_USUAL, PromptForm
from ..engines.protocol import Engine
from ..models import AUTO, settled
from ..runs import RunWriter, read_run
from ..runs.manifest import MANIFEST_FILE, read_manifest
from ..runs.writer import claimed
from .backends import Backend, backend
from .benchmark_job import Asked, Job
from .cohort_file import CohortModel
from .evaluate_model import checked, dtype_of, is_finished
from .merge_shards import in_order, without
from .part_answerer import Answered, Part, PartAnswerer
from .part_store import PartStore
from .run import asked_manifest, commit, measure_twins, pending, unanswered
from .worker_needs import Cluster

if TYPE_CHECKING:
    from .lm_eval_loader import LmEvalTasks

NEEDED_FOR = "evaluating over Ray workers"


def evaluate_on_cluster(
    models: Sequence[tuple[CohortModel, Path]],
    suite: Suite,
    cluster: Cluster,
    *,
    engine: str = "hf",
    engine_args: dict[str, str] | None = None,
    dtype: str | None = None,
    form: PromptForm = AS_USUAL,
    n: int | None = None,
    seed: int = 0,
    max_tokens: int | None = None,
    data: str | Path | None = None,
    lm_eval: LmEvalTasks | None = None,
    open_: Callable[[str], Engine] | None = None,
    tick: Tick = no_tick,
) -> list[Path]:
    """Evaluate every model into its run folder over the workers of ``cluster``; return the folders.

    The other arguments are those of :func:`~.evaluate_model.evaluate_model`. ``open_`` opens a
    model on a worker instead of the engine's own way. Models, data and packages must be at the same
    places on every machine. A part whose worker is lost is asked again.

    Raises the same errors as ``evaluate_model``, :class:`MissingExtra` without Ray, and those of
    :func:`~transferscope.core.worker_pool.over_workers`.
    """
    names = [model.model for model, _ in models]
    for name in names:
        backend(engine, engine_args, dtype=dtype, form=form).check(name)
    ray = connected(cluster.address, needed_for=NEEDED_FOR)
    machines = machines_of(ray)
    wants = cluster.wants(machines, engine, names)
    if engine == "hf" and dtype in (None, AUTO):
        known = [found for _, out in models if (found := dtype_of(out)) is not None]
        dtype = known[0] if known else _settled_there(ray, wants)
    chosen = backend(engine, engine_args, dtype=dtype, form=form)
    drawn: dict[str, Any] = {"n": n, "seed": seed}
    how: dict[str, Any] = {"max_tokens": max_tokens, "lm_eval": lm_eval} | drawn
    jobs = checked(chosen, names[0], suite, form=form, data=data, **how)
    with ExitStack() as claims:
        runs = [
            _Run.begin(each, out, suite, chosen, jobs, claims=claims, **drawn)
            for each, out in models
        ]
        open_runs = [run for run in runs if run is not None]
        shards = cluster.shards
        if shards is None:  # about two parts for every worker, so that none waits long for the last
            tasks = len(open_runs) * len(jobs)
            shards = max(1, -(-2 * room(machines, wants) // max(1, tasks)))
        where = None if data is None else Path(data)
        how |= {"data": where, "chat": form.template}
        answerer = PartAnswerer(suite, open_ or chosen.open, **how)
        _answer_all(ray, answerer, open_runs, shards=shards, wants=wants, tick=tick)
    return [out for _, out in models]


@dataclass(slots=True)
class _Run:
    """The run of one model: its jobs, and the parts that are answered so far."""

    model: CohortModel
    store: PartStore
    manifest: Manifest
    jobs: list[Job]
    describe: Callable[[Mapping[str, Any]], Manifest]
    described: Manifest | None = None
    answers: dict[str, list[Asked]] = field(default_factory=dict)

    @classmethod
    def begin(
        cls,
        model: CohortModel,
        out: Path,
        suite: Suite,
        chosen: Backend,
        jobs: list[Job],
        *,
        claims: ExitStack,
        n: int | None,
        seed: int,
    ) -> _Run | None:
        """Claim the run folder; ``None`` if it is complete already."""
        chosen.check(model.model)
        called, weights = model.called or model.model, chosen.fingerprint(model.model)
        ref = ModelRef(called, base=model.base, fingerprint=weights)
        describe = partial(asked_manifest, suite=suite, jobs=jobs, model_ref=ref, n=n, seed=seed)
        manifest = describe(chosen.identity)
        if (out / MANIFEST_FILE).is_file():
            manifest = replace(manifest, template=read_manifest(out).template)
        if is_finished(out, manifest):
            read_run(out)  # raises if the files were changed
            return None
        claims.enter_context(claimed(out))
        return cls(model, PartStore(out), manifest, pending(jobs, out, manifest), describe)

    def parts(self, shards: int, *, run: int) -> list[tuple[Job, Part]]:
        """The parts to ask; those that are kept from an earlier start are taken up."""
        found = []
        for job in self.jobs:
            name = job.item.benchmark
            for shard in all_shards(self.store.shards_of(name) or shards):
                share = job.of_shard(shard)
                if not share.left:
                    continue
                if (kept := self.store.load(share, shard, self.manifest)) is not None:
                    self._take(job, *kept)
                    continue
                ids = frozenset(share.lacking)
                found.append((share, Part(run, self.model.model, name, shard, ids)))
        return found

    def done(self, share: Job, shard: Shard, answered: Answered) -> None:
        """Keep the answers to a part."""
        manifest = self.describe(answered.about)
        self.store.save(share, shard, manifest, answered.asked)
        self._take(share, manifest, answered.asked)

    def _take(self, job: Job, described: Manifest, asked: Asked) -> None:
        first = self.described or described
        ours, theirs = first.identity(), described.identity()
        if differing := [key for key, value in ours.items() if value != theirs[key]]:
            what = f"workers differ in their {differing[0]}"
            remedy = "install the same packages and models on every machine"
            raise InputError(what, place=str(self.store.out), remedy=remedy)
        self.described = first
        self.answers.setdefault(job.item.benchmark, []).append(asked)

    def finish(self) -> None:
        """Join all parts in the run folder, and remove them."""
        manifest = self.described or self.manifest
        found = {job.item.benchmark: self._joined(job) for job in self.jobs if job.left}
        failures = [failure for asked in found.values() for failure in asked.failures]
        outcomes = any(asked.outcomes for asked in found.values())
        if failures and not outcomes and not any(job.begun for job in self.jobs):
            self.store.drop()
            raise unanswered(failures[0])
        with RunWriter.open(self.store.out, manifest) as writer:
            for job in self.jobs:
                if job.left:
                    commit(writer, job, found[job.item.benchmark])
                measure_twins(writer, job, anew=job.left > 0)

    def _joined(self, job: Job) -> Asked:
        known: set[tuple[str, str, int]] = set()
        if (self.store.out / MANIFEST_FILE).is_file():
            known = {o.key for o in read_run(self.store.out, allow_unfinished=True).outcomes}
        return without(known, in_order(job, self.answers.get(job.item.benchmark, [])))


def _answer_all(
    ray: Any,
    answerer: PartAnswerer,
    runs: Sequence[_Run],
    *,
    shards: int,
    wants: Wants,
    tick: Tick,
) -> None:
    """Ask all parts; finish every run as soon as its last part is there."""
    where: dict[Part, Job] = {}
    left: Counter[int] = Counter()
    totals: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for at, run in enumerate(runs):
        for share, part in run.parts(shards, run=at):
            where[part] = share
            left[at] += 1
            totals[part.benchmark] += share.left
        if not left[at]:
            run.finish()

    def done(part: Part, result: Answered) -> None:
        run, share = runs[part.run], where[part]
        run.done(share, part.shard, result)
        answered[part.benchmark] += share.left
        tick(part.benchmark, answered[part.benchmark], totals[part.benchmark])
        left[part.run] -= 1
        if not left[part.run]:
            run.finish()

    options: dict[str, Any] = {"wants": wants, "group": lambda part: part.model}
    over_workers(ray, answerer, list(where), done=done, **options)


def _settled_there(ray: Any, wants: Wants) -> str:
    """The dtype that a worker's machine multiplies: this one may have no GPU."""
    found: list[str] = []
    over_workers(ray, settled, [AUTO], wants=wants, done=lambda _, dtype: found.append(str(dtype)))
    return found[0]
