"""Hidden-state shift: compare the features of the same texts under both models, layer by layer.

The measures are PCA shift, debiased linear CKA and relative L2 (arXiv 2507.00432; docs/science.md,
section 4), over all texts and over every benchmark and group. numpy in float64; the probe in
``probe/hidden.py`` supplies the features. Shape suffixes: L layers, N texts, D hidden size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .labels import Labels
from .typed_record import Absent, Document, record

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

# Features arrive in float32. Variation below this share of the features' norm is rounding noise
# without a direction (all texts may end in the same last token).
NOISE = 1e-6
NO_AXES = "the base's states are the same for all texts, so there is no axis to project on"
MIN_TEXTS = 3
"""Two principal axes require three texts."""


@record()
class LayerShift:
    """One layer. ``dm1``, ``dm2``: mean projection of tuned minus base on the base's two PCA axes.

    ``layer`` 0 is the embedding output, 1..L are the blocks. ``dm1`` and ``dm2`` are ``None`` if
    the base's features of this layer don't vary, ``cka`` for fewer than four texts or constant
    features, ``rel_l2`` if the base's features are all zero.
    """

    layer: int
    dm1: float | None
    dm2: float | None
    cka: float | None
    rel_l2: float | None


@record()
class HiddenPart:
    """Hidden-state shift of a set of texts over all layers, in units of the hidden states.

    ``d_paper`` <= ``d_paper_max`` <= ``d_layerwise``. Only the last one does not depend on the
    components' signs; it is reported first (docs/science.md, section 4). All are means over the
    ``n_layers_averaged`` layers in which the base's features vary. If there is no such layer, they
    are ``None`` and ``undefined_reason`` says why.
    """

    n_texts: int
    d_paper: float | None
    d_paper_max: float | None
    d_layerwise: float | None
    n_layers_averaged: int
    layers: tuple[LayerShift, ...]
    undefined_reason: Absent[str | None] = None

    def value(self, name: str) -> Any:
        """The field ``name``; the counterpart of :meth:`.token_shift.TokenMeans.value`."""
        return getattr(self, name)


@record()
class HiddenShift(HiddenPart, Document):
    """``probe hidden``: the shift over all texts, and over subsets of them.

    ``n_skipped`` counts the empty texts, which were skipped. ``groups`` and ``benchmarks`` have
    axes fitted on their own texts; a subset of fewer than three texts is ``None``.
    """

    n_skipped: int = 0
    groups: Absent[Mapping[str, HiddenPart | None]] = field(default_factory=dict)
    benchmarks: Absent[Mapping[str, HiddenPart | None]] = field(default_factory=dict)
    schema: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Features:
    """Pooled hidden states of the texts ``text_N`` under both models."""

    text_N: Ints
    base_LND: Floats
    tuned_LND: Floats

    @classmethod
    def joined(cls, parts: Sequence[Features]) -> Features:
        """Concatenate the texts of all parts in order."""
        parts = [part for part in parts if len(part.text_N)]
        order_N = np.argsort(np.concatenate([part.text_N for part in parts]))
        return cls(
            np.concatenate([part.text_N for part in parts])[order_N],
            np.concatenate([part.base_LND for part in parts], axis=1)[:, order_N],
            np.concatenate([part.tuned_LND for part in parts], axis=1)[:, order_N],
        )


@dataclass(frozen=True, slots=True)
class PcaShift:
    """``dm_L2`` (signed shift of every layer on two axes) and its three summaries.

    ``n_varying``: number of layers in which the base's features vary. The other layers have no
    axis: their rows are NaN and are left out of the summaries. If no layer varies, the summaries
    are NaN.
    """

    dm_L2: Floats
    d_paper: float
    d_paper_max: float
    d_layerwise: float
    n_varying: int


def pca_axes(features_ND: Floats) -> Floats:
    """The first two principal axes (2, D) of the centred features, with fixed signs.

    The loading of largest magnitude on each axis is positive. An axis without variance (fewer than
    three texts, constant features) is all zeros, so that the shift along it is 0 and not noise.
    """
    features_ND = np.asarray(features_ND, dtype=np.float64)
    axes_2D = np.zeros((2, features_ND.shape[1]))
    _, scale_K, axes_KD = np.linalg.svd(features_ND - features_ND.mean(0), full_matrices=False)
    for k in range(min(2, len(scale_K))):
        if scale_K[k] > NOISE * np.linalg.norm(features_ND):
            axes_2D[k] = axes_KD[k] * np.sign(axes_KD[k, np.abs(axes_KD[k]).argmax()])
    return axes_2D


def pca_shift(base_LND: Floats, tuned_LND: Floats) -> PcaShift:
    """Shift of the mean projection on the base's two principal axes, layer by layer.

    Centring both models by the base's mean would cancel in the difference, so the features are
    projected uncentred. ``d_paper`` = || mean over l of dm ||; ``d_paper_max`` = || mean over l of
    |dm| ||, its maximum over the components' signs; ``d_layerwise`` = mean over l of || dm ||. A
    layer in which all texts have the same feature has no axis (a solver would return an arbitrary
    one), and the means are over the other layers. Source: arXiv 2507.00432, PCA shift;
    docs/science.md, section 4.
    """
    _check_pair(base_LND, tuned_LND)
    axes_L2D = np.stack([pca_axes(base_ND) for base_ND in base_LND])
    moved_LD = np.stack([x_ND.mean(0, dtype=np.float64) for x_ND in tuned_LND])
    moved_LD -= np.stack([x_ND.mean(0, dtype=np.float64) for x_ND in base_LND])
    dm_L2 = np.stack(
        [axes_2D @ moved_D for axes_2D, moved_D in zip(axes_L2D, moved_LD, strict=True)]
    )
    varying_L = axes_L2D.any((1, 2))
    dm_L2[~varying_L] = math.nan
    if not varying_L.any():
        return PcaShift(dm_L2, math.nan, math.nan, math.nan, n_varying=0)
    known_K2 = dm_L2[varying_L]
    return PcaShift(
        dm_L2,
        d_paper=math.hypot(*known_K2.mean(0)),
        d_paper_max=math.hypot(*np.abs(known_K2).mean(0)),
        d_layerwise=float(np.hypot(known_K2[:, 0], known_K2[:, 1]).mean()),
        n_varying=len(known_K2),
    )


def debiased_cka(x_ND: Floats, y_NE: Floats) -> float | None:
    """Linear CKA from the unbiased HSIC of Song et al. (2012), equation 5; 1 means "the same".

    Unlike plain CKA, it does not tend to 1 when there are fewer texts than dimensions. It may be
    slightly negative. ``None`` (undefined) for fewer than four texts or if one side doesn't vary.
    """
    x_NN, y_NN = _gram(x_ND), _gram(y_NE)
    if len(x_NN) != len(y_NN):
        raise ValueError(f"{len(x_NN)} texts against {len(y_NN)}")
    if len(x_NN) < 4 or not x_NN.any() or not y_NN.any():
        return None
    own = _hsic(x_NN, x_NN) * _hsic(y_NN, y_NN)
    return _hsic(x_NN, y_NN) / math.sqrt(own) if own > 0 else None


def relative_l2(base_ND: Floats, tuned_ND: Floats) -> float | None:
    """||tuned - base||_F / ||base||_F; ``None`` if the base's features are all zero."""
    base_ND, tuned_ND = np.asarray(base_ND, np.float64), np.asarray(tuned_ND, np.float64)
    size = float(np.linalg.norm(base_ND))
    return float(np.linalg.norm(tuned_ND - base_ND)) / size if size > 0 else None


