"""Commands that run or train models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.errors import InputError
from .shared import (
    Dtype,
    EngineArgs,
    EngineName,
    Json,
    ModelName,
    Seed,
    app,
    console,
    print_json,
    say_unfinished,
)


@app.command(name="eval")
def evaluate_command(
    model: ModelName,
    *,
    suite: str = "mini",
    out: Path,
    engine: EngineName = "hf",
    engine_args: EngineArgs = (),
    limit: int = 40,
    seed: Annotated[int, Parameter(validator=Number(gte=0, lt=1_000_000))] = 0,
    dtype: Dtype = None,
    data: Path | None = None,
    base: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Evaluate a model on a suite into a run folder; goes on where it stopped.

    Parameters
    ----------
    suite
        A built-in suite or a suite file.
    out
        The run folder.
    limit
        Items per benchmark.
    seed
        Of the items and of sampling.
    data
        Folder of the files that real benchmarks are read from.
    base
        The model it was tuned from; recorded in the run.
    dry_run
        Show what would be done.
    """
    from ..core.suite import load_suite
    from ..evaluate import check_model, engine_options, evaluate_model
    from ..evaluate import plan as plan_evaluation

    chosen = load_suite(suite)
    if limit < 1:
        raise InputError("must be at least 1", place="--limit")
    if out.is_file():
        raise InputError("is a file", place=str(out), remedy="name another folder: --out DIR")
    how: dict[str, Any] = {"engine": engine, "engine_args": engine_options(engine_args)}
    how |= {"dtype": dtype, "n": limit, "seed": seed, "data": data}
    if dry_run:
        check_model(model, chosen, **how)
        for item in plan_evaluation(chosen, n=limit):
            print(f"{item.group:10} {item.benchmark:24} {limit:6} items x {item.repeats}")
        return
    from ..report.progress import progress

    with progress() as tick:
        evaluate_model(model, chosen, out, base=base, tick=tick, **how)
    print(f"run folder: {out}", file=sys.stderr)


@app.command
def train(
    arm: str,
    *,
    out: Path,
    model: ModelName = "smollm2-135m",
    steps: int | None = None,
    learning_rate: float | None = None,
    lora_rank: int | None = None,
    queries: str | None = None,
    teacher: str | None = None,
    seed: Seed = 0,
) -> None:
    """Train one arm; goes on where it stopped.

    Parameters
    ----------
    arm
        off-policy-sft, on-policy-sft, off-policy-rl, on-policy-rl-no-kl, on-policy-rl,
        random-reward or classic-sft (docs/science.md section 6).
    out
        Folder of the tuned model and its log.
    steps
        Optimiser steps; default: the demo's.
    learning_rate
        Default: the demo's.
    lora_rank
        0 trains all weights (the default), else adapters of this rank.
    queries
        JSONL with "prompt" and "gold", hub:OWNER/NAME, mini:BENCHMARK; default: built in.
    teacher
        Responses that `distill` wrote, for off-policy arms; default: built in.
    """
    from ..report.progress import progress
    from ..train import arm_config, train_arm

    given: dict[str, Any] = {"model": model, "steps": steps, "learning_rate": learning_rate}
    given |= {"seed": seed, "lora_rank": lora_rank, "queries_from": queries, "teacher": teacher}
    config = arm_config(
        {"arm": arm} | {k: v for k, v in given.items() if v is not None}, place="options"
    )
    if teacher is not None and Path(teacher).is_file():
        say_unfinished(Path(teacher))
    with progress() as tick:
        train_arm(config, out, tick=tick)
    print(f"tuned model: {out}", file=sys.stderr)


