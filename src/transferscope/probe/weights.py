"""``probe weights``: the weight change caused by tuning, read from disk a few rows at a time.

Claims in the literature that RL changes few weights rest on the share that differs when stored in
bfloat16; both shares are reported (docs/science.md section 5). Memory holds the change of one
matrix in float32, which the stable rank needs, and a few rows of both models. For stacked experts
it holds one expert.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from ..core.errors import InputError
from ..core.records import Tick, no_tick
from ..core.weight_shift import THRESHOLD, MatrixChange, MatrixChanges, WeightShift, shift_of
from ..models import ModelSource, find_model
from .adapters import Adapter, adapter_of
from .tensors import Stored, Tensors, tensors_of

SPECTRAL_TOLERANCE = 1e-7
"""Relative tolerance of the largest singular value: float32's precision after one product."""
CHUNK = 1 << 19
"""Matrix entries compared at a time: 2 MB per model."""
HEAD = "lm_head.weight"
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
"""Endings of the names that models give their input embeddings."""
DENSE = 64
"""Up to this smaller dimension, all singular values are computed."""


class Rows(Protocol):
    """A tensor of at least one dimension, or a reader of one: ``rows[3:5]`` is float32."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the full tensor."""

    def __getitem__(self, rows: slice, /) -> torch.Tensor:
        """Return some rows."""


def weights_shift(
    base: str | ModelSource, tuned: str | ModelSource, *, tick: Tick = no_tick
) -> WeightShift:
    """What tuning did to the weights, summed up; see :func:`matrix_changes`."""
    return shift_of(matrix_changes(base, tuned, tick=tick))


def matrix_changes(
    base: str | ModelSource, tuned: str | ModelSource, *, tick: Tick = no_tick
) -> MatrixChanges:
    """Compare two models' weights, matrix by matrix; a PEFT adapter of ``base`` by its products.

    Raises :class:`InputError` for models without safetensors or without a common tensor, for
    shapes that differ in more than the number of rows, for weights that are quantised, empty or not
    finite, and if the base is an adapter.
    """
    one = find_model(base) if isinstance(base, str) else base
    other = find_model(tuned) if isinstance(tuned, str) else tuned
    if one.adapter is not None:
        remedy = "give the model that it was trained from as BASE"
        raise InputError("the base is an adapter", place=one.adapter, remedy=remedy)
    mine, theirs = tensors_of(one), tensors_of(other)
    adapter = None if other.adapter is None else adapter_of(Path(other.adapter))
    if adapter is not None:
        adapter = _without_tied_copy(mine, adapter)
        mine, theirs = (_with_tied_head(side, adapter) for side in (mine, theirs))
        if lost := [name for name in adapter.names if name not in theirs.files]:
            what = f"changes {lost[0]}, which the base does not have"
            raise InputError(what, place=adapter.place, remedy="name the adapter's own base")
    common = [name for name in mine.files if name in theirs.files]
    if not common:
        what = "base and tuned model have no tensor in common"
        remedy = "compare a model with the base that it was tuned from"
        raise InputError(what, place=other.name, remedy=remedy)
    rows, resized = [], []
    for at, name in enumerate(common):
        tick("weights", at, len(common))
        before, after = mine.stored(name), _tuned(name, theirs, adapter)
        if before.shape[1:] != after.shape[1:]:
            shapes = f"{before.shape} in the base and {after.shape} in the tuned model"
            remedy = "compare models of the same architecture"
            raise InputError(f"{name} is {shapes}", place=other.name, remedy=remedy)
        if before.shape != after.shape:
            resized.append(name)
        rows.append(matrix_change(name, before, after))
    tick("weights", len(common), len(common))
    return MatrixChanges(
        tuple(rows),
        only_base=tuple(name for name in mine.files if name not in theirs.files),
        only_tuned=tuple(name for name in theirs.files if name not in mine.files),
        resized=tuple(resized),
    )


