"""Forgetting and backward transfer against hand-worked rates and a simulated guesser."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.forgetting import Transitions, transition_rates, with_moves
from transferscope.core.index import order_interval
from transferscope.core.stats import ItemScores, bootstrap_means


def transitions(
    items: ItemScores, rng: np.random.Generator, *, chance: float | None, replicates: int = 10_000
) -> list[Transitions]:
    """One paired bootstrap over clusters within strata serves both rates, as in a comparison."""
    moved = with_moves(items)
    drawn_RK = bootstrap_means([moved], rng, replicates=replicates)[:, :, 0]
    return transition_rates(moved, drawn_RK, models=len(items.scores_KN), chance=chance)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_rates_by_hand(rng: np.random.Generator) -> None:
    # of 8 items of weight 1, 1, 1, 1, 2, 2, 1, 1 (sum 10): one of weight 2 lost, two of 1 won
    base = [1, 1, 1, 0, 1, 1, 0, 0]
    tuned = [1, 1, 1, 1, 0, 1, 1, 0]
    items = ItemScores(
        np.array([base, tuned], dtype=float),
        np.array([1.0, 1, 1, 1, 2, 2, 1, 1]),
        np.arange(8),
        np.zeros(8, dtype=np.int64),
    )
    (found,) = transitions(items, rng, chance=0.25, replicates=200)
    assert found.forgetting.value == pytest.approx(20.0)
    assert found.backward.value == pytest.approx(20.0)
    # the base is right on 7 of 10: guessing moves 0.25 * 30 = 7.5 points each way
    assert found.forgetting_adjusted.value == pytest.approx(12.5)
    assert found.backward_adjusted.value == pytest.approx(12.5)


def test_right_means_half_or_more(rng: np.random.Generator) -> None:
    scores = np.array([[0.5, 0.5, 0.4, 0.4], [0.49, 0.5, 0.5, 0.49]])
    (found,) = transitions(ItemScores.plain(scores), rng, chance=0.0, replicates=50)
    assert (found.forgetting.value, found.backward.value) == (25.0, 25.0)
    assert found.forgetting_adjusted == found.forgetting


def test_guessing_alone_is_adjusted_to_nothing(rng: np.random.Generator) -> None:
    # Both models know the same 40 % of 40,000 items and guess among 4 choices on the others.
    n, chance = 40_000, 0.25
    knows = np.arange(n) < 0.4 * n
    scores = (knows | (rng.random((2, n)) < chance)).astype(float)
    (found,) = transitions(ItemScores.plain(scores), rng, chance=chance, replicates=50)
    # 0.6 * 0.25 * 0.75 of the items move each way, 11.25 points; 4 standard errors are 0.6
    assert found.forgetting.value == pytest.approx(11.25, abs=0.6)
    assert found.forgetting_adjusted.value == pytest.approx(0.0, abs=0.6)
    assert found.backward_adjusted.value == pytest.approx(0.0, abs=0.6)
    # 1.96 * 100 * sqrt(0.1125 * 0.8875 / n) = 0.31 each way: narrow, but not the floor (0.009)
    low, high = found.forgetting.ci
    assert 0.4 < high - low < 0.9


def test_interval_is_the_paired_bootstrap_of_the_lost_share() -> None:
    scores = (np.random.default_rng(0).random((3, 90)) < 0.6).astype(float)
    cluster = np.arange(90) // 3
    items = ItemScores(scores, np.ones(90), cluster, np.repeat([0, 1], 45))
    found = transitions(items, np.random.default_rng(5), chance=0.5, replicates=400)
    assert len(found) == 2
    # by another way: the shares lost by both models and the base's accuracy, on the same draws
    lost = [scores[0] * (1 - scores[k]) for k in (1, 2)]
    rows = ItemScores(np.vstack([*lost, scores[0]]), np.ones(90), cluster, items.stratum_N)
    draws = bootstrap_means([rows], np.random.default_rng(5), replicates=400)[:, :, 0]
    for k in (0, 1):
        plain, adjusted = found[k].forgetting, found[k].forgetting_adjusted
        assert plain.ci == pytest.approx([float(v) for v in order_interval(draws[:, k])])
        moved = np.maximum(0.0, draws[:, k] - 0.5 * (100 - draws[:, 2]))
        assert adjusted.ci == pytest.approx([float(v) for v in order_interval(moved)])
    assert all(a.forgetting.ci[0] < a.forgetting.value < a.forgetting.ci[1] for a in found)


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9))
def test_what_came_back_minus_what_went_is_the_change(seed: int, chance: float) -> None:
    random = np.random.default_rng(seed)
    items = ItemScores.plain((random.random((2, 30)) < 0.5).astype(float))
    (found,) = transitions(items, random, chance=chance, replicates=20)
    change = float(items.means_K[1] - items.means_K[0])
    assert found.backward.value - found.forgetting.value == pytest.approx(change)
    guessed = chance * (100.0 - float(items.means_K[0]))
    for plain, adjusted in (
        (found.forgetting, found.forgetting_adjusted),
        (found.backward, found.backward_adjusted),
    ):
        assert adjusted.value == pytest.approx(max(0.0, plain.value - guessed))
        assert 0.0 <= adjusted.ci[0] <= adjusted.ci[1]


def test_fewer_flips_than_guessing_gives_are_none_beyond_guessing(
    rng: np.random.Generator,
) -> None:
    # 1 of 20 items lost, none won; guessing among 2 answers would move 0.5 * 60 = 30 points
    base = np.repeat([1.0, 0.0], [8, 12])
    tuned = np.repeat([0.0, 1.0, 0.0], [1, 7, 12])
    items = ItemScores.plain(np.stack([base, tuned]))
    (found,) = transitions(items, rng, chance=0.5, replicates=50)
    assert found.forgetting.value == pytest.approx(5.0)
    assert found.forgetting_adjusted.value == 0.0


def test_without_a_stated_chance_level_only_plain_rates_are_known(
    rng: np.random.Generator,
) -> None:
    scores = np.array([[1.0, 1, 1, 0], [0.0, 1, 1, 1]])
    (found,) = transitions(ItemScores.plain(scores), rng, chance=None, replicates=50)
    assert (found.forgetting.value, found.backward.value) == (25.0, 25.0)
    assert found.forgetting_adjusted is found.backward_adjusted is None


@pytest.mark.parametrize("chance", [-0.1, 1.0])
def test_chance_outside_its_range_is_refused(chance: float, rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="not within"):
        transitions(ItemScores.plain(np.ones((2, 3))), rng, chance=chance)


def test_nothing_forgotten_is_not_known_to_the_point() -> None:
    still = ItemScores.plain(np.tile([0.0, 1.0], (2, 30)))
    (found,) = transitions(still, np.random.default_rng(0), chance=None, replicates=200)
    # of 60 items none was lost: (1 - x)^60 = 0.025
    assert found.forgetting.ci == pytest.approx((0.0, 100 * (1 - 0.025 ** (1 / 60))))


def test_everything_forgotten_is_not_known_to_the_point() -> None:
    lost = ItemScores.plain(np.repeat([[1.0], [0.0]], 60, axis=1))
    (found,) = transitions(lost, np.random.default_rng(0), chance=None, replicates=200)
    assert found.forgetting.ci == pytest.approx((100 * 0.025 ** (1 / 60), 100.0))
