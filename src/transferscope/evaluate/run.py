"""Suite x engine -> run folder: one lm-eval call per benchmark, committed when it ends.

Answers are kept as they come (:mod:`~transferscope.runs.journal`): none is paid for twice.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import tasks
from ..core.errors import InputError, MissingExtra
from ..core.records import ModelRef, Tick, no_tick
from ..core.suite import Suite
from ..engines.protocol import Engine
from ..runs import Manifest, RunWriter, read_run
from ..runs.journal import journal
from ..runs.writer import claimed, resumable
from .ask_benchmark import Job, Planned, job_of, run_job


def plan(suite: Suite, *, n: int | None = None) -> list[Planned]:
    """What :func:`evaluate` would run, in its order; loads nothing."""
    return [
        Planned(name, group, suite.benchmarks[name].pack, n, suite.benchmarks[name].repeats)
        for group, names in suite.groups.items()
        for name in names
    ]


def evaluate(
    engine: Engine,
    suite: Suite,
    out: str | Path,
    *,
    model_ref: ModelRef,
    n: int | None = None,
    seed: int = 0,
    tick: Tick = no_tick,
    data: str | Path | None = None,
    packs: Mapping[str, Path] | None = None,
) -> Path:
    """Evaluate the engine's model on every benchmark of ``suite``; returns the run folder.

    ``n`` items per benchmark (``None``: all that the pack has), drawn and decoded with ``seed``.
    Started again, it asks what is missing: what an interrupt kept from being asked, items beyond
    those of a smaller ``n``, and requests that failed for good, which are in no score.
    ``tick(benchmark, items done, items)`` is called within benchmarks too. ``data`` is the folder
    of files that pack ``paper`` reads. ``packs`` maps a
    pack's name to a folder of lm-eval YAML; by default the packs that ship with the package.

    Raises :class:`MissingExtra` when lm-eval or a grader's package is absent, and
    :class:`InputError` for an unknown pack or task, for a folder of another run and for one that
    another process writes.
    """
    need_lm_eval()
    asked: dict[str, Any] = {"n": n, "seed": seed, "data": data, "packs": packs}
    with claimed(out):
        manifest = asked_manifest(engine.describe(), suite, model_ref=model_ref, **asked)
        jobs = pending(suite, Path(out), manifest, **asked)
        return run_jobs(engine, suite, Path(out), manifest, jobs, tick=tick)


def run_jobs(
    engine: Engine,
    suite: Suite,
    out: Path,
    manifest: Manifest,
    jobs: Sequence[Job],
    *,
    tick: Tick = no_tick,
) -> Path:
    """Ask what is left of every job and commit it; ``out`` is claimed by the caller."""
    from .quiet import quiet_lm_eval

    answered = any(job.done for job in jobs)
    with RunWriter.open(out, manifest) as writer:
        for job in jobs:
            name = job.item.benchmark
            if not job.left:
                tick(name, job.total, job.total)
                continue
            with journal(out, name) as kept:
                try:
                    with quiet_lm_eval():
                        new = run_job(engine, suite, job, seed=manifest.seed, tick=tick, kept=kept)
                except ImportError as err:  # a grader's package: langdetect, nltk, math-verify ...
                    needed_for = f"benchmark {name} ({err})"
                    raise MissingExtra("eval", needed_for=needed_for) from err
                if new.failures and not (answered or new.outcomes):
                    what = f"no request was answered: {new.failures[0].why}"
                    remedy = "check the server, then start the same command again"
                    raise InputError(what, place=f"benchmark {name}", remedy=remedy)
                answered = True
                if name not in writer.finished:
                    writer.write_benchmark(name, new.outcomes, new.responses, new.failures)
                elif new.outcomes or {f.key for f in new.failures} != job.failed:
                    writer.add(name, new.outcomes, new.responses, new.failures)
    return out


def need_lm_eval() -> None:
    """Raise :class:`MissingExtra` where lm-eval is absent."""
    try:
        import lm_eval  # noqa: F401
    except ImportError:
        raise MissingExtra("eval", needed_for="evaluation") from None


def task_managers(
    suite: Suite,
    packs: Mapping[str, Path],
    *,
    n: int | None,
    seed: int,
    data: str | Path | None = None,
) -> dict[str, Any]:
    """lm-eval's TaskManager of every pack that the suite uses."""
    from lm_eval.tasks import TaskManager

    metadata: dict[str, Any] = {"seed": seed} if n is None else {"seed": seed, "n": n}
    if data is not None:
        metadata["data"] = str(data)
    managers: dict[str, Any] = {}
    for name, benchmark in suite.benchmarks.items():
        pack = benchmark.pack
        if pack not in packs:
            raise InputError(
                f"unknown pack {pack!r}",
                place=f"suite {suite.name} [benchmarks.{name}]",
                remedy=f"use one of {', '.join(sorted(packs))}",
            )
        if pack not in managers:
            managers[pack] = TaskManager(
                include_path=str(packs[pack]), include_defaults=False, metadata=metadata
            )
        if tasks.task_name(pack, name) not in managers[pack].all_subtasks:
            raise InputError(
                f"pack {pack} has no task {tasks.task_name(pack, name)!r}",
                place=f"suite {suite.name} [benchmarks.{name}]",
                remedy=f"see the YAML files in {packs[pack]}",
            )
    return managers