def matrix_change(name: str, base: Rows, tuned: Rows) -> MatrixChange:
    """Measure the change of one tensor over the rows that both sides have.

    All dimensions but the first are equal. Three dimensions are a stack of matrices (experts); the
    stable rank is then the mean over those that changed. Raises :class:`InputError` for values that
    are not finite.
    """
    length, width = min(base.shape[0], tuned.shape[0]), math.prod(base.shape[1:])
    whole = torch.zeros(length, width) if len(base.shape) == 2 else None
    stacked = len(base.shape) == 3 and min(base.shape[1:]) > 1  # not a one-channel convolution
    ranks: list[float | None] = []
    changed = changed_bf16 = 0
    squared = base_squared = 0.0
    for rows in _chunks(length, width):
        before, after = base[rows], tuned[rows]
        delta = after - before
        if not torch.isfinite(delta).all():
            side = "tuned model's" if torch.isfinite(before).all() else "base's"
            what = f"the {side} {name} has values, or a change, that are not finite in float32"
            raise InputError(what, remedy="check how the model was trained and saved")
        changed += int((delta.abs() > THRESHOLD).sum())
        changed_bf16 += int((after.bfloat16() != before.bfloat16()).sum())
        squared += float(delta.double().pow(2).sum())
        base_squared += float(before.double().pow(2).sum())
        if whole is not None:
            whole[rows] = delta
        if stacked:
            ranks += [_stable_rank(one, float(one.double().pow(2).sum())) for one in delta]
    if whole is not None:
        ranks = [_stable_rank(whole, squared)]
    moved = [rank for rank in ranks if rank is not None]
    return MatrixChange(
        name=name,
        entries=length * width,
        changed=changed,
        changed_bf16=changed_bf16,
        delta_squared=squared,
        base_squared=base_squared,
        stable_rank=sum(moved) / len(moved) if moved else None,
    )


def _chunks(length: int, width: int) -> Iterator[slice]:
    """Return slices that cover all rows, about ``CHUNK`` entries each."""
    step = max(1, CHUNK // width)
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def _stable_rank(change: torch.Tensor, squared: float) -> float | None:
    """Return a matrix's stable rank, given its squared Frobenius norm; ``None`` if that is 0."""
    return squared / spectral_norm(change) ** 2 if squared else None


def spectral_norm(matrix: torch.Tensor) -> float:
    """Return the largest singular value of a non-zero matrix, by the Lanczos method (ARPACK).

    If that fails (equal singular values leave it no second direction), and for small matrices, all
    singular values are computed.
    """
    # Scaling keeps squares of tiny changes from underflowing; a fixed start makes it reproducible.
    scale = max(float(matrix.max()), -float(matrix.min()))
    if min(matrix.shape) > DENSE:
        from scipy.sparse.linalg import ArpackError, LinearOperator, svds

        values = matrix.numpy()
        scaled = LinearOperator(
            values.shape,
            dtype=values.dtype,
            matvec=lambda x: values @ x / scale,
            rmatvec=lambda y: values.T @ y / scale,
        )
        start = np.random.default_rng(0).standard_normal(min(values.shape))
        options = {"v0": start, "tol": SPECTRAL_TOLERANCE, "return_singular_vectors": False}
        try:
            return float(svds(scaled, k=1, **options)[0]) * scale
        except ArpackError:
            pass
    return float(torch.linalg.matrix_norm(matrix / scale, 2)) * scale


@dataclass(frozen=True, slots=True)
class _WithProduct:
    """A stored weight with an adapter's product added."""

    weight: Stored
    left: torch.Tensor
    right: torch.Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return self.weight.shape

    def __getitem__(self, rows: slice) -> torch.Tensor:
        return self.weight[rows] + self.left[rows] @ self.right


def _tuned(name: str, theirs: Tensors, adapter: Adapter | None) -> Rows:
    if adapter is None:
        return theirs.stored(name)
    weight = (adapter.whole if name in adapter.whole.files else theirs).stored(name)
    if name not in adapter.factors:
        return weight
    return _WithProduct(weight, *adapter.product(name, weight.shape))


def _without_tied_copy(base: Tensors, adapter: Adapter) -> Adapter:
    """Drop the head if it still equals the embedding: PEFT saves a tied pair under both names."""
    whole = adapter.whole.files
    pair = [name for name in whole if name.endswith((HEAD, *EMBEDDINGS))]
    if HEAD in {*base.files, *adapter.factors} or HEAD not in whole or len(pair) != 2:
        return adapter
    one, other = (adapter.whole.stored(name) for name in pair)
    chunks = _chunks(one.shape[0], math.prod(one.shape[1:]))
    if one.shape != other.shape or not all(torch.equal(one[rows], other[rows]) for rows in chunks):
        return adapter
    return replace(adapter, whole=Tensors({n: at for n, at in whole.items() if n != HEAD}))


def _with_tied_head(tensors: Tensors, adapter: Adapter) -> Tensors:
    """Map a head that isn't stored to the embedding if the adapter changes the head.

    Otherwise a tied matrix counts once.
    """
    embeddings = [name for name in tensors.files if name.endswith(EMBEDDINGS)]
    if HEAD in tensors.files or HEAD not in adapter.names or len(embeddings) != 1:
        return tensors
    return Tensors({**tensors.files, HEAD: tensors.files[embeddings[0]]})
