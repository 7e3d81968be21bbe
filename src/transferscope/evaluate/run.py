"""Evaluate an engine's model on a suite, one benchmark at a time, each committed when it ends.

Answers are recorded as they arrive (:mod:`~transferscope.runs.journal`), so that an interrupted run
does not pay for any answer twice.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError, MissingExtra
from ..core.records import Failure, ModelRef, Say, Tick, no_say, no_tick
from ..core.shard import Shard
from ..core.suite import Suite
from ..engines.protocol import Engine, Needs, require
from ..runs import Manifest, RunWriter, read_run
from ..runs.journal import Journal, journal
from ..runs.writer import claimed, resumable
from ..tasks import FILE_PACKS, LM_EVAL, Benchmark, Pack, all_packs, find_benchmark
from ..tasks.paper.data_folder import default_folder, refuse_missing
from .benchmark_job import Asked, Job, OwnJob, Planned
from .twin_scores import twin_scores

if TYPE_CHECKING:
    from .lm_eval_loader import LmEvalTasks


DRAWN = 40
"""Items per benchmark of a suite whose packs can draw any number of them."""


def default_limit(suite: Suite) -> int | None:
    """Items per benchmark if the user names no number.

    ``None``, the suite's own number, if every benchmark sets ``items`` or reads files, which are
    finite; else :data:`DRAWN`.
    """
    finite = (own.items is not None or own.pack in FILE_PACKS for own in suite.benchmarks.values())
    return None if all(finite) else DRAWN


def plan(suite: Suite, *, n: int | None = None) -> list[Planned]:
    """The benchmarks that :func:`evaluate` would run, in order; loads nothing."""
    found: list[Planned] = []
    for group, names in suite.groups.items():
        for name in names:
            own = suite.benchmarks[name]
            items = own.items if n is None else min(n, own.items or n)
            found.append(Planned(name, group, own.pack, items, own.repeats))
    return found


def evaluate(
    engine: Engine,
    suite: Suite,
    out: str | Path,
    *,
    model_ref: ModelRef,
    n: int | None = None,
    seed: int = 0,
    max_tokens: int | None = None,
    tick: Tick = no_tick,
    data: str | Path | None = None,
    packs: Mapping[str, Pack] | None = None,
    lm_eval: LmEvalTasks | None = None,
    shard: Shard | None = None,
) -> Path:
    """Evaluate the engine's model on every benchmark of ``suite``; return the run folder.

    ``n`` is the number of items per benchmark (``None``: all that the pack has); they are drawn and
    decoded with ``seed``. When it is started again on the same folder, it asks only what is
    missing: items after an interrupt, items beyond those of a smaller ``n``, and requests that
    failed permanently (these don't count in a score). ``tick(benchmark, items done, items)`` is
    also called within benchmarks. ``data`` is the folder of files for pack ``paper``.
    ``max_tokens``, ``packs``, ``lm_eval`` and ``shard`` are passed to :func:`prepare`.

    Raises :class:`MissingExtra` if lm-eval or a grader's package is needed but not installed, and
    :class:`InputError` for an unknown pack or benchmark, a folder that holds a different run, and
    one that another process is writing.
    """
    how: dict[str, Any] = {"n": n, "seed": seed, "max_tokens": max_tokens, "shard": shard}
    jobs = prepare(suite, **how, data=data, packs=packs, lm_eval=lm_eval)
    with claimed(out):
        about = engine.describe()
        settings: dict[str, Any] = {"model_ref": model_ref, "n": n, "seed": seed, "shard": shard}
        manifest = asked_manifest(about, suite, jobs, **settings)
        left = pending(jobs, Path(out), manifest)
        return run_jobs(engine, Path(out), manifest, left, tick=tick)


def run_jobs(
    engine: Engine,
    out: Path,
    manifest: Manifest,
    jobs: Sequence[Job],
    *,
    tick: Tick = no_tick,
    say: Say = no_say,
) -> Path:
    """Run the remaining part of every job and commit it; the caller must have claimed ``out``.

    A server is tried out before the manifest is written, so that a wrong name leaves no run behind.
    """
    if lacking := [job for job in jobs if job.left]:
        require(engine, needs_of(lacking), say=say)
    answered = any(job.begun for job in jobs)
    with RunWriter.open(out, manifest) as writer:
        for job in jobs:
            name = job.item.benchmark
            if not job.left:
                measure_twins(writer, job)
                tick(name, job.total, job.total)
                continue
            with journal(out, name) as kept:
                new = ask_job(engine, job, seed=manifest.seed, tick=tick, kept=kept)
                if new.failures and not (answered or new.outcomes):
                    raise unanswered(new.failures[0])
                answered = True
                commit(writer, job, new)
            measure_twins(writer, job, anew=True)
    return out


def ask_job(engine: Engine, job: Job, *, seed: int, tick: Tick, kept: Journal) -> Asked:
    """Ask and grade what ``job`` lacks. Raises :class:`MissingExtra` for a grader's package."""
    try:
        return job.ask(engine, seed=seed, tick=tick, kept=kept)
    except ImportError as err:  # langdetect, nltk, math-verify ...
        needed_for = f"benchmark {job.item.benchmark} ({err})"
        raise MissingExtra("eval", needed_for=needed_for) from err


def needs_of(jobs: Sequence[Job]) -> Needs:
    """What these jobs will ask of an engine."""
    drawn = [job.temperature for job in jobs if job.temperature is not None]
    scores = any(job.scores_choices for job in jobs)
    return Needs(bool(drawn), max(drawn, default=0.0), scores)


def unanswered(failure: Failure) -> InputError:
    """The error for an evaluation in which every request has failed."""
    what = f"no request was answered: {failure.why}"
    remedy = "remove the cause, then start the same command again"
    if "context length" in failure.why:
        remedy = "allow shorter answers: --max-tokens N"
    return InputError(what, place=f"benchmark {failure.benchmark}", remedy=remedy)


def commit(writer: RunWriter, job: Job, new: Asked) -> None:
    """Write the answers to what ``job`` lacked; nothing if the same requests failed again."""
    name = job.item.benchmark
    if name not in writer.finished:
        writer.write_benchmark(name, new.outcomes, new.responses, new.failures)
    elif new.outcomes or {f.key for f in new.failures} != job.failed:
        writer.add(name, new.outcomes, new.responses, new.failures)


def measure_twins(writer: RunWriter, job: Job, *, anew: bool = False) -> None:
    """Record what the twins of a committed benchmark's grader give, unless that is known.

    A kill after the commit may have prevented it. ``anew``: there are new answers.
    """
    name = job.item.benchmark
    if not isinstance(job, OwnJob) or name not in writer.finished:
        return
    if not (job.benchmark.twins or job.benchmark.pooled):
        return
    if anew or name not in writer.manifest.metrics:
        run = read_run(writer.path, allow_unfinished=True)
        if run.by_benchmark.get(name):  # else every request has failed
            writer.measured({name: twin_scores(job, run)})


def prepare(
    suite: Suite,
    *,
    n: int | None,
    seed: int,
    max_tokens: int | None = None,
    data: str | Path | None = None,
    packs: Mapping[str, Pack] | None = None,
    lm_eval: LmEvalTasks | None = None,
    chat: bool = True,
    shard: Shard | None = None,
) -> list[Job]:
    """The jobs of ``suite``, in its order, with their items; loads no model.

    ``max_tokens`` caps the answer limit of every benchmark, for small context windows and slow
    machines; the manifest's decoding then has the lower limit.
    ``packs`` defaults to the built-in packs and those of plugins. ``lm_eval`` defaults to the tasks
    of the installed lm-eval, which is loaded only for a suite that uses it. Without ``chat``, they
    are asked in lm-eval's own plain form. With ``shard``, jobs have that share of the items; a
    benchmark may have none in it.

    Raises :class:`InputError` for an unknown pack or benchmark and a file that is missing or
    malformed, and for a shard without any item; :class:`MissingExtra` if lm-eval is needed but not
    installed.
    """
    known = all_packs() if packs is None else packs
    folder = None if data is None else Path(data)
    jobs: list[Job] = []
    planned = plan(suite, n=n)
    read = [item.benchmark for item in planned if item.pack in FILE_PACKS]
    refuse_missing(folder or default_folder(), read, suite=suite.name)
    for item in planned:
        name, chance = item.benchmark, suite.benchmarks[item.benchmark].chance
        place = f"suite {suite.name} [benchmarks.{name}]"
        if item.pack.partition(":")[0] == LM_EVAL:
            from .lm_eval_job import lm_eval_job
            from .lm_eval_loader import LmEvalTasks

            lm_eval = lm_eval or LmEvalTasks()
            how: dict[str, Any] = {"chance": chance, "seed": seed, "max_tokens": max_tokens}
            how["chat"] = chat
            jobs.append(lm_eval_job(item, lm_eval, place=place, **how))
            continue
        benchmark = _capped(find_benchmark(item.pack, name, known, place=place), max_tokens)
        benchmark.ready()
        items = tuple(benchmark.items(item.items, seed=seed, data=folder))
        if len({each.id for each in items}) < len(items) or not items:
            what = "two of its items have the same id" if items else "it has no items"
            raise InputError(what, place=place, remedy="see: transferscope tasks check")
        jobs.append(OwnJob(item, benchmark, items, chance))
    if shard is None:
        return jobs
    shares = [job.of_shard(shard) for job in jobs]
    if not any(job.total for job in shares):
        what = f"shard {shard} has no item of any benchmark"
        raise InputError(what, place="--shard", remedy="split into fewer shards")
    return shares


def _capped(benchmark: Benchmark, max_tokens: int | None) -> Benchmark:
    """``benchmark`` with answers of at most ``max_tokens``."""
    decoding = benchmark.decoding
    if max_tokens is None or decoding is None or decoding.max_tokens <= max_tokens:
        return benchmark
    return replace(benchmark, decoding=replace(decoding, max_tokens=max_tokens))


def asked_manifest(
    about: Mapping[str, Any],
    suite: Suite,
    jobs: Sequence[Job],
    *,
    model_ref: ModelRef,
    n: int | None,
    seed: int,
    shard: Shard | None = None,
) -> Manifest:
    """The manifest of a run of ``suite``; ``about`` is the engine's description of itself."""
    about = dict(about)
    versions = {"transferscope": version("transferscope")}
    with suppress(PackageNotFoundError):  # lm-eval's checkers grade IFEval
        versions["lm-eval"] = version("lm-eval")
    versions |= {"python": platform.python_version(), **about.pop("versions", {})}
    for job in jobs:
        versions |= job.versions
    template = about.pop("template", None)
    return Manifest(
        model=model_ref,
        suite=suite.model_dump(mode="json"),
        suite_hash=suite.hash,
        engine=about,
        decoding={job.item.benchmark: dict(job.method) for job in jobs},
        template=template,
        versions=versions,
        seed=seed,
        limit=n,
        shard=None if shard is None else str(shard),
    )


def pending(jobs: Sequence[Job], out: Path, manifest: Manifest) -> list[Job]:
    """The jobs with the answers that the run folder ``out`` already has; asks nothing.

    Raises :class:`InputError` if ``out`` holds a different run than ``manifest``.
    """
    existing = resumable(out, manifest)
    if not (existing and existing.complete):
        return list(jobs)
    run = read_run(out, allow_unfinished=True)
    return [job.given(run) for job in jobs]
