"""Evaluate a model, given by name, on a suite into a run folder.

The model is not loaded if the run is already complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.records import ModelRef, Say, Tick, no_say, no_tick
from ..core.shard import Shard
from ..core.suite import Suite
from ..documents.run_manifest import Manifest
from ..engines.prompt_form import AS_USUAL, PromptForm
from ..engines.protocol import Engine
from ..models import AUTO, DTYPES
from ..runs import read_run
from ..runs.manifest import MANIFEST_FILE, read_manifest
from ..runs.writer import claimed, resumable
from .backends import Backend, backend
from .benchmark_job import Job
from .run import asked_manifest, pending, prepare, run_jobs

if TYPE_CHECKING:
    from .lm_eval_loader import LmEvalTasks


def open_engine(
    model: str,
    *,
    engine: str = "hf",
    engine_args: Mapping[str, str] | None = None,
    dtype: str | None = None,
    form: PromptForm = AS_USUAL,
) -> Engine:
    """Open an engine with ``model``, whose prompts have this ``form``.

    Raises :class:`InputError` for an unknown engine or model and for options that don't apply.
    """
    chosen = backend(engine, engine_args, dtype=dtype, form=form)
    chosen.check(model)
    return chosen.open(model)


def evaluate_model(
    model: str,
    suite: Suite,
    out: str | Path,
    *,
    base: str | None = None,
    name: str | None = None,
    engine: str = "hf",
    engine_args: Mapping[str, str] | None = None,
    dtype: str | None = None,
    form: PromptForm = AS_USUAL,
    n: int | None = None,
    seed: int = 0,
    max_tokens: int | None = None,
    data: str | Path | None = None,
    lm_eval: LmEvalTasks | None = None,
    shard: Shard | None = None,
    tick: Tick = no_tick,
    say: Say = no_say,
) -> Path:
    """Evaluate ``model`` with ``engine`` into the run folder ``out``.

    With engine ``hf``, ``model`` is a name for :func:`~transferscope.models.find_model` and is
    loaded as ``dtype``. The default, ``auto``, is the dtype that an existing run in ``out`` has,
    else the one that the hardware multiplies natively. With engine ``openai``, ``model`` is its
    name on the server that ``engine_args`` describes (fields of
    :class:`~transferscope.engines.ServerOptions`).

    A folder with the finished run of the same model, suite, engine, dtype, decoding, items and
    seed is not changed; an unfinished one is completed. All input is checked before the model is
    loaded. ``name`` is the model's name in the run (default: ``model``), ``base`` the model it was
    tuned from, ``form`` how messages become a prompt, ``data`` the folder of files for pack
    ``paper``, and ``lm_eval`` the tasks for pack ``lm-eval``. ``max_tokens`` caps the answer limit
    of every benchmark, and ``shard`` is the share of every benchmark's items to evaluate. ``say``
    is told of a wait for a server. Raises the same errors as
    :func:`~transferscope.evaluate.evaluate` and ``find_model``.
    """
    out = Path(out)
    if dtype in (None, AUTO):
        dtype = dtype_of(out)
    chosen = backend(engine, engine_args, dtype=dtype, form=form)
    drawn: dict[str, Any] = {"n": n, "seed": seed, "shard": shard}
    how: dict[str, Any] = {"form": form, "max_tokens": max_tokens} | drawn
    jobs = checked(chosen, model, suite, **how, data=data, lm_eval=lm_eval)
    ref = ModelRef(name or model, base=base, fingerprint=chosen.fingerprint(model))
    asked: dict[str, Any] = {"model_ref": ref} | drawn
    manifest = asked_manifest(chosen.identity, suite, jobs, **asked)
    if (out / MANIFEST_FILE).is_file():  # the model's own template is known only once it is loaded
        manifest = replace(manifest, template=read_manifest(out).template)
    if is_finished(out, manifest):
        read_run(out)  # raises if the files were changed
        return out
    with claimed(out):
        left = pending(jobs, out, manifest)
        existing = resumable(out, manifest)
        # Another process has finished the run meanwhile, or the pack has no further items.
        if existing and existing.status == "complete" and not any(job.left for job in left):
            return out
        opened = chosen.open(model)
        manifest = asked_manifest(opened.describe(), suite, jobs, **asked)
        return run_jobs(opened, out, manifest, left, tick=tick, say=say)


def is_finished(out: Path, manifest: Manifest) -> bool:
    """Whether nothing is left to ask; raises if the run in ``out`` can't be resumed."""
    existing = resumable(out, manifest)
    if existing is None or existing.status != "complete":
        return False
    return existing.limit == manifest.limit and not existing.failed


def dtype_of(out: Path) -> str | None:
    """The dtype of the run in ``out`` whose engine loads weights; ``None`` if there is none.

    Raises :class:`InputError` for a manifest that can't be read.
    """
    if not (out / MANIFEST_FILE).is_file():
        return None
    engine = read_manifest(out).engine
    found = engine.get("dtype")
    return found if engine.get("engine") in ("hf", "vllm") and found in DTYPES else None


def check_model(
    model: str,
    suite: Suite,
    *,
    engine: str = "hf",
    engine_args: Mapping[str, str] | None = None,
    dtype: str | None = None,
    form: PromptForm = AS_USUAL,
    n: int | None = None,
    seed: int = 0,
    max_tokens: int | None = None,
    data: str | Path | None = None,
    lm_eval: LmEvalTasks | None = None,
    shard: Shard | None = None,
) -> list[Job]:
    """The jobs that :func:`evaluate_model` would run. Loads no weights and contacts no server.

    Raises the error that it would for a wrong name, engine, option or pack.
    """
    chosen = backend(engine, engine_args, dtype=dtype, form=form)
    how: dict[str, Any] = {"form": form, "n": n, "seed": seed, "max_tokens": max_tokens}
    return checked(chosen, model, suite, **how, shard=shard, data=data, lm_eval=lm_eval)


def checked(
    chosen: Backend,
    model: str,
    suite: Suite,
    *,
    form: PromptForm,
    n: int | None,
    seed: int,
    max_tokens: int | None,
    data: str | Path | None,
    lm_eval: LmEvalTasks | None,
    shard: Shard | None = None,
) -> list[Job]:
    """The jobs of ``suite``, after a check that the engine can answer all of them."""
    chosen.check(model)
    how: dict[str, Any] = {"n": n, "seed": seed, "max_tokens": max_tokens, "chat": form.template}
    jobs = prepare(suite, **how, shard=shard, data=data, lm_eval=lm_eval)
    scored = [job.item.benchmark for job in jobs if job.scores_choices]
    if scored and not chosen.scores_choices:
        raise InputError(
            "its choices can't be scored through a server's chat API",
            place=f"benchmark {scored[0]}",
            remedy="add --engine-args tokenizer=MODEL, the served model's name or folder",
        )
    return jobs
