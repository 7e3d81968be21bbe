"""The router by hand: where it must gain, where it must not, that it never peeks, its interval."""

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
    router = route(["a", "b"], items, GROUPS, seed=0, draws=200)
    assert router is not None
    assert (router.score, router.single, router.gain) == (100.0, 50.0, 50.0)
    # No spread is no evidence: 40 items without a difference leave 1 - 0.025^(1/40) = 8.81 points
    assert router.ci == pytest.approx((50.0 - 8.81, 50.0 + 8.81), abs=0.01)
    assert router.choices == {"sums": {"a": 1.0}, "chat": {"b": 1.0}}
    assert router.single_choices == {"a": 1.0}  # a tie: the first, which is the base


def test_groups_count_alike() -> None:
    rows = [1] * 20, [0] * 20
    items = {"sums": plain(*rows), "chat": plain(*rows[::-1]), "plans": plain(*rows[::-1])}
    router = route(["a", "b"], items, GROUPS, seed=0, draws=200)
    assert router is not None
    assert router.single == 50.0  # 1/2 of math, nothing of talk: not 1/3


def test_equal_models_promise_nothing() -> None:
    rng = np.random.default_rng(0)
    gains, naive = [], []
    for seed in range(200):
        items = {"sums": ItemScores.plain((rng.random((5, 60)) < 0.5).astype(float))}
        router = route(list("abcde"), items, GROUPS, seed=seed, draws=200)
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
    router = route(["a", "b"], {"sums": plain(base, other)}, GROUPS, seed=0, draws=200)
    assert router is not None
    assert router.score == 90.0


def test_clusters_stay_in_one_fold_and_few_are_left_out() -> None:
    scores = np.array([[1.0, 0.0] * 10, [0.0, 1.0] * 10])
    story = ItemScores(scores, np.ones(20), np.repeat(np.arange(4), 5), np.zeros(20, dtype=int))
    assert route(["a", "b"], {"chat": story}, GROUPS, seed=0, draws=200) is None
    items = {"chat": story, "sums": plain([1] * 20, [0] * 20)}
    router = route(["a", "b"], items, GROUPS, seed=0, draws=200, left_out=["plans"])
    assert router is not None
    assert router.left_out == ("plans", "chat")
    assert route(["a"], {"sums": plain([1] * 20)}, GROUPS, seed=0) is None
    two = ItemScores(scores, np.ones(20), np.repeat(np.arange(10), 2), np.zeros(20, dtype=int))
    assert route(["a", "b"], {"sums": two}, GROUPS, seed=0, draws=200) is not None


def test_weights_count_in_the_score() -> None:
    scores = np.array([[1.0] * 10 + [0.0] * 10, [0.0] * 20])
    weight = np.array([3.0] * 10 + [1.0] * 10)
    item = ItemScores(scores, weight, np.arange(20), np.zeros(20, dtype=int))
    router = route(["a", "b"], {"sums": item}, GROUPS, seed=1, draws=200)
    assert router is not None
    assert router.score == pytest.approx(75.0)


def answers(rng: np.random.Generator, shift_K: np.ndarray, n: int) -> ItemScores:
    """0/1 answers to items as easy for all models, but for a shift of each."""
    easy = rng.random(n)
    return ItemScores.plain((rng.random((len(shift_K), n)) < easy + shift_K[:, None]).astype(float))


@pytest.mark.parametrize(("models", "benchmarks", "n"), [(3, 3, 40), (5, 4, 60)])
def test_equal_models_gain_nothing_in_ninety_three_per_cent(
    models: int, benchmarks: int, n: int
) -> None:
    rng = np.random.default_rng(5)
    names = [str(b) for b in range(benchmarks)]
    holds = gains = 0
    for seed in range(400):
        items = {name: answers(rng, np.zeros(models), n) for name in names}
        group_of = dict.fromkeys(names, "g")
        router = route(list("abcde"[:models]), items, group_of, seed=seed, draws=300)
        assert router is not None
        holds += router.ci[0] <= 0 <= router.ci[1]
        gains += router.ci[0] > 0
    # 400 data sets: 93 % less two standard errors of 1.3, 2.5 % more than two of 0.8. With the
    # choices held fixed the interval held 0 in 80 %, and a gain was promised in 8 %.
    assert holds / 400 >= 0.93 - 0.026
    assert gains / 400 <= 0.025 + 0.016


def test_a_real_gain_is_found() -> None:
    rng = np.random.default_rng(6)
    shift = 0.15 * np.eye(4)  # each model is 15 points better at a task of its own
    items = {name: answers(rng, shift[at], 300) for at, name in enumerate("wxyz")}
    router = route(list("abcd"), items, dict.fromkeys("wxyz", "g"), seed=0)
    assert router is not None
    assert router.ci[0] > 0
    assert router.ci[0] < 15 * 0.75 < router.ci[1]  # the best single one has 15 / 4


def test_the_interval_is_that_of_routers_on_other_items() -> None:
    # By brute force: routers of the same models, each on items of its own
    rng = np.random.default_rng(7)
    shift = np.array([[0.0, 0.05], [0.05, 0.0], [0.0, 0.0]])
    gains, widths = [], []
    for seed in range(400):
        items = {name: answers(rng, shift[at], 60) for at, name in enumerate("xyz")}
        router = route(["a", "b"], items, dict.fromkeys("xyz", "g"), seed=seed, draws=300)
        assert router is not None
        gains.append(router.gain)
        widths.append(router.ci[1] - router.ci[0])
    # t(0.975; 177) = 1.973; 400 data sets know their spread to 3.5 %
    assert np.mean(widths) / (2 * 1.973) == pytest.approx(np.std(gains), rel=0.1)


def test_stories_count_once() -> None:
    rng = np.random.default_rng(8)
    alone = answers(rng, np.zeros(3), 50)
    four = ItemScores(
        np.repeat(alone.scores_KN, 4, axis=1),
        np.ones(200),
        np.repeat(np.arange(50), 4),
        np.zeros(200, dtype=np.int64),
    )
    one, repeated = (route(list("abc"), {"sums": i}, GROUPS, seed=3) for i in (alone, four))
    assert one is not None
    assert repeated is not None
    assert repeated.gain == pytest.approx(one.gain)
    assert repeated.ci == pytest.approx(one.ci)


def test_the_interval_stays_on_the_scale() -> None:
    few = {"sums": plain([1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1])}
    router = route(["a", "b"], few, GROUPS, seed=0)
    assert router is not None
    assert -100.0 <= router.ci[0] <= router.gain <= router.ci[1] <= 100.0


def test_models_that_answer_alike_promise_nothing() -> None:
    items = {"sums": plain(*[[1, 0, 1, 1, 0] * 6] * 3)}
    router = route(list("abc"), items, GROUPS, seed=0)
    assert router is not None
    assert router.gain == 0.0
    reach = 100 * (1 - 0.025 ** (1 / 30))
    assert router.ci == pytest.approx((-reach, reach))
    assert router.choices == {"sums": {"a": 1.0}}
