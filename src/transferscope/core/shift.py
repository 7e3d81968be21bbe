"""How far tuning moved a model: the results of the probes and the arithmetic behind them.

Two measurements, both of a base model against one tuned from it:

* :class:`HiddenShift` (docs/science.md section 4): features of texts at every layer, compared by
  PCA shift, debiased linear CKA and relative L2.
* :class:`TokenShift` (section 5): next-token distributions along given responses.

Everything here is numpy in float64; the probes in ``probe/`` bring the arrays. Shape suffixes:
L layers, N texts (or token positions), D hidden size, T texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

# Features arrive in float32. Variation below this share of the features' norm is rounding noise
# (one text's last token may be every text's last token), and noise has no direction.
NOISE = 1e-6
JS_SHIFTED = 0.1  # nats; a position above it counts as shifted (section 5)


@dataclass(frozen=True, slots=True)
class LayerShift:
    """One layer. ``dm1``, ``dm2``: mean projection of tuned minus base on the base's two PCA axes.

    ``layer`` 0 is the embedding output, 1..L the blocks. ``cka`` is ``None`` with fewer than four
    texts or constant features, ``rel_l2`` where the base's features are all zero.
    """

    layer: int
    dm1: float
    dm2: float
    cka: float | None
    rel_l2: float | None


@dataclass(frozen=True, slots=True)
class HiddenShift:
    """Hidden-state shift over all layers, in units of the hidden states (section 4).

    ``d_paper`` <= ``d_paper_max`` <= ``d_layerwise``; the last does not depend on the components'
    signs and leads.
    """

    n_texts: int
    d_paper: float
    d_paper_max: float
    d_layerwise: float
    layers: tuple[LayerShift, ...]

    def to_json(self) -> dict[str, Any]:
        """The object of ``transferscope probe hidden --json``."""
        return asdict(self) | {"layers": [asdict(layer) for layer in self.layers]}


@dataclass(frozen=True, slots=True)
class ShiftedToken:
    """An emitted token whose rank changed: how often, and by how much (base rank - tuned rank).

    A positive ``mean_shift`` means that the tuned model ranks it higher. ``kind`` is ``"logical"``
    (logical-structural) or ``"content"``.
    """

    token: str
    count: int
    mean_shift: float
    kind: str


@dataclass(frozen=True, slots=True)
class TokenShift:
    """Shift of the next-token distribution along responses: means over texts of means over tokens.

    ``kl_tuned_base`` is KL(tuned || base), and so on, in nats; ``log_ratio`` the signed mean of
    log p_tuned(y) - log p_base(y) over emitted tokens; ``rank_shift`` base rank - tuned rank;
    ``shifted_share`` the share of positions with JS above 0.1. ``n_skipped`` counts the responses
    without a token, which are in no mean; ``lost_mass`` is the probability outside of the common
    vocabulary. The entropies and ``n_skipped`` are not part of the JSON.
    """

    prefix: str
    n_texts: int
    n_tokens: int
    kl_tuned_base: float
    kl_base_tuned: float
    js: float
    log_ratio: float
    rank_shift: float
    shifted_share: float
    shifted_tokens: tuple[ShiftedToken, ...]
    entropy_base: float
    entropy_tuned: float
    n_skipped: int = 0
    lost_mass: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The object of ``transferscope probe tokens --json``."""
        fields = asdict(self) | {"shifted_tokens": [asdict(token) for token in self.shifted_tokens]}
        for extra in ("entropy_base", "entropy_tuned", "n_skipped"):
            del fields[extra]
        if not self.lost_mass:  # vocabularies of one size
            del fields["lost_mass"]
        return fields


@dataclass(frozen=True, slots=True)
class PcaShift:
    """``dm_L2`` (signed shift of every layer on two axes) and its three summaries."""

    dm_L2: Floats
    d_paper: float
    d_paper_max: float
    d_layerwise: float


@dataclass(frozen=True, slots=True)
class PositionShifts:
    """What was measured at every response position; arrays of equal length N, nats and ranks.

    ``text_N`` is the index of the position's text, ``token_N`` the id of the emitted token,
    ``lost_mass_N`` the larger of both models' probability outside of the common vocabulary.
    """

    text_N: Ints
    token_N: Ints
    kl_tuned_base_N: Floats
    kl_base_tuned_N: Floats
    js_N: Floats
    entropy_base_N: Floats
    entropy_tuned_N: Floats
    log_ratio_N: Floats
    rank_base_N: Ints
    rank_tuned_N: Ints
    lost_mass_N: Floats


def pca_axes(features_ND: Floats) -> Floats:
    """The first two principal axes (2, D) of the centred features, signs fixed.

    An axis's loading of largest magnitude is positive. An axis along which nothing varies (fewer
    than three texts, constant features) is all zeros: a shift along it is 0, not noise.
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

    Centring both models by the base's mean cancels in the difference, so the features are
    projected as they are. ``d_paper`` = || mean over l of dm ||; ``d_paper_max`` = || mean over l
    of |dm| ||, its maximum over the components' signs; ``d_layerwise`` = mean over l of || dm ||.
    Source: arXiv 2507.00432, PCA shift; docs/science.md section 4.
    """
    _check_pair(base_LND, tuned_LND)
    dm_L2 = np.stack(
        [
            pca_axes(base_ND)
            @ (tuned_ND.mean(0, dtype=np.float64) - base_ND.mean(0, dtype=np.float64))
            for base_ND, tuned_ND in zip(base_LND, tuned_LND, strict=True)
        ]
    )
    return PcaShift(
        dm_L2,
        d_paper=math.hypot(*dm_L2.mean(0)),
        d_paper_max=math.hypot(*np.abs(dm_L2).mean(0)),
        d_layerwise=float(np.hypot(dm_L2[:, 0], dm_L2[:, 1]).mean()),
    )