def measure_hidden(base_LND: Floats, tuned_LND: Floats) -> HiddenPart:
    """All hidden-state measures of the features of the same texts under both models."""
    pca = pca_shift(base_LND, tuned_LND)
    layers = tuple(
        LayerShift(
            layer=number,
            dm1=_known(dm_2[0]),
            dm2=_known(dm_2[1]),
            cka=debiased_cka(base_ND, tuned_ND),
            rel_l2=relative_l2(base_ND, tuned_ND),
        )
        for number, (dm_2, base_ND, tuned_ND) in enumerate(
            zip(pca.dm_L2, base_LND, tuned_LND, strict=True)
        )
    )
    n_texts = base_LND.shape[1]
    if not pca.n_varying:
        return HiddenPart(n_texts, None, None, None, 0, layers, undefined_reason=NO_AXES)
    return HiddenPart(n_texts, pca.d_paper, pca.d_paper_max, pca.d_layerwise, pca.n_varying, layers)


def measure_parts(features: Features, labels: Labels) -> HiddenShift:
    """:func:`measure_hidden` over all texts, and over the texts of each group and benchmark."""

    def part(texts_N: Ints) -> HiddenPart | None:
        rows_N = np.flatnonzero(np.isin(features.text_N, texts_N))
        if len(rows_N) < MIN_TEXTS:
            return None
        return measure_hidden(features.base_LND[:, rows_N], features.tuned_LND[:, rows_N])

    return HiddenShift(
        **vars(measure_hidden(features.base_LND, features.tuned_LND)),
        groups={name: part(texts_N) for name, texts_N in labels.of_groups().items()},
        benchmarks={name: part(texts_N) for name, texts_N in labels.of_benchmarks().items()},
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _gram(features_ND: Floats) -> Floats:
    """Inner products of the centred features with a zero diagonal; all zeros if nothing varies."""
    features_ND = np.asarray(features_ND, dtype=np.float64)
    centred_ND = features_ND - features_ND.mean(0)
    if np.linalg.norm(centred_ND) <= NOISE * np.linalg.norm(features_ND):
        return np.zeros((len(features_ND),) * 2)
    gram_NN: Floats = centred_ND @ centred_ND.T
    np.fill_diagonal(gram_NN, 0.0)
    return gram_NN


def _hsic(x_NN: Floats, y_NN: Floats) -> float:
    """Unbiased HSIC of two Gram matrices with zero diagonals, up to the factor 1/(n (n-3))."""
    n = len(x_NN)
    sums = x_NN.sum() * y_NN.sum() / ((n - 1) * (n - 2))
    return float((x_NN * y_NN).sum() + sums - 2 / (n - 2) * (x_NN.sum(0) @ y_NN.sum(1)))


def _check_pair(base_LND: Floats, tuned_LND: Floats) -> None:
    if base_LND.ndim != 3 or base_LND.shape != tuned_LND.shape:
        raise ValueError(f"features of shape {base_LND.shape} against {tuned_LND.shape}")
    if not base_LND.size or not (np.isfinite(base_LND).all() and np.isfinite(tuned_LND).all()):
        raise ValueError("features are empty or not finite")
