"""What was forgotten and what came back: 1 -> 0 and 0 -> 1 rates (after arXiv 2510.17776)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .index import order_interval
from .stats import Array, ItemScores, bootstrap_means


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in percent of all items, with its 95 % interval."""

    value: float
    ci: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Transitions:
    """Forgetting and backward transfer of one tuned model, plain and beyond guessing.

    ``backward`` - ``forgetting`` is the change of the share of right items. The adjusted rates are
    ``None`` where nobody stated what guessing gives: 0 would call every flip of a choice forgotten.
    """

    forgetting: Rate
    backward: Rate
    forgetting_adjusted: Rate | None
    backward_adjusted: Rate | None


def transitions(
    items: ItemScores,
    rng: np.random.Generator,
    *,
    chance: float | None,
    replicates: int = 10_000,
) -> list[Transitions]:
    """Rates of every tuned model (rows 1..K-1 of ``scores_KN``) against the base (row 0).

    An item counts as right from a score of 1/2 on, as flips do. ``chance``: the score of guessing,
    0 to below 1, ``None`` where it is unknown. A model that knows or guesses guesses on
    (1 - a) / (1 - c) of the items, a its accuracy, so guessing alone moves c (1 - a) of all items
    from right to wrong, and as many back. The adjusted rates are max(0, F - c (1 - a)) and
    max(0, B - c (1 - a)) with the base's a: where fewer items moved than guessing would move,
    nothing beyond guessing is seen, and no rate is negative. The intervals are percentiles of one
    paired bootstrap over clusters within strata. Raises :class:`ValueError` for a chance outside
    its range.
    """
    moved = with_moves(items)
    drawn_RK = bootstrap_means([moved], rng, replicates=replicates)[:, :, 0]
    return transition_rates(moved.means_K, drawn_RK, models=len(items.scores_KN), chance=chance)


def with_moves(items: ItemScores) -> ItemScores:
    """``items`` with 2 K - 1 more rows, for one draw to serve both: base right, lost, won (0/1)."""
    right_KN = items.scores_KN >= 0.5
    before_N, after_KN = right_KN[0], right_KN[1:]
    moves = np.vstack([before_N, before_N & ~after_KN, ~before_N & after_KN]).astype(float)
    return replace(items, scores_KN=np.vstack([items.scores_KN, moves]))


def transition_rates(
    means_K: Array, drawn_RK: Array, *, models: int, chance: float | None
) -> list[Transitions]:
    """As :func:`transitions`, from the means and replicates of :func:`with_moves`, in percent.

    ``models``: base and tuned ones.
    """
    if chance is not None and not 0.0 <= chance < 1.0:
        raise ValueError(f"chance {chance!r} is not within 0..1")
    # Point estimates as one more replicate, so that both go through the same lines.
    all_RK = np.vstack([means_K, drawn_RK])[:, models:]
    lost_RK, won_RK = all_RK[:, 1:models], all_RK[:, models:]
    guessed_R = None if chance is None else chance * (100.0 - all_RK[:, 0])
    return [
        Transitions(
            forgetting=_rate(lost_RK[:, k]),
            backward=_rate(won_RK[:, k]),
            forgetting_adjusted=_beyond(lost_RK[:, k], guessed_R),
            backward_adjusted=_beyond(won_RK[:, k], guessed_R),
        )
        for k in range(models - 1)
    ]


def _beyond(moved_R: Array, guessed_R: Array | None) -> Rate | None:
    return None if guessed_R is None else _rate(np.maximum(moved_R - guessed_R, 0.0))


def _rate(point_and_draws: Array) -> Rate:
    low, high = order_interval(point_and_draws[1:])
    return Rate(float(point_and_draws[0]), (float(low), float(high)))
