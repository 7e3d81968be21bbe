"""What tuning did to the weights: aggregates over matrices, by layer and by kind.

Shares and norms are sums over entries, so that a matrix counts according to its size. The stable
rank ||D||_F^2 / ||D||_2^2 of a change D is 1 for a single direction and at most the smaller
dimension; over several matrices it is their plain mean. A tensor of stacked matrices (experts)
counts as one matrix, with the mean over those that changed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .typed_record import Document, record

THRESHOLD = 1e-5
"""An entry counts as changed above this difference (docs/science.md, section 5)."""
_LAYER = re.compile(r"(?:^|\.)(?:layers|layer|h|blocks|block)\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class MatrixChange:
    """The change of one tensor. ``changed`` and ``changed_bf16`` count entries; norms are squared.

    ``changed``: |tuned - base| above :data:`THRESHOLD`. ``changed_bf16``: different when both are
    stored in bfloat16. ``stable_rank`` is ``None`` for vectors, for convolution kernels and if
    nothing changed.
    """

    name: str
    entries: int
    changed: int
    changed_bf16: int
    delta_squared: float
    base_squared: float
    stable_rank: float | None

    @property
    def layer(self) -> int | None:
        """The number of the block; ``None`` outside the blocks."""
        found = _LAYER.search(self.name)
        return int(found.group(1)) if found else None

    @property
    def kind(self) -> str:
        """The name of the tensor within its block (``q_proj``, ``embed_tokens``)."""
        parts = [p for p in self.name.split(".") if p not in ("weight", "bias")]
        return parts[-1] if parts else self.name


@record()
class WeightsPart:
    """The change of a set of matrices; shares 0..1, ``relative_norm`` is ||D|| / ||base||.

    Undefined values are ``None``: no matrix changed, or the base is 0.
    """

    entries: int
    changed_share: float
    changed_bf16_share: float
    relative_norm: float | None
    stable_rank: float | None


@record()
class LayerWeights(WeightsPart):
    """The change of a block's matrices; ``layer`` is ``None`` for those outside the blocks."""

    layer: int | None


@record()
class KindWeights(WeightsPart):
    """The change of the matrices of one kind (``q_proj``, ``embed_tokens``)."""

    kind: str


@record()
class MatrixWeights(WeightsPart):
    """The change of one matrix."""

    name: str


@record()
class WeightShift(WeightsPart, Document):
    """``probe weights``: all matrices together, by layer, by kind, and one by one.

    ``only_base`` and ``only_tuned`` are tensors that the other model lacks (a tied head, say).
    ``resized`` are tensors of which only the common rows are compared.
    """

    layers: tuple[LayerWeights, ...] = ()
    kinds: tuple[KindWeights, ...] = ()
    matrices: tuple[MatrixWeights, ...] = ()
    only_base: tuple[str, ...] = ()
    only_tuned: tuple[str, ...] = ()
    resized: tuple[str, ...] = ()
    schema: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class MatrixChanges:
    """The change of every matrix; uncompared tensors are listed as in :class:`WeightShift`."""

    rows: tuple[MatrixChange, ...]
    only_base: tuple[str, ...] = ()
    only_tuned: tuple[str, ...] = ()
    resized: tuple[str, ...] = ()


def together(rows: Sequence[MatrixChange]) -> WeightsPart:
    """The change of ``rows`` together. Raises :class:`ValueError` if there are none."""
    entries = sum(row.entries for row in rows)
    if not entries:
        raise ValueError("no entry to compare")
    base = sum(row.base_squared for row in rows)
    ranks = [row.stable_rank for row in rows if row.stable_rank is not None]
    return WeightsPart(
        entries=entries,
        changed_share=sum(row.changed for row in rows) / entries,
        changed_bf16_share=sum(row.changed_bf16 for row in rows) / entries,
        relative_norm=math.sqrt(sum(row.delta_squared for row in rows) / base) if base else None,
        stable_rank=sum(ranks) / len(ranks) if ranks else None,
    )


def shift_of(changes: MatrixChanges) -> WeightShift:
    """All aggregates: layers in order, those outside the blocks last; kinds by norm of change."""
    rows = changes.rows
    layers = _grouped(rows, lambda row: row.layer)
    kinds = _grouped(rows, lambda row: row.kind)
    return WeightShift(
        **vars(together(rows)),
        layers=tuple(
            LayerWeights(**vars(together(layers[key])), layer=key)
            for key in sorted(layers, key=lambda k: (k is None, k if k is not None else 0))
        ),
        kinds=tuple(
            KindWeights(**vars(together(kinds[key])), kind=key)
            for key in sorted(kinds, key=lambda k: -sum(row.delta_squared for row in kinds[k]))
        ),
        matrices=tuple(MatrixWeights(**vars(together([row])), name=row.name) for row in rows),
        only_base=changes.only_base,
        only_tuned=changes.only_tuned,
        resized=changes.resized,
    )


def _grouped(
    rows: Sequence[MatrixChange], key: Callable[[MatrixChange], Any]
) -> dict[Any, list[MatrixChange]]:
    found: dict[Any, list[MatrixChange]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found