@app.command(name="distill")
def distill_command(
    teacher: ModelName,
    *,
    queries: str,
    out: Path,
    count: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    samples: Annotated[int, Parameter(validator=Number(gte=1))] = 4,
    max_tokens: Annotated[int, Parameter(validator=Number(gte=1))] = 512,
    temperature: Annotated[float, Parameter(validator=Number(gte=0))] = 0.7,
    engine: EngineName = "hf",
    engine_args: EngineArgs = (),
    dtype: Dtype = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Sample a teacher's responses to training queries; goes on where it stopped.

    Every response is graded by the one grader and kept: an SFT arm takes the correct ones, an RL
    arm all of them (settings: queries_from and teacher).

    Parameters
    ----------
    queries
        JSONL with "prompt" and "gold", hub:OWNER/NAME, mini:BENCHMARK (?level=3-5 for MATH).
    out
        JSONL of responses.
    count
        Queries, the first of the source; default: all.
    samples
        Responses to each.
    max_tokens
        Of a response.
    temperature
        Of sampling.
    seed
        Of sampling.
    """
    from dataclasses import asdict

    from ..evaluate import engine_options, open_engine
    from ..report.progress import progress
    from ..train.distill import distill
    from ..train.pool import read_queries

    asked = read_queries(queries)[:count]
    if out.is_dir() or not out.parent.is_dir():
        what = "is a folder" if out.is_dir() else f"no folder {out.parent}"
        raise InputError(what, place=str(out), remedy="name a .jsonl file")
    options = engine_options(engine_args)
    with progress() as tick:
        found = distill(
            open_engine(teacher, engine=engine, engine_args=options, dtype=dtype),
            asked,
            out,
            samples=samples,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            tick=tick,
        )
    if as_json:
        print_json(asdict(found))
        return
    print(f"{found.responses} responses to {found.queries} queries in {out}")
    print(f"{found.correct} correct; {found.solved} queries have a correct one")
    if found.unfinished:
        print(f"{found.unfinished} unfinished: no arm takes them; raise --max-tokens")


@app.command
def trace(
    checkpoints: Path,
    *,
    base: ModelName,
    out: Path,
    suite: str = "mini",
    limit: Annotated[int, Parameter(validator=Number(gte=2))] = 40,
    seed: Annotated[int, Parameter(validator=Number(gte=0, lt=1_000_000))] = 0,
    data: Path | None = None,
    as_json: Json = False,
) -> None:
    """Gain, retention and KL over a finished run's checkpoints.

    Parameters
    ----------
    checkpoints
        Folder above checkpoint-N, verl's global_step_N (merged), or N.
    out
        Folder of run folders, trace.jsonl and report.html; started again, it goes on.
    suite
        A built-in suite or a suite file.
    limit
        Items per benchmark.
    seed
        Of the items.
    data
        Folder of the files that real benchmarks are read from.
    """
    from dataclasses import asdict

    from ..core.suite import load_suite
    from ..report.progress import progress
    from ..report.trace import print_trace, write_trace
    from ..track import find_checkpoints
    from ..track import trace as trace_checkpoints

    chosen = load_suite(suite)
    find_checkpoints(checkpoints)
    with progress() as tick:
        comparison, rows = trace_checkpoints(
            checkpoints,
            base=base,
            suite=chosen,
            out=out,
            n=limit,
            seed=seed,
            data=data,
            tick=tick,
        )
    table = [asdict(row) for row in rows]
    page = write_trace(out, comparison, table)
    print(f"wrote {page}", file=sys.stderr)
    if as_json:
        print_json({"base": base, "steps": table})
        return
    print_trace(table, console())


@app.command
def study(file: Path, *, out: Path | None = None) -> None:
    """Train, evaluate, probe, compare and report from one TOML file; resumable.

    Parameters
    ----------
    file
        The study's TOML.
    out
        Folder of its stages; default: beside the file, named after it.
    """
    from ..study import load_study

    _run_study(load_study(file), out or file.with_suffix(""))


@app.command
def demo(
    *, out: Path = Path("demo"), train_arms: Annotated[bool, Parameter(name="--train")] = False
) -> None:
    """The whole way on the embedded model: two tuned arms, evaluated, probed, one report.

    Parameters
    ----------
    out
        Folder of the stages; started again, the demo goes on where it stopped.
    train_arms
        Train both arms (about 15 minutes more) in place of the reference study's adapters, which a
        checkout carries.
    """
    from ..study import demo_study, shipped_adapters

    _run_study(demo_study(None if train_arms else shipped_adapters()), out)


def _run_study(config: Any, out: Path) -> None:
    from ..report.progress import progress
    from ..report.study import print_study
    from ..report.terminal import print_verdict
    from ..study import check_study, plan_study, run_study

    terminal = console()
    check_study(config, out)
    for line in plan_study(config, out).lines():
        print(line, file=sys.stderr)
    with progress() as tick:
        report = run_study(config, out, tick=tick, say=lambda t: print(t, file=sys.stderr))
    if any(mean["runs"] > 1 for mean in report.arm_means):
        print_study(report, terminal)
    else:
        print_verdict(report.comparison, terminal)
    terminal.print(f"\nreport: {out / 'report.html'}", soft_wrap=True)
