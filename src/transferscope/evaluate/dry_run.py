"""Estimate what evaluating a model on a suite would cost, without evaluating it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.records import Message
from ..core.suite import Suite
from ..engines.prompt_form import AS_USUAL, PromptForm
from ..engines.rendering import rendered
from ..models import encode, find_model, load_tokenizer
from .cost_estimate import Measured, Workload
from .evaluate_model import check_model, open_engine
from .speed_measuring import measured
from .workloads import plainly, roughly, workload_of

SECONDS = 30.0
"""How long a model is timed."""
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")


@dataclass(frozen=True, slots=True)
class DryRun:
    """The workloads of a suite, and what was measured.

    ``counted``: prompt tokens are the tokenizer's, else a quarter of the characters. ``measured``
    is ``None`` if the engine was not run.
    """

    workloads: tuple[Workload, ...]
    counted: bool
    measured: Measured | None


def dry_run(
    model: str,
    suite: Suite,
    *,
    engine: str = "hf",
    engine_args: Mapping[str, str] | None = None,
    dtype: str | None = None,
    form: PromptForm = AS_USUAL,
    measure: bool = True,
    **asked: Any,
) -> DryRun:
    """Count what ``suite`` asks of ``model``, and time a model on this machine for 30 seconds.

    ``asked`` are the keyword arguments of :func:`.evaluate_model.check_model`, whose errors are
    raised. ``measure`` is only followed for engine ``hf`` and a model that is already on this
    machine: nothing is downloaded, and no server is asked.
    """
    how: dict[str, Any] = {"engine": engine, "engine_args": engine_args, "dtype": dtype}
    how["form"] = form
    jobs = check_model(model, suite, **how, **asked)
    named = model if engine == "hf" else (engine_args or {}).get("tokenizer")
    tokenizer = load_tokenizer(named) if named and _is_local(named) else None
    count: Callable[[str], int] = roughly
    render: Callable[[Sequence[Message]], str] = plainly
    if tokenizer is not None:
        loaded = tokenizer

        def count(text: str) -> int:
            return len(encode(loaded, text))

        def render(messages: Sequence[Message]) -> str:
            return rendered(loaded, messages, form)

    works = tuple(workload_of(job, count=count, render=render) for job in jobs)
    found = None
    if measure and engine == "hf" and _is_local(model):
        found = measured(open_engine(model, **how), jobs, count=count, seconds=SECONDS)
    return DryRun(works, tokenizer is not None, found)


def _is_local(model: str) -> bool:
    """Whether the model is on this machine, in files or in the hub's cache."""
    from huggingface_hub import try_to_load_from_cache

    weights = find_model(model).weights
    if Path(weights).exists():
        return True
    return any(isinstance(try_to_load_from_cache(weights, name), str) for name in _WEIGHTS)
