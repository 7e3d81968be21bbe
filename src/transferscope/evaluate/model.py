"""A model's name and a suite to a run folder; a complete run costs no model load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.records import ModelRef, Tick, no_tick
from ..core.suite import Suite
from ..engines.base import Engine
from ..models import find_model, fingerprint
from ..runs.manifest import MANIFEST_FILE, Manifest, read_manifest
from .run import decodings, evaluate


def _hf(model: str, dtype: str) -> Engine:
    from ..engines.hf import HFEngine

    return HFEngine(model, dtype=dtype)


ENGINES: dict[str, Callable[[str, str], Engine]] = {"hf": _hf}


def open_engine(model: str, *, engine: str = "hf", dtype: str = "bfloat16") -> Engine:
    """An engine that holds ``model``. Raises :class:`InputError` for an unknown one of either."""
    if engine not in ENGINES:
        raise InputError(f"unknown engine {engine!r}", remedy=f"use one of {', '.join(ENGINES)}")
    find_model(model)
    return ENGINES[engine](model, dtype)


def evaluate_model(
    model: str,
    suite: Suite,
    out: str | Path,
    *,
    base: str | None = None,
    name: str | None = None,
    engine: str = "hf",
    dtype: str = "bfloat16",
    n: int | None = None,
    seed: int = 0,
    data: str | Path | None = None,
    tick: Tick = no_tick,
) -> Path:
    """Evaluate ``model`` (see :func:`~transferscope.models.find_model`) by ``engine``.

    A folder that holds the finished run of the same model, suite, engine, dtype, decoding, items
    and seed is left as it is. ``name`` is what the run calls it (default: ``model``), ``base`` what
    it was tuned from, ``data`` the folder of files that pack ``paper`` reads. Raises as
    :func:`~transferscope.evaluate.evaluate` and ``find_model`` do.
    """
    check_model(model, suite, engine=engine, n=n, seed=seed, data=data)
    ref = ModelRef(name or model, base=base, fingerprint=fingerprint(find_model(model)))
    asked: dict[str, Any] = {"n": n, "seed": seed, "data": data}
    if _is_complete(Path(out), ref, suite, engine=engine, dtype=dtype, **asked):
        return Path(out)
    return evaluate(ENGINES[engine](model, dtype), suite, out, model_ref=ref, tick=tick, **asked)


def check_model(
    model: str,
    suite: Suite,
    *,
    engine: str = "hf",
    n: int | None = None,
    seed: int = 0,
    data: str | Path | None = None,
) -> None:
    """Raise what :func:`evaluate_model` would for a wrong name, engine or pack; no weights."""
    if engine not in ENGINES:
        raise InputError(f"unknown engine {engine!r}", remedy=f"use one of {', '.join(ENGINES)}")
    find_model(model)
    decodings(suite, n=n, seed=seed, data=data)


def _is_complete(
    out: Path,
    ref: ModelRef,
    suite: Suite,
    *,
    engine: str,
    dtype: str,
    n: int | None,
    seed: int,
    data: str | Path | None,
) -> bool:
    """Whether ``out`` holds the finished run of just this; what differs is refused further on."""
    if not (out / MANIFEST_FILE).is_file():
        return False
    manifest = read_manifest(out)
    if manifest.status != "complete" or manifest.model != ref:
        return False
    asked = Manifest(
        model=ref,
        suite=manifest.suite,
        suite_hash=suite.hash,
        engine={"engine": engine, "dtype": dtype},
        decoding=decodings(suite, n=n, seed=seed, data=data),
        template=manifest.template,
        seed=seed,
        limit=n,
    )
    return asked.identity() == manifest.identity()