def asked_manifest(
    about: Mapping[str, Any],
    suite: Suite,
    *,
    model_ref: ModelRef,
    n: int | None,
    seed: int,
    data: str | Path | None = None,
    packs: Mapping[str, Path] | None = None,
) -> Manifest:
    """The manifest of a run of ``suite``; ``about``: what the engine says of itself."""
    from .quiet import quiet_lm_eval

    about = dict(about)
    versions = {name: version(name) for name in ("transferscope", "lm-eval")}
    versions |= {"python": platform.python_version(), **about.pop("versions", {})}
    template = about.pop("template", None)
    packs = tasks.PACKS if packs is None else packs
    with quiet_lm_eval():
        managers = task_managers(suite, packs, n=n, seed=seed, data=data)
        decoding = _decodings(suite, managers)
    return Manifest(
        model=model_ref,
        suite=suite.model_dump(mode="json"),
        suite_hash=suite.hash,
        engine=about,
        decoding=decoding,
        template=template,
        versions=versions,
        seed=seed,
        limit=n,
    )


def pending(
    suite: Suite,
    out: Path,
    manifest: Manifest,
    *,
    n: int | None,
    seed: int,
    data: str | Path | None = None,
    packs: Mapping[str, Path] | None = None,
) -> list[Job]:
    """What is left to ask in the run folder ``out``, benchmark by benchmark; asks nothing.

    Raises :class:`InputError` where ``out`` can't be gone on with as ``manifest``.
    """
    from .quiet import quiet_lm_eval

    existing = resumable(out, manifest)
    run = read_run(out, allow_unfinished=True) if existing and existing.complete else None
    packs = tasks.PACKS if packs is None else packs
    with quiet_lm_eval():
        managers = task_managers(suite, packs, n=n, seed=seed, data=data)
        found = [job_of(item, managers[item.pack], run) for item in plan(suite, n=n)]
    for job in found:
        if others := {id_ for id_, _ in job.done} - {*job.ids}:
            raise InputError(
                f"holds other items of {job.item.benchmark} ({min(others)!r}, for one)",
                place=str(out),
                remedy="name another folder: --out DIR",
            )
    return found


def decodings(
    suite: Suite, *, n: int | None, seed: int, data: str | Path | None = None
) -> dict[str, Any]:
    """How a run of ``suite`` would draw its answers, by benchmark; loads no model.

    Raises as :func:`evaluate` does for an unknown pack or task, and for a file that is missing.
    """
    need_lm_eval()
    from ..tasks.paper import find_file
    from .quiet import quiet_lm_eval

    with quiet_lm_eval():
        found = _decodings(suite, task_managers(suite, tasks.PACKS, n=n, seed=seed, data=data))
    for name, benchmark in suite.benchmarks.items():
        if benchmark.pack == "paper":
            find_file(data, name)
    return found


def _decodings(suite: Suite, managers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _decoding(managers[b.pack], tasks.task_name(b.pack, name))
        for name, b in suite.benchmarks.items()
    }


def _decoding(manager: Any, task: str) -> dict[str, Any]:
    """How answers of one task are drawn, read from its YAML (the run's seed stands apart)."""
    from ..engines.lm_eval_model import decoding_of

    config = manager.task_index[task].cfg
    method = config.get("output_type", "generate_until")
    if method != "generate_until":
        return {"method": method}
    settings = asdict(decoding_of(config.get("generation_kwargs") or {}, seed=0, place=task))
    del settings["seed"]
    return {"method": method, **settings, "stop": list(settings["stop"])}
