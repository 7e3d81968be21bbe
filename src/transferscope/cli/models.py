"""Commands that run models: eval, trace, and the full pipelines study and demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.errors import InputError
from ..core.files import check_folder
from ..core.shard import Shard
from ..core.shown import sentence
from .dry_run import DryRunOptions, show_dry_run
from .outputs import check_outputs
from .scaling import RayAddress, asked_cluster, asked_models, evaluate_all
from .shared import (
    Arithmetic,
    Dtype,
    EngineArgs,
    EngineName,
    Int,
    Json,
    Mapping_,
    ModelName,
    UnsafeNoSandbox,
    allow_unconfined_programs,
    app,
    console,
    print_json,
    say,
)

if TYPE_CHECKING:
    from ..core.suite import Suite
    from ..evaluate.lm_eval_loader import LmEvalTasks

_DRY_RUN = DryRunOptions()


@app.command(name="eval")
def evaluate_command(
    model: ModelName,
    *,
    suite: str | None = None,
    tasks: str | None = None,
    include_path: Path | None = None,
    mapping: Mapping_ = None,
    out: Path | None = None,
    engine: EngineName = "hf",
    engine_args: EngineArgs = (),
    limit: Int | None = None,
    max_tokens: Annotated[Int | None, Parameter(validator=Number(gte=1))] = None,
    seed: Annotated[Int, Parameter(validator=Number(gte=0, lt=1_000_000))] = 0,
    dtype: Dtype = "auto",
    template: Literal["on", "off"] = "on",
    thinking: Literal["default", "on", "off"] = "default",
    data: Path | None = None,
    base: str | None = None,
    called: Annotated[str | None, Parameter(name="--name")] = None,
    unsafe_no_sandbox: UnsafeNoSandbox = False,
    shard: str | None = None,
    ray: RayAddress = None,
    shards: Int | None = None,
    gpus_per_worker: Int | None = None,
    cpus_per_worker: Int | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    options: Annotated[DryRunOptions, Parameter(name="*")] = _DRY_RUN,
) -> None:
    """Evaluate a model on a suite or on lm-eval's tasks and write a run folder.

    MODEL may be a file of models (.txt or .toml, docs/clusters.md): then --out holds one run folder
    for each of them. A rerun resumes where it stopped.

    Parameters
    ----------
    suite
        A built-in suite or a suite file; default: mini.
    tasks
        Comma-separated tasks, groups or tags of the installed lm-eval to run instead of a suite,
        such as gsm8k,mmlu.
    include_path
        Folder with your own YAML tasks for lm-eval.
    mapping
        TOML file that assigns tasks to groups and names their metric, as for import.
    out
        Run folder to write; needed unless --dry-run is given.
    limit
        Items per benchmark, or documents per lm-eval task. Default: the suite's own number for
        benchmarks read from files, else 40.
    max_tokens
        Upper limit on the length of answers in all benchmarks; lower limits stay.
    seed
        Random seed for items, examples in prompts and sampling.
    template
        off sends the text of each message without the model's chat template.
    thinking
        Switches the reasoning of a model whose chat template can (default: as the template has it).
        Reasoning blocks are removed before grading in any case.
    data
        Folder with the data files of real benchmarks.
    base
        Model that this one was tuned from; recorded in the run.
    called
        Name of the model in the run, if compare is to tell two runs of one model apart.
    shard
        i/n: evaluate only share i of n of every benchmark's items; join all shards with merge.
    shards
        With --ray: parts per benchmark (default: about two per worker in total).
    gpus_per_worker
        With --ray: GPUs per worker (default: 1 if the cluster has any).
    cpus_per_worker
        With --ray: CPU cores per worker (default: all of a machine, or 1 beside a GPU).
    dry_run
        Print what the evaluation could detect and what it would cost, without running it. A model
        on this machine is timed for 30 seconds.
    """
    from ..engines.prompt_form import PromptForm
    from ..evaluate import default_limit, engine_options

    if limit is not None and limit < 1:
        raise InputError("must be at least 1", place="--limit")
    if unsafe_no_sandbox:
        allow_unconfined_programs()
    inputs = [model, suite, data, base, include_path, mapping]
    if out is None and not dry_run:
        raise InputError("no run folder is named", place="--out", remedy="add --out DIR")
    if out is not None:
        check_outputs({"--out": out}, inputs, resumes=True)
        check_folder(out)
    chosen, lm_eval = _asked_suite(
        suite, tasks, include_path=include_path, mapping=mapping, seed=seed
    )
    how: dict[str, Any] = {"engine": engine, "engine_args": engine_options(engine_args)}
    how |= {"form": PromptForm.parse(template, thinking), "dtype": dtype, "seed": seed}
    how |= {"n": default_limit(chosen) if limit is None else limit, "max_tokens": max_tokens}
    how |= {"data": data, "lm_eval": lm_eval}
    how["shard"] = None if shard is None else Shard.parse(shard)
    cluster = asked_cluster(
        ray, shard=shard, shards=shards, gpus=gpus_per_worker, cpus=cpus_per_worker
    )
    models = asked_models(model, base=base, called=called, out=out or Path())
    if dry_run:
        for each, _ in models:
            show_dry_run(each.model, chosen, options, how=how)
        return
    options.refuse_without_dry_run()
    evaluate_all(models, chosen, cluster, how)


def _asked_suite(
    suite: str | None,
    tasks: str | None,
    *,
    include_path: Path | None,
    mapping: Path | None,
    seed: int,
) -> tuple[Suite, LmEvalTasks | None]:
    """The suite to evaluate, and lm-eval's tasks if options name any."""
    from ..core.suite import load_suite

    if tasks is None and include_path is None and mapping is None:
        return load_suite(suite or "mini"), None
    if tasks is None and suite is None:
        option = "--include-path" if include_path is not None else "--map"
        raise InputError(
            "only applies to lm-eval tasks", place=option, remedy="add --tasks NAME,NAME"
        )
    if tasks is not None and suite is not None:
        raise InputError("can't be combined with --suite", place="--tasks", remedy="remove one")
    from ..core.taxonomy import load_taxonomy
    from ..evaluate.lm_eval_loader import UNMAPPED, LmEvalTasks

    found = LmEvalTasks(include_path, load_taxonomy(mapping))
    if tasks is None:
        return load_suite(suite or "mini"), found
    names = [each.strip() for each in tasks.split(",") if each.strip()]
    if not names:
        raise InputError("names no task", place="--tasks", remedy="write --tasks gsm8k,mmlu")
    chosen = found.suite(names, seed=seed)
    if unmapped := chosen.groups.get(UNMAPPED):
        remedy = "name their group with --map FILE (docs/importing.md)"
        say(f"tasks in no known group: {', '.join(unmapped)}; {remedy}")
    return chosen, found


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
    """Evaluate the checkpoints of a finished training run: gain, retention and KL by step.

    Parameters
    ----------
    checkpoints
        Folder that contains checkpoint-N, verl's global_step_N (merged) or N.
    out
        Folder for the runs, trace.jsonl and report.html. A rerun resumes where it stopped.
    suite
        A built-in suite or a suite file.
    limit
        Items per benchmark.
    seed
        Random seed of the items.
    data
        Folder with the data files of real benchmarks.
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
    """Run a controlled study from one TOML file: train, evaluate, probe, compare, report.

    A rerun resumes where it stopped.

    Parameters
    ----------
    file
        TOML file that describes the study.
    out
        Folder for its stages (default: beside the file, with the same name).
    data
        Folder with the data files of real benchmarks.
    dtype
        Precision of evaluation and of training's arithmetic unless the file sets it. auto keeps
        what the study was started in; else it is bfloat16 if the hardware supports it, else
        float32.
    so_far
        Report on the models that are already measured, without training or evaluating any.
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
    """Run the full pipeline on the embedded model: two tuned arms, evaluated, probed, one report.

    Parameters
    ----------
    out
        Folder for the stages. A rerun resumes where the demo stopped.
    train_arms
        Train both arms first (about 15 minutes more) instead of using the reference study's
        adapters, which a checkout contains.
    dtype
        Precision of evaluation and of training's arithmetic. auto keeps what the demo was started
        in; else it is bfloat16 if the hardware supports it, else float32.
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
    if any(mean.runs > 1 for mean in report.arm_means):
        print_study(report, terminal)
    else:
        print_verdict(report.comparison, terminal)
    terminal.print(f"\nreport: {sentence(out / 'report.html')}", soft_wrap=True)
