"""``probe weights``: how much of the weights a tuning moved, read tensor by tensor from disk.

Claims in the literature that RL changes few weights rest on the share that differs when stored in
bfloat16; both shares are given (docs/science.md section 5). Memory: one matrix of each model.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..core.errors import InputError
from ..core.records import Tick, no_tick
from ..core.weights import THRESHOLD, MatrixChange, WeightsShift, shift_of
from ..models import ModelSource, find_model
from .adapters import Adapter, adapter_of
from .tensors import Tensors, tensors_of

SPECTRAL_TOLERANCE = 1e-7
"""Relative, of the largest singular value: what is left of float32 after one product."""
HEAD = "lm_head.weight"
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
"""What models call their input embeddings, at the name's end."""
DENSE = 64
"""Below this smaller dimension the singular values are computed outright."""


def weights_shift(
    base: str | ModelSource, tuned: str | ModelSource, *, tick: Tick = no_tick
) -> WeightsShift:
    """Compare two models' weights; a PEFT adapter of ``base`` by its products.

    Raises :class:`InputError` for models without safetensors, without a common tensor, with
    shapes that differ in more than the number of rows, and for an adapter on the base's side.
    """
    one = find_model(base) if isinstance(base, str) else base
    other = find_model(tuned) if isinstance(tuned, str) else tuned
    if one.adapter is not None:
        remedy = "give the model it was trained from as BASE"
        raise InputError("the base is an adapter", place=one.adapter, remedy=remedy)
    mine, theirs = tensors_of(one), tensors_of(other)
    adapter = None if other.adapter is None else adapter_of(Path(other.adapter))
    if adapter is not None:
        mine, theirs = (_with_tied_head(side, adapter) for side in (mine, theirs))
        if lost := [name for name in adapter.names if name not in theirs.files]:
            what = f"changes {lost[0]}, which the base does not have"
            raise InputError(what, place=adapter.place, remedy="name the adapter's own base")
    common = [name for name in mine.files if name in theirs.files]
    if not common:
        raise InputError("base and tuned model have no tensor in common", place=other.name)
    rows, resized = [], []
    for at, name in enumerate(common):
        tick("weights", at, len(common))
        before, after = mine.read(name), _tuned(name, theirs, adapter)
        if before.shape[1:] != after.shape[1:] or before.ndim != after.ndim:
            shapes = (
                f"{tuple(before.shape)} in the base and {tuple(after.shape)} in the tuned model"
            )
            remedy = "compare models of one architecture"
            raise InputError(f"{name} is {shapes}", place=other.name, remedy=remedy)
        if before.shape != after.shape:
            resized.append(name)
            least = min(len(before), len(after))
            before, after = before[:least], after[:least]
        rows.append(matrix_change(name, before, after))
    tick("weights", len(common), len(common))
    return shift_of(
        rows,
        only_base=[name for name in mine.files if name not in theirs.files],
        only_tuned=[name for name in theirs.files if name not in mine.files],
        resized=resized,
    )


def matrix_change(name: str, base: torch.Tensor, tuned: torch.Tensor) -> MatrixChange:
    """The change of one tensor; both of one shape, float32."""
    delta = tuned - base
    squared = float(delta.double().pow(2).sum())
    return MatrixChange(
        name=name,
        entries=delta.numel(),
        changed=int((delta.abs() > THRESHOLD).sum()),
        changed_bf16=int((tuned.bfloat16() != base.bfloat16()).sum()),
        delta_squared=squared,
        base_squared=float(base.double().pow(2).sum()),
        stable_rank=squared / spectral_norm(delta) ** 2 if delta.ndim == 2 and squared else None,
    )


def spectral_norm(matrix: torch.Tensor) -> float:
    """Largest singular value of a matrix that is not 0, by Lanczos' method (ARPACK)."""
    if min(matrix.shape) <= DENSE:
        return float(torch.linalg.matrix_norm(matrix, 2))
    from scipy.sparse.linalg import svds

    # Scaled, so that squares of tiny changes don't underflow; a fixed start repeats the result.
    scale = float(matrix.abs().max())
    values = (matrix / scale).numpy()
    start = np.random.default_rng(0).standard_normal(min(values.shape))
    found = svds(values, k=1, v0=start, tol=SPECTRAL_TOLERANCE, return_singular_vectors=False)
    return float(found[0]) * scale


def _tuned(name: str, theirs: Tensors, adapter: Adapter | None) -> torch.Tensor:
    if adapter is None:
        return theirs.read(name)
    tensor = (adapter.whole if name in adapter.whole.files else theirs).read(name)
    if name not in adapter.factors:
        return tensor
    left, right = adapter.product(name, tuple(tensor.shape))
    return tensor + left @ right


def _with_tied_head(tensors: Tensors, adapter: Adapter) -> Tensors:
    """A head that is not stored is the embedding; an adapter changes the head alone.

    Only where one is changed: a tied matrix counts once otherwise.
    """
    embeddings = [name for name in tensors.files if name.endswith(EMBEDDINGS)]
    if HEAD in tensors.files or HEAD not in adapter.names or len(embeddings) != 1:
        return tensors
    return Tensors({**tensors.files, HEAD: tensors.files[embeddings[0]]})
