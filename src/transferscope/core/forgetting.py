"""Forgetting and backward transfer: 1 -> 0 and 0 -> 1 rates (after arXiv 2510.17776)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .index import order_interval
from .noninferiority import effective_clusters, exact_lower
from .right_answers import is_right
from .standing import ALPHA
from .stats import Array, ItemScores
from .typed_record import record


@record()
class Rate:
    """A rate as a percentage of all items, with its 95 % interval."""

    value: float
    ci: tuple[float, float]


@dataclass(frozen=True)
class Transitions:
    """Forgetting and backward transfer of one tuned model, raw and corrected for guessing.

    ``backward`` - ``forgetting`` is the change in the share of correct items. The adjusted rates
    are ``None`` if the chance level is unknown: assuming 0 would count every flip of a multiple
    choice as forgotten.
    """

    forgetting: Rate
    backward: Rate
    forgetting_adjusted: Rate | None
    backward_adjusted: Rate | None


def with_moves(items: ItemScores) -> ItemScores:
    """``items`` with 2 K - 1 more rows, so that one draw serves both: right, lost, won (0/1)."""
    right_KN = is_right(items.scores_KN)
    before_N, after_KN = right_KN[0], right_KN[1:]
    moves = np.vstack([before_N, before_N & ~after_KN, ~before_N & after_KN]).astype(float)
    return replace(items, scores_KN=np.vstack([items.scores_KN, moves]))


def transition_rates(
    moved: ItemScores, drawn_RK: Array, *, models: int, chance: float | None
) -> list[Transitions]:
    """Rates of every tuned model against the base, from the items of :func:`with_moves` and their
    bootstrap means (percent).

    ``models``: base and tuned models. An item counts as right if its score is at least 1/2, as in
    the flips. ``chance``: the score of guessing, 0 to below 1, ``None`` if it is unknown. A model
    that either knows or guesses the answer guesses (1 - a) / (1 - c) of the items, where a is its
    accuracy and c is ``chance``. So guessing alone moves c (1 - a) of all items from right to
    wrong, and as many back. The adjusted rates are max(0, F - c (1 - a)) and
    max(0, B - c (1 - a)), with the base's a: if fewer items moved than guessing would move, nothing
    beyond guessing is shown, and no rate is negative. The intervals are percentile intervals. If
    the replicates have no spread, for example because nothing was lost, the bound is that of an
    exact test of as many clusters. Raises :class:`ValueError` for a chance outside its range.
    """
    if chance is not None and not 0.0 <= chance < 1.0:
        raise ValueError(f"chance {chance!r} is not within 0..1")
    # The point estimate is added as one more replicate, so that both take the same code path.
    all_RK = np.vstack([moved.means_K, drawn_RK])[:, models:]
    floor = -exact_lower(0, effective_clusters([moved]), alpha=ALPHA / 2.0)
    lost_RK, won_RK = all_RK[:, 1:models], all_RK[:, models:]
    guessed_R = None if chance is None else chance * (100.0 - all_RK[:, 0])
    return [
        Transitions(
            forgetting=_rate(lost_RK[:, k], floor),
            backward=_rate(won_RK[:, k], floor),
            forgetting_adjusted=_beyond(lost_RK[:, k], guessed_R, floor),
            backward_adjusted=_beyond(won_RK[:, k], guessed_R, floor),
        )
        for k in range(models - 1)
    ]


def _beyond(moved_R: Array, guessed_R: Array | None, floor: float) -> Rate | None:
    return None if guessed_R is None else _rate(np.maximum(moved_R - guessed_R, 0.0), floor)


def _rate(point_and_draws: Array, floor: float) -> Rate:
    value = float(point_and_draws[0])
    low, high = map(float, order_interval(point_and_draws[1:]))
    if high - low <= 1e-9:  # a lack of spread is not evidence
        low, high = max(value - floor, 0.0), min(value + floor, 100.0)
    return Rate(value, (low, high))
