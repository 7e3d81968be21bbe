"""Join shards of one evaluation into the run folder that a single process would have written.

The items are drawn again, so that a missing or foreign answer is noticed and the order is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..core.errors import InputError
from ..core.records import Failure, Outcome, Response, Tick, no_tick
from ..core.shard import Shard, all_shards, listed
from ..runs import Run, RunWriter, read_run
from ..runs.writer import claimed
from ..tasks import Pack
from .benchmark_job import Asked, Job
from .run import commit, measure_twins, pending, prepare

if TYPE_CHECKING:
    from .lm_eval_loader import LmEvalTasks

_Answer = TypeVar("_Answer", Outcome, Response, Failure)
OTHERS = "name the shards of one evaluation: same model, suite, settings and number of shards"


def merge_shards(
    out: str | Path,
    shards: Sequence[str | Path],
    *,
    data: str | Path | None = None,
    packs: Mapping[str, Pack] | None = None,
    lm_eval: LmEvalTasks | None = None,
    tick: Tick = no_tick,
) -> Path:
    """Join the run folders ``shards`` into the run folder ``out`` and return it.

    The result has the outcomes and responses of a run without shards, in the same order; other
    graders' metrics (``twins``) are computed again. ``data`` is the folder of files that the shards
    were drawn from; ``packs`` and ``lm_eval`` are passed to :func:`~.run.prepare`.

    Raises :class:`InputError` for a folder without a finished shard, for a missing, duplicate or
    foreign shard, for items that differ from those drawn here, and for an ``out`` that holds
    another run.
    """
    out = Path(out)
    parts = numbered([read_run(path) for path in shards])
    first = next(iter(parts.values())).manifest
    suite = first.load_suite()
    drawn = {"data": data, "packs": packs, "lm_eval": lm_eval}
    jobs = prepare(suite, n=first.limit, seed=first.seed, **drawn)  # type: ignore[arg-type]
    answers = {
        job.item.benchmark: in_order(job, [_answers(job, *part) for part in parts.items()])
        for job in jobs
    }
    manifest = replace(first, shard=None, complete={}, metrics={}, status="running")
    with claimed(out):
        left = pending(jobs, out, manifest)
        with RunWriter.open(out, manifest) as writer:
            there = {each.key for each in read_run(out, allow_unfinished=True).outcomes}
            for job in left:
                name = job.item.benchmark
                if job.left:
                    commit(writer, job, without(there, answers[name]))
                measure_twins(writer, job, anew=job.left > 0)
                tick(name, job.total, job.total)
    return out


def numbered(runs: Sequence[Run]) -> dict[Shard, Run]:
    """The runs by shard, in order.

    Raises :class:`InputError` unless they are all shards of one evaluation, each exactly once.
    """
    if not runs:
        raise InputError("no shard is named", remedy="name the folders of eval --shard")
    found: dict[Shard, Run] = {}
    first = runs[0].manifest
    for run in runs:
        place = str(run.place)
        if run.manifest.shard is None:
            remedy = "name folders that eval --shard has written"
            raise InputError("is not a shard of a run", place=place, remedy=remedy)
        shard = Shard.parse(run.manifest.shard)
        theirs, ours = run.manifest.identity(), first.identity()
        differing = [key for key, value in theirs.items() if value != ours[key] and key != "shard"]
        if run.manifest.limit != first.limit:
            differing.append("limit")
        if shard.of != Shard.parse(str(first.shard)).of:
            differing.append("number of shards")
        if differing:
            what = f"is a shard of another evaluation: {differing[0]} differs from {runs[0].place}"
            raise InputError(what, place=place, remedy=OTHERS)
        if (there := found.setdefault(shard, run)) is not run:
            what = f"is shard {shard}, and so is {there.place}"
            raise InputError(what, place=place, remedy="name each shard once")
    every = all_shards(next(iter(found)).of)
    if missing := [str(shard) for shard in every if shard not in found]:
        what = f"{len(found)} of {len(every)} shards are named, missing: {listed(missing)}"
        raise InputError(what, remedy=f"run eval with --shard {missing[0]}, then merge all shards")
    return {shard: found[shard] for shard in every}


def in_order(job: Job, parts: Iterable[Asked]) -> Asked:
    """The answers of all parts in the order in which one process would have listed them."""
    place = {id_: at for at, id_ in enumerate(job.ids)}

    def ordered(answers: Iterable[_Answer]) -> list[_Answer]:
        return sorted(answers, key=lambda each: (place[each.id], each.repeat))

    found = list(parts)
    return Asked(
        ordered(each for part in found for each in part.outcomes),
        ordered(each for part in found for each in part.responses),
        ordered(each for part in found for each in part.failures),
    )


def without(keys: Set[tuple[str, str, int]], answers: Asked) -> Asked:
    """The answers that an earlier merge has not written yet."""
    new = [outcome for outcome in answers.outcomes if outcome.key not in keys]
    own = {(outcome.id, outcome.repeat) for outcome in new}
    responses = [each for each in answers.responses if (each.id, each.repeat) in own]
    return Asked(new, responses, answers.failures)


def _answers(job: Job, shard: Shard, run: Run) -> Asked:
    """The answers of ``run``; raises if its items are not those of the shard."""
    name = job.item.benchmark
    outcomes, failures = run.by_benchmark.get(name, ()), run.failed.get(name, ())
    there = {each.id for each in outcomes} | {each.id for each in failures}
    expected = set(job.of_shard(shard).ids)
    for ids, how in ((there - expected, "has other items"), (expected - there, "lacks items")):
        if ids:
            what = f"shard {shard} {how} of {name} (such as {min(ids)!r}) than those drawn now"
            remedy = "merge with the data, options and version that the shards were made with"
            raise InputError(what, place=str(run.place), remedy=remedy)
    return Asked(list(outcomes), list(run.responses(name).values()), list(failures))
