"""Commands that run models, and those that go the whole way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.errors import InputError
from ..core.files import check_folder
from ..core.shown import name, sentence
from .outputs import check_outputs
from .shared import (
    Arithmetic,
    Dtype,
    EngineArgs,
    EngineName,
    Int,
    Json,
    ModelName,
    app,
    console,
    print_json,
    say,
)


@app.command(name="eval")
def evaluate_command(
    model: ModelName,
    *,
    suite: str = "mini",
    out: Path,
    engine: EngineName = "hf",
    engine_args: EngineArgs = (),
    limit: Int = 40,
    seed: Annotated[Int, Parameter(validator=Number(gte=0, lt=1_000_000))] = 0,
    dtype: Dtype = "auto",
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
    check_outputs({"--out": out}, [model, suite, data, base], resumes=True)
    check_folder(out)
    how: dict[str, Any] = {"engine": engine, "engine_args": engine_options(engine_args)}
    how |= {"dtype": dtype, "n": limit, "seed": seed, "data": data}
    if dry_run:
        check_model(model, chosen, **how)
        for item in plan_evaluation(chosen, n=limit):
            print(
                f"{name(item.group):10} {name(item.benchmark):24} {limit:6} items x {item.repeats}"
            )
        return
    from ..report.failures import failures_said
    from ..report.progress import progress
    from ..runs import read_run

    with progress() as tick:
        evaluate_model(model, chosen, out, base=base, tick=tick, **how)
    for line in failures_said(read_run(out)):
        say(line)
    say(f"run folder: {out}")


@app.command
def trace(
    checkpoints: Path,
    *,
    base: ModelName,
    out: Path,
    suite: str = "mini",
    limit: Annotated[Int, Parameter(validator=Number(gte=2))] = 40,
    seed: Annotated[Int, Parameter(validator=Number(gte=0, lt=1_000_000))] = 0,
    dtype: Dtype = "auto",
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
    from ..report.trace import check_page, print_trace, write_trace
    from ..track import find_checkpoints
    from ..track import trace as trace_checkpoints

    check_outputs({"--out": out}, [checkpoints, base, suite, data])
    chosen = load_suite(suite)
    find_checkpoints(checkpoints)
    check_folder(out)
    check_page(out)
    with progress() as tick:
        comparison, rows = trace_checkpoints(
            checkpoints,
            base=base,
            suite=chosen,
            out=out,
            n=limit,
            seed=seed,
            dtype=dtype,
            data=data,
            tick=tick,
        )
    table = [asdict(row) for row in rows]
    page = write_trace(out, comparison, table)
    say(f"wrote {page}")
    if as_json:
        print_json({"base": base, "steps": table})
        return
    print_trace(table, console())


@app.command
def study(
    file: Path,
    *,
    out: Path | None = None,
    data: Path | None = None,
    dtype: Arithmetic = "auto",
    so_far: bool = False,
) -> None:
    """Train, evaluate, probe, compare and report from one TOML file; resumable.

    Parameters
    ----------
    file
        The study's TOML.
    out
        Folder of its stages; default: beside the file, named after it.
    data
        Folder of the files that real benchmarks are read from.
    dtype
        Of evaluation and of training's arithmetic, unless the file says otherwise; auto: what the
        study was begun in, else bfloat16 where the hardware multiplies it, else float32.
    so_far
        Report on the models that are measured already; train and evaluate nothing.
    """
    from ..study import load_study, report_so_far

    folder = out or file.with_suffix("")
    check_outputs({"--out": folder}, [file, data])
    config = load_study(file)
    if so_far:
        _show_study(report_so_far(config, folder), folder)
    else:
        _run_study(config, folder, data, dtype=dtype)


@app.command
def demo(
    *,
    out: Path = Path("demo"),
    train_arms: Annotated[bool, Parameter(name="--train")] = False,
    dtype: Arithmetic = "auto",
) -> None:
    """The whole way on the embedded model: two tuned arms, evaluated, probed, one report.

    Parameters
    ----------
    out
        Folder of the stages; started again, the demo goes on where it stopped.
    train_arms
        Train both arms (about 15 minutes more) in place of the reference study's adapters, which a
        checkout carries.
    dtype
        Of evaluation and of training's arithmetic; auto: what the demo was begun in, else bfloat16
        where the hardware multiplies it, else float32.
    """
    from ..study import demo_study, paced, shipped_adapters

    check_outputs({"--out": out})
    check_folder(out)
    config = demo_study(None if train_arms else shipped_adapters())
    found = paced(config, out, dtype=dtype)
    if found.note:
        say(found.note)
    _run_study(found.config, out, dtype=dtype, pace=found.pace)


def _run_study(
    config: Any,
    out: Path,
    data: Path | None = None,
    *,
    dtype: str,
    pace: float | None = None,
) -> None:
    from ..report.progress import progress
    from ..study import run_study

    with progress() as tick:
        report = run_study(config, out, data=data, dtype=dtype, pace=pace, tick=tick, say=say)
    _show_study(report, out)


def _show_study(report: Any, out: Path) -> None:
    from ..report.study import print_study
    from ..report.terminal import print_verdict

    terminal = console()
    if any(mean["runs"] > 1 for mean in report.arm_means):
        print_study(report, terminal)
    else:
        print_verdict(report.comparison, terminal)
    terminal.print(f"\nreport: {sentence(out / 'report.html')}", soft_wrap=True)
