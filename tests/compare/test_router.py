"""The router by hand: where it must gain, where it must not, and that it never peeks."""

import numpy as np
import pytest

from transferscope.compare.router import route
from transferscope.core.stats import ItemScores

GROUPS = {"sums": "math", "chat": "talk", "plans": "talk"}


def plain(*rows: list[int]) -> ItemScores:
    return ItemScores.plain(np.array(rows, dtype=float))


def test_models_that_are_best_at_different_tasks() -> None:
    # a does every sum and no chat, b the other way round
    items = {"sums": plain([1] * 20, [0] * 20), "chat": plain([0] * 20, [1] * 20)}
    router = route(["a", "b"], items, GROUPS, seed=0, replicates=200)
    assert router is not None
    assert (router.score, router.single, router.gain) == (100.0, 50.0, 50.0)
    # no replicate differs: what 40 clusters of which none moved leave open
    open_ = 100 * (1 - 0.025 ** (1 / 40))
    assert router.ci == pytest.approx((50.0 - open_, 50.0 + open_))
    assert router.choices == {"sums": {"a": 1.0}, "chat": {"b": 1.0}}
    assert router.single_choices == {"a": 1.0}  # a tie: the first, which is the base


def test_groups_count_alike() -> None:
    rows = [1] * 20, [0] * 20
    items = {"sums": plain(*rows), "chat": plain(*rows[::-1]), "plans": plain(*rows[::-1])}
    router = route(["a", "b"], items, GROUPS, seed=0, replicates=200)
    assert router is not None
    assert router.single == 50.0  # 1/2 of math, nothing of talk: not 1/3


def test_equal_models_promise_nothing() -> None:
    rng = np.random.default_rng(0)
    gains, naive = [], []
    for seed in range(200):
        items = {"sums": ItemScores.plain((rng.random((5, 60)) < 0.5).astype(float))}
        router = route(list("abcde"), items, GROUPS, seed=seed, replicates=200)
        assert router is not None
        gains.append(router.score - 50.0)
        naive.append(items["sums"].means_K.max() - 50.0)
    # standard error of the mean: 6.5 / sqrt(200) = 0.46 points
    assert abs(np.mean(gains)) < 4 * 0.46
    assert np.mean(naive) > 5.0  # what the in-sample best would have promised


def test_the_answer_of_an_item_never_chooses_for_it() -> None:
    # Without its own fold b is chosen for every item; a's single right answer must not count.
    base = [0] * 10
    base[3] = 1
    other = [1] * 10
    other[3] = 0
    router = route(["a", "b"], {"sums": plain(base, other)}, GROUPS, seed=0, replicates=200)
    assert router is not None
    assert router.score == 90.0


def test_clusters_stay_in_one_fold_and_few_are_left_out() -> None:
    scores = np.array([[1.0, 0.0] * 10, [0.0, 1.0] * 10])
    story = ItemScores(scores, np.ones(20), np.repeat(np.arange(4), 5), np.zeros(20, dtype=int))
    assert route(["a", "b"], {"chat": story}, GROUPS, seed=0, replicates=200) is None
    items = {"chat": story, "sums": plain([1] * 20, [0] * 20)}
    router = route(["a", "b"], items, GROUPS, seed=0, replicates=200, left_out=["plans"])
    assert router is not None
    assert router.left_out == ("plans", "chat")
    assert route(["a"], {"sums": plain([1] * 20)}, GROUPS, seed=0) is None
    two = ItemScores(scores, np.ones(20), np.repeat(np.arange(10), 2), np.zeros(20, dtype=int))
    assert route(["a", "b"], {"sums": two}, GROUPS, seed=0, replicates=200) is not None


def test_weights_count_in_the_score() -> None:
    scores = np.array([[1.0] * 10 + [0.0] * 10, [0.0] * 20])
    weight = np.array([3.0] * 10 + [1.0] * 10)
    item = ItemScores(scores, weight, np.arange(20), np.zeros(20, dtype=int))
    router = route(["a", "b"], {"sums": item}, GROUPS, seed=1, replicates=200)
    assert router is not None
    assert router.score == pytest.approx(75.0)