def debiased_cka(x_ND: Floats, y_NE: Floats) -> float | None:
    """Linear CKA from the unbiased HSIC of Song et al. (2012), equation 5; 1 is "the same".

    Unlike plain CKA it doesn't tend to 1 when texts are fewer than dimensions; it may be slightly
    negative. ``None`` (undefined) with fewer than four texts or where one side doesn't vary.
    """
    x_NN, y_NN = _gram(x_ND), _gram(y_NE)
    if len(x_NN) != len(y_NN):
        raise ValueError(f"{len(x_NN)} texts against {len(y_NN)}")
    if len(x_NN) < 4 or not x_NN.any() or not y_NN.any():
        return None
    own = _hsic(x_NN, x_NN) * _hsic(y_NN, y_NN)
    return _hsic(x_NN, y_NN) / math.sqrt(own) if own > 0 else None


def relative_l2(base_ND: Floats, tuned_ND: Floats) -> float | None:
    """||tuned - base||_F / ||base||_F; ``None`` where the base's features are all zero."""
    base_ND, tuned_ND = np.asarray(base_ND, np.float64), np.asarray(tuned_ND, np.float64)
    size = float(np.linalg.norm(base_ND))
    return float(np.linalg.norm(tuned_ND - base_ND)) / size if size > 0 else None


def measure_hidden(base_LND: Floats, tuned_LND: Floats) -> HiddenShift:
    """All hidden-state measurements from features of the same texts under both models."""
    pca = pca_shift(base_LND, tuned_LND)
    layers = tuple(
        LayerShift(
            layer=number,
            dm1=float(pca.dm_L2[number, 0]),
            dm2=float(pca.dm_L2[number, 1]),
            cka=debiased_cka(base_ND, tuned_ND),
            rel_l2=relative_l2(base_ND, tuned_ND),
        )
        for number, (base_ND, tuned_ND) in enumerate(zip(base_LND, tuned_LND, strict=True))
    )
    return HiddenShift(
        base_LND.shape[1], pca.d_paper, pca.d_paper_max, pca.d_layerwise, layers=layers
    )


def mean_over_texts(values_N: Floats | Ints, text_N: Ints) -> float:
    """Mean over texts of the mean over a text's positions: long answers weigh no more."""
    _, place_N, count_T = np.unique(text_N, return_inverse=True, return_counts=True)
    return float((np.bincount(place_N, weights=values_N) / count_T).mean())


def measure_tokens(
    positions: PositionShifts,
    *,
    prefix: str,
    decode: Callable[[int], str],
    kind: Callable[[str], str],
    n_skipped: int = 0,
) -> TokenShift:
    """Aggregate positions; ``decode`` gives a token id's text, ``kind`` that text's category.

    Shifted tokens come most frequent first. Raises ``ValueError`` without any position.
    """
    if not len(positions.text_N):
        raise ValueError("no response position to aggregate")
    shift_N = positions.rank_base_N.astype(np.int64) - positions.rank_tuned_N

    def mean(values_N: Floats | Ints) -> float:
        return mean_over_texts(values_N, positions.text_N)

    return TokenShift(
        prefix=prefix,
        n_texts=len(np.unique(positions.text_N)),
        n_tokens=len(positions.text_N),
        kl_tuned_base=mean(positions.kl_tuned_base_N),
        kl_base_tuned=mean(positions.kl_base_tuned_N),
        js=mean(positions.js_N),
        log_ratio=mean(positions.log_ratio_N),
        rank_shift=mean(shift_N),
        shifted_share=mean((positions.js_N > JS_SHIFTED).astype(np.float64)),
        shifted_tokens=_shifted(positions.token_N, shift_N, decode, kind),
        entropy_base=mean(positions.entropy_base_N),
        entropy_tuned=mean(positions.entropy_tuned_N),
        n_skipped=n_skipped,
        lost_mass=mean(positions.lost_mass_N),
    )


def _shifted(
    token_N: Ints, shift_N: Ints, decode: Callable[[int], str], kind: Callable[[str], str]
) -> tuple[ShiftedToken, ...]:
    """Positions whose rank moved, grouped by the emitted token's text."""
    moved_N = shift_N != 0
    by_text: dict[str, list[int]] = {}
    for token, shift in zip(token_N[moved_N].tolist(), shift_N[moved_N].tolist(), strict=True):
        by_text.setdefault(decode(token), []).append(shift)
    rows = [
        ShiftedToken(text, len(shifts), sum(shifts) / len(shifts), kind(text))
        for text, shifts in by_text.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.count, -abs(row.mean_shift), row.token)))


def _gram(features_ND: Floats) -> Floats:
    """Inner products of centred features with a zero diagonal; all zeros if nothing varies."""
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
