"""Tracing of a finished training run: every checkpoint evaluated and compared with the base."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..compare import Comparison, compare_runs
from ..core.errors import InputError
from ..core.files import check_folder
from ..core.records import Tick, no_tick
from ..core.suite import Suite
from ..evaluate import check_model, evaluate_model
from ..evaluate.evaluate_model import dtype_of
from ..models import AUTO, find_model, settled
from ..probe.texts import run_responses
from ..runs import pair, read_run
from .looks import joint_bounds, look_of
from .trace_rows import FILE, Row, read_rows, row_of, write_rows

_STEP = re.compile(r"(?:checkpoint-|global_step_|step-|iter_|)(\d+)")


def find_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Find (step, model folder) of every checkpoint in ``folder``, ordered by step.

    Recognised names are ``checkpoint-N`` (transformers, TRL), ``N`` (an arm's ``at/``) and verl's
    ``global_step_N`` once it is merged. Raises :class:`InputError` if there is none, for verl's
    unmerged shards (with the merge command), and for two checkpoints of the same step.
    """
    if not folder.is_dir():
        raise InputError("is not a folder", place=str(folder), remedy="name a run's folder")
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        match = _STEP.fullmatch(path.name)
        if match is None or not path.is_dir():
            continue
        model = _model_in(path)
        if model is None:
            continue
        step = int(match[1])
        if step in found:
            names = " and ".join(str(m.relative_to(folder)) for m in (found[step], model))
            remedy = "move one of them elsewhere"
            raise InputError(f"{names} both hold step {step}", place=str(folder), remedy=remedy)
        found[step] = model
    if not found:
        raise InputError(
            "holds no checkpoint",
            place=str(folder),
            remedy="name the folder that contains checkpoint-N, global_step_N or N",
        )
    return sorted(found.items())


def trace(
    checkpoints: Path,
    *,
    base: str,
    suite: Suite,
    out: Path,
    kl_items: int = 2,
    dtype: str = AUTO,
    tick: Tick = no_tick,
    **options: Any,
) -> tuple[Comparison, list[Row]]:
    """Evaluate base and checkpoints into ``out``; return the comparison and a row per step.

    The rows' joint bounds hold over all these checkpoints together; each checkpoint is one look.
    ``options`` are those of :func:`~transferscope.evaluate.evaluate_model` (``n``, ``seed``,
    ``data``). Answers are generated in ``dtype``. An interrupted trace resumes where it stopped.
    Raises as :func:`find_checkpoints` and ``evaluate_model`` do, and :class:`InputError` if ``out``
    is a file or its ``trace.jsonl`` was not written by a trace.
    """
    from ..probe.tokens import token_shift

    check_folder(out)
    if (out / FILE).exists():
        read_rows(out / FILE)  # never overwrite a file that another program wrote
    found = find_checkpoints(checkpoints)
    check_model(base, suite, **options)
    # All steps use the dtype of the base's answers, on whatever machine the trace is resumed.
    options |= {"dtype": settled(dtype, dtype_of(out / "runs" / "base")), "tick": tick}
    base_run = read_run(evaluate_model(base, suite, out / "runs" / "base", **options))
    runs, shifts = [], []
    rows, labels = run_responses(base_run, items=max(1, kl_items))
    for step, path in found:
        name = f"step {step}"
        folder = out / "runs" / f"step-{step}"
        runs.append(
            read_run(evaluate_model(str(path), suite, folder, base=base, name=name, **options))
        )
        shifts.append(
            token_shift(base, str(path), rows, prefix="base", labels=labels, tick=tick)
            if kl_items
            else None
        )
    pairings = [pair(base_run, run) for run in runs]
    comparison = compare_runs(base_run, runs, pairings=pairings)
    looks = [look_of(pairing, suite) for pairing in pairings]
    table = [
        row_of(step, result, kl, joint_bounds(looks[:at], suite, planned=len(found)))
        for at, ((step, _), result, kl) in enumerate(
            zip(found, comparison.tuned, shifts, strict=True), start=1
        )
    ]
    write_rows(out / FILE, table)
    return comparison, table


def _model_in(path: Path) -> Path | None:
    """Return the checkpoint's model folder; verl keeps it one or two levels further down."""
    for folder in (path, path / "actor" / "huggingface", path / "actor", path / "huggingface"):
        if not folder.is_dir():
            continue
        if any(folder.glob("model_world_size_*")):
            find_model(str(folder))  # raises with the merge command
        weights = any(folder.glob("*.safetensors")) or any(folder.glob("*.bin"))
        described = any(
            (folder / name).is_file() for name in ("config.json", "adapter_config.json")
        )
        if weights and described:
            return folder
    return None
