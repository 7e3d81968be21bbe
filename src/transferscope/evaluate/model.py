"""A model's name and a suite to a run folder; a complete run costs no model load."""

from __future__ import annotations

from pathlib import Path

from ..core.records import ModelRef, Tick, no_tick
from ..core.suite import Suite
from ..models import find_model, fingerprint
from ..runs.manifest import MANIFEST_FILE, read_manifest
from .run import evaluate


def evaluate_model(
    model: str,
    suite: Suite,
    out: str | Path,
    *,
    base: str | None = None,
    name: str | None = None,
    dtype: str = "bfloat16",
    n: int | None = None,
    seed: int = 0,
    tick: Tick = no_tick,
) -> Path:
    """Evaluate ``model`` (see :func:`~transferscope.models.find_model`) with transformers.

    ``name`` is what the run calls it (default: ``model``), ``base`` what it was tuned from.
    Raises as :func:`~transferscope.evaluate.evaluate` and ``find_model`` do.
    """
    source = find_model(model)
    ref = ModelRef(name or model, base=base, fingerprint=fingerprint(source))
    if is_complete(Path(out), ref, suite, n=n, seed=seed):
        return Path(out)
    from ..engines.hf import HFEngine

    engine = HFEngine(model, dtype=dtype)
    return evaluate(engine, suite, out, model_ref=ref, n=n, seed=seed, tick=tick)


def is_complete(out: Path, ref: ModelRef, suite: Suite, *, n: int | None, seed: int) -> bool:
    """Whether ``out`` holds the finished run of just this model, suite, items and seed."""
    if not (out / MANIFEST_FILE).is_file():
        return False
    manifest = read_manifest(out)
    mine = (ref.name, ref.fingerprint, suite.hash, n, seed)
    model = manifest.model
    theirs = (model.name, model.fingerprint, manifest.suite_hash, manifest.limit, manifest.seed)
    return manifest.status == "complete" and mine == theirs
