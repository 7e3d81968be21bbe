"""Tests and intervals of changes against enumeration, scipy and hand-worked values."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from transferscope.core.changes import (
    ChangeTest,
    _flipped,
    _flipped_one_by_one,
    _floor,
    _reach,
    _settled,
    combined_test,
    mean_tests,
    paired_tests,
    unpaired_test,
)
from transferscope.core.noninferiority import tango_interval, unseen_loss
from transferscope.core.power import mcnemar_mde, mean_mde, unpaired_mde
from transferscope.core.standing import standing
from transferscope.core.stats import ItemScores, is_binary_independent, mcnemar_exact
from transferscope.core.typed_record import UNKNOWN

from .sixty import BASE, CLUSTER, TUNED


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def clustered(difference: np.ndarray, cluster: np.ndarray) -> ItemScores:
    scores = np.vstack([np.zeros(len(difference)), difference])
    return ItemScores(scores, np.ones(len(difference)), cluster, np.zeros(len(difference), int))


def test_sign_flip_is_the_enumeration_where_units_are_few(rng: np.random.Generator) -> None:
    difference = np.array([0.5, -0.25, 1.0, 1.0, 0.0, 0.75, -0.5, 1.0])
    flips = np.array(list(itertools.product([-1.0, 1.0], repeat=8)))
    exact = np.mean(np.abs(flips @ difference) >= abs(difference.sum()) - 1e-12)
    (test,) = paired_tests(clustered(difference, np.arange(8)), rng)
    assert test.p == exact
    assert test.smallest_p == 2 / 2**8
    # drawn instead, where there are more patterns than replicates
    (drawn,) = paired_tests(clustered(difference, np.arange(8)), rng, replicates=255)
    assert drawn.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 255))


def test_sign_flip_counts_the_observed_and_never_reaches_zero(rng: np.random.Generator) -> None:
    halves = np.vstack([np.zeros(200), np.full(200, 0.5), np.zeros(200)])
    tests = paired_tests(ItemScores.plain(halves), rng, replicates=999)
    assert [test.p for test in tests] == [1 / 1000, 1.0]


def test_sign_flip_beside_evalsig_and_scipy(rng: np.random.Generator) -> None:
    items = ItemScores.plain(np.vstack([BASE, TUNED]))
    (ours,) = paired_tests(items, rng, single=False, replicates=40_000)
    # evalsig 0.1.2 paired_permutation_test, 40,000 resamples; 4 standard errors of both: 0.013
    assert ours.p == pytest.approx(0.3270918227044324, abs=0.013)
    theirs = scipy_stats.permutation_test(
        (BASE, TUNED),
        lambda x, y, axis: np.mean(y - x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=3,
    )
    assert ours.p == pytest.approx(theirs.pvalue, abs=0.016)
    items = ItemScores(np.vstack([BASE, TUNED]), np.ones(60), CLUSTER, np.zeros(60, dtype=int))
    (whole,) = paired_tests(items, rng, replicates=40_000)
    sums = [np.bincount(CLUSTER, weights=row) for row in (BASE, TUNED)]
    exact = scipy_stats.permutation_test(
        sums,
        lambda x, y, axis: np.sum(y - x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,  # all 2^15 flips
    )
    assert whole.p == pytest.approx(exact.pvalue, rel=1e-12)  # 2^15 are gone through here too


def test_rule_that_chooses_the_test(rng: np.random.Generator) -> None:
    binary = ItemScores.plain(np.array([[1.0, 1.0, 1.0, 1.0, 0.0, 1.0], [0, 0, 0, 0, 0, 1.0]]))
    (test,) = paired_tests(binary, rng)
    assert (test.name, test.p, test.smallest_p) == ("mcnemar", 0.125, 2 / 2**6)
    (repeated,) = paired_tests(binary, rng, single=False)
    assert repeated.name == "sign-flip"
    fractional = ItemScores.plain(binary.scores_KN * 0.5)
    stories = ItemScores(
        binary.scores_KN, np.ones(6), np.array([0, 0, 1, 2, 3, 4]), np.zeros(6, dtype=int)
    )
    weighted = ItemScores(
        binary.scores_KN, np.arange(1.0, 7.0), np.arange(6), np.zeros(6, dtype=int)
    )
    for items in (fractional, stories, weighted):
        assert not is_binary_independent(items)
        assert paired_tests(items, rng)[0].name == "sign-flip"


def test_sign_flip_flips_clusters_as_one(rng: np.random.Generator) -> None:
    # One cluster of 20 items that all fell: only one independent flip.
    scores = np.vstack([np.ones(20), np.zeros(20)])
    items = ItemScores(scores, np.full(20, 7.0), np.zeros(20, dtype=int), np.zeros(20, dtype=int))
    (test,) = paired_tests(items, rng)
    assert (test.p, test.smallest_p, test.ci) == (1.0, 1.0, (-100.0, 100.0))
    assert standing(-100.0, test.p, smallest=test.smallest_p) == "too few"


def brute_p(parts: list[np.ndarray], shares: list[float], mean: float) -> float:
    """p of a mean change: benchmarks moved together, residuals flipped, every pattern."""
    estimate = sum(s * part.mean() for s, part in zip(shares, parts, strict=True))
    rest = []
    for share, part in zip(shares, parts, strict=True):
        spread = 1.0 if len(parts) == 1 else math.sqrt(len(part) / (len(part) - 1))
        rest += list(share / len(part) * (spread * (part - part.mean()) + estimate - mean))
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=len(rest))))
    return float(np.mean(np.abs(signs @ np.array(rest)) >= abs(sum(rest)) - 1e-12))


@pytest.mark.parametrize("sizes", [[9], [5, 6], [3, 4, 4]])
def test_the_interval_inverts_the_test(sizes: list[int], rng: np.random.Generator) -> None:
    parts = [np.round(rng.normal(0.1, 0.3, size), 3).clip(-1, 1) for size in sizes]
    shares = [1 / len(sizes)] * len(sizes)
    items = [clustered(part, np.arange(len(part))) for part in parts]
    (test,) = mean_tests(items, shares, rng)
    low, high = test.ci
    estimate = 100 * np.mean([part.mean() for part in parts])
    floor = test.floor
    # what the exact floor or p sets is no inversion
    bounds = [b for b in (low, high) if abs(b - estimate) > floor + 1e-6 and b != 0.0]
    assert bounds
    for bound in bounds:
        away = 0.01 if bound > estimate else -0.01
        assert brute_p(parts, shares, (bound - away) / 100) >= 0.05
        assert brute_p(parts, shares, (bound + away) / 100) < 0.05


def test_pooled_test_weighs_benchmarks_by_their_shares(rng: np.random.Generator) -> None:
    # Small benchmark up 4 of 4, large one down 8 of 40: the equal mean is +40 points, the pooled
    # items would be -4 of 44.
    up = ItemScores.plain(np.vstack([np.zeros(4), np.ones(4)]))
    down = ItemScores.plain(np.vstack([np.ones(40), np.repeat([0.0, 1.0], [8, 32])]))
    flips = np.array(np.meshgrid(*[[-1, 1]] * 12)).reshape(12, -1)
    means = (flips[:4].sum(axis=0) / 4 + flips[4:].sum(axis=0) / 40) / 2
    exact = np.mean(np.abs(means) >= 0.4 - 1e-12)
    (test,) = mean_tests([up, down], [0.5, 0.5], rng, replicates=40_000)
    assert test.p == pytest.approx(exact, abs=4 * math.sqrt(exact / 40_000))
    (other,) = mean_tests([up, down], [0.9, 0.1], rng, replicates=40_000)
    means = 0.9 * flips[:4].sum(axis=0) / 4 + 0.1 * flips[4:].sum(axis=0) / 40
    exact = np.mean(np.abs(means) >= 0.88 - 1e-12)
    assert other.p == pytest.approx(exact, abs=4 * math.sqrt(exact / 40_000))


def test_a_benchmark_of_one_unit_lends_no_certainty(rng: np.random.Generator) -> None:
    cluster = np.zeros(2, dtype=int)
    one = ItemScores(np.array([[0.0, 0.0], [1.0, 1.0]]), np.ones(2), cluster, cluster)
    many = ItemScores.plain(np.vstack([np.zeros(40), np.tile([0.0, 0.5], 20)]))
    (both,) = mean_tests([one, many], [0.5, 0.5], rng)
    (alone,) = paired_tests(many, rng)
    # its distance to the mean of both, 37.5 points, is the only spread it shows
    assert both.error > 2 * alone.error


def test_three_items_that_all_rose_show_nothing(rng: np.random.Generator) -> None:
    (test,) = paired_tests(ItemScores.plain(np.vstack([np.zeros(3), np.ones(3)])), rng)
    assert (test.p, test.smallest_p) == (0.25, 0.25)
    assert test.ci[0] <= 0.0
    assert test.ci[1] == 100.0
    assert standing(100.0, test.p, smallest=test.smallest_p) == "too few"


def test_sixty_items_that_did_not_move_leave_six_points_open(rng: np.random.Generator) -> None:
    still = np.tile([0.0, 1.0], 30)
    (binary,) = paired_tests(ItemScores.plain(np.vstack([still, still])), rng)
    # Tango without a discordant pair: z^2 / (n + z^2), z = 1.96
    assert binary.ci == pytest.approx((-100 * 3.8415 / 63.8415, 100 * 3.8415 / 63.8415), abs=1e-3)
    (fractional,) = paired_tests(ItemScores.plain(np.full((2, 60), 0.4)), rng)
    # the change that 60 of which none moved leave open at 2.5 %: (1 - x)^60 = 0.025
    x = 100 * (1 - 0.025 ** (1 / 60))
    assert fractional.ci == pytest.approx((-x, x))
    assert fractional.p == 1.0
    assert standing(0.0, fractional.p) == "open"


def test_few_clusters_can_establish_nothing(rng: np.random.Generator) -> None:
    # 20 questions on five passages, 16 right before, one after: p can't go below 2 / 2^5
    before, after = np.repeat([1.0, 0.0], [16, 4]), np.repeat([1.0, 0.0], [1, 19])
    items = ItemScores(np.vstack([before, after]), np.ones(20), np.arange(20) % 5, np.zeros(20))
    (test,) = paired_tests(items, rng)
    assert test.p == test.smallest_p == 2 / 2**5
    assert test.ci == (-100.0, 100.0)
    assert standing(-75.0, test.p, smallest=test.smallest_p) == "too few"


def test_words_of_a_change() -> None:
    assert standing(5.0, 0.01) == "gain"
    assert standing(-5.0, 0.01, adjusted=0.2) == "loss suggested"
    assert standing(5.0, 0.01, adjusted=0.2) == "gain suggested"
    assert standing(-5.0, 0.01, adjusted=0.049) == "loss"
    assert standing(5.0, 0.05) == "open"
    assert standing(5.0, math.nan) == "unknown"
    assert standing(5.0, 0.06, smallest=0.06) == "too few"


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.0, 0.5, 1.0]), min_size=1, max_size=40),
    st.integers(1, 4),
    st.booleans(),
)
def test_interval_p_and_range_never_disagree(
    difference: list[float], size: int, binary: bool
) -> None:
    values = np.sign(difference) if binary else np.array(difference)
    base = (values < 0).astype(float) if binary else np.where(values < 0, -values, 0.0)
    scores = np.vstack([base, base + values])
    items = ItemScores(scores, np.ones(len(values)), np.arange(len(values)) // size, np.zeros(1))
    items = ItemScores(*(scores, items.weight_N, items.cluster_N, np.zeros(len(values), int)))
    (test,) = paired_tests(items, np.random.default_rng(1), replicates=499)
    low, high = test.ci
    change = 100 * values.mean()
    assert (low <= 0.0 <= high) == (test.p >= 0.05)
    assert -100.0 <= low <= change + 1e-9
    assert change - 1e-9 <= high <= 100.0
    assert high > low
    # the other way round it is the mirror image, up to the draws of the flips
    back = ItemScores(scores[::-1], items.weight_N, items.cluster_N, items.stratum_N)
    (mirrored,) = paired_tests(back, np.random.default_rng(1), replicates=499)
    assert mirrored.p == pytest.approx(test.p, abs=0.0 if test.name == "mcnemar" else 0.12)


def test_exact_mcnemar_never_rejects_inside_tangos_interval() -> None:
    # So the interval needs no change where the test rejects: up to 60 discordant of 60 to 400
    for n, discordant in itertools.product((60, 400), range(61)):
        for lost in range(discordant // 2 + 1):
            if mcnemar_exact(lost, discordant - lost) < 0.05:
                assert tango_interval(lost, discordant - lost, n)[0] > 0.0


def test_unpaired_scores_have_the_z_test() -> None:
    # 100 (SE 3) against 95 (SE 1): z = 5 / sqrt(10) = 1.581
    test = unpaired_test(-5.0, math.sqrt(10.0))
    assert test.p == pytest.approx(2 * scipy_stats.norm.sf(5 / math.sqrt(10)))
    assert test.p == pytest.approx(0.1138, abs=1e-4)
    assert test.ci == pytest.approx((-5 - 1.96 * math.sqrt(10), -5 + 1.96 * math.sqrt(10)))
    assert math.isnan(unpaired_test(-5.0, 0.0).p)
    assert math.isnan(unpaired_test(-5.0, math.nan).p)


def test_a_mean_of_paired_and_unpaired_changes() -> None:
    paired = ChangeTest("mcnemar", 0.2, (-1.92, 5.92))  # standard error 2
    lone = unpaired_test(10.0, 4.0)
    test = combined_test(6.0, [paired, lone], [0.5, 0.5])
    # sqrt(2^2 + 4^2) / 2
    assert test.error == pytest.approx(math.sqrt(20) / 2)
    assert test.p == pytest.approx(2 * scipy_stats.norm.sf(6 / (math.sqrt(20) / 2)))


@pytest.mark.parametrize("kind", ["plain", "repeats", "clusters"])
def test_false_alarms_stay_at_the_level(kind: str, rng: np.random.Generator) -> None:
    tests: dict[str, Callable[[], np.ndarray]] = {
        "plain": lambda: (rng.random((2, 60)) < 0.5).astype(float),
        "repeats": lambda: (rng.random((2, 60, 4)) < rng.random(60)[:, None]).mean(axis=-1),
        "clusters": lambda: np.repeat((rng.random((2, 20)) < 0.5).astype(float), 3, axis=1),
    }
    cluster = np.repeat(np.arange(20), 3) if kind == "clusters" else np.arange(60)
    alarms = 0
    for _ in range(400):
        items = ItemScores(tests[kind](), np.ones(60), cluster, np.zeros(60, dtype=int))
        (test,) = paired_tests(items, rng, replicates=400)
        alarms += test.p <= 0.05
    # 400 null comparisons at 5 %: 20 expected, 4 standard deviations above is 37
    assert alarms <= 37


def test_a_mean_over_more_units_than_a_float_has_powers_of_two() -> None:
    """2^1100 is no float: the number of patterns must never be worked out."""
    base = np.zeros(1100)
    tuned = np.where(np.arange(1100) < 60, 1.0, 0.0)
    items = ItemScores.plain(np.stack([base, tuned]))
    (test,) = mean_tests([items, items], [0.5, 0.5], np.random.default_rng(0), replicates=200)
    assert test.p == pytest.approx(1 / 201)


def test_few_flips_have_tangos_interval(rng: np.random.Generator) -> None:
    # 6 of 60 lost, p = 2 / 2^6. 60 items of which none moved leave 5.96 points open, which is less.
    lost = np.vstack([np.ones(60), np.repeat([0.0, 1.0], [6, 54])])
    (test,) = paired_tests(ItemScores.plain(lost), rng)
    assert test.floor == pytest.approx(100 * (1 - 0.025 ** (1 / 60)))
    assert (test.p, test.ci) == (2 / 2**6, tango_interval(6, 0, 60))
    assert test.mde == mcnemar_mde(6, 0, 60)
    (won,) = paired_tests(ItemScores.plain(lost[::-1]), rng)
    assert won.ci == tango_interval(0, 6, 60)


def test_ten_thousand_patterns_are_drawn_unless_told(rng: np.random.Generator) -> None:
    rise = ItemScores.plain(np.vstack([np.zeros(200), np.full(200, 0.5)]))
    assert paired_tests(rise, rng)[0].p == 1 / 10_001
    (test,) = mean_tests([rise], [1.0], rng)
    assert (test.p, test.smallest_p) == (1 / 10_001, 1 / 10_001)


SIX = np.array([0.1, -0.3, 0.25, 0.4, -0.05, 0.15])
EIGHT = np.array([0.5, -0.2, 0.3, 0.1, -0.4, 0.05, 0.35, 0.6])


def test_the_detectable_change_of_one_benchmark(rng: np.random.Generator) -> None:
    (test,) = mean_tests([clustered(EIGHT, np.arange(8))], [1.0], rng)
    error = EIGHT.std(ddof=1) / math.sqrt(8)
    assert test.floor == 0.0
    assert test.mde == pytest.approx(mean_mde(100 * error, 8.0, unmoved=False))


def test_the_detectable_change_of_a_mean_of_two(rng: np.random.Generator) -> None:
    items = [clustered(SIX, np.arange(6)), clustered(EIGHT, np.arange(8))]
    (test,) = mean_tests(items, [0.25, 0.75], rng)
    errors = (0.25 * SIX.std(ddof=1) / math.sqrt(6), 0.75 * EIGHT.std(ddof=1) / math.sqrt(8))
    units = 1 / (0.25**2 / 6 + 0.75**2 / 8)
    assert test.mde == pytest.approx(mean_mde(100 * math.hypot(*errors), units, unmoved=False))


@pytest.mark.parametrize("alone", [0.1, -0.2])
def test_a_lone_unit_spreads_by_its_distance_to_the_mean(
    alone: float, rng: np.random.Generator
) -> None:
    """Its residual, and what is taken off all units so that the residuals sum to 0, by hand."""
    lone = np.zeros(2, dtype=int)

    def tests(*rows: tuple[float, np.ndarray]) -> list[ChangeTest]:
        one = np.array([[0.0, 0.0], *([first, first] for first, _ in rows)])
        many = np.vstack([np.zeros(6), *(row for _, row in rows)])
        return mean_tests(
            [ItemScores(one, np.ones(2), lone, lone), ItemScores.plain(many)], [0.5, 0.5], rng
        )

    (test,) = tests((alone, SIX))
    change = 0.5 * alone + 0.5 * SIX.mean()
    first = 0.5 * alone - 0.5 * change
    others = math.sqrt(6 / 5) * (SIX - SIX.mean()) / 12 - first / 12
    error = math.sqrt((first / 2) ** 2 + (others**2).sum())
    units = 1 / (0.25 + 6 / 144)
    assert test.mde == pytest.approx(mean_mde(100 * error, units, unmoved=False))
    assert test.smallest_p == 2**-6
    # What is taken off is a model's own, whatever stands beside it.
    both = tests((alone, SIX), (0.9, SIX[::-1] * 2))
    assert both[0].mde == pytest.approx(test.mde)
    assert both[0].ci == pytest.approx(test.ci)


def test_every_part_needs_its_share(rng: np.random.Generator) -> None:
    items = clustered(SIX, np.arange(6))
    with pytest.raises(ValueError, match="zip"):
        mean_tests([items, items], [1.0], rng)
    with pytest.raises(ValueError, match="zip"):
        combined_test(1.0, [unpaired_test(1.0, 1.0)] * 2, [1.0])


def test_fields_of_the_z_test() -> None:
    known = unpaired_test(0.5, 0.5)
    assert (known.name, known.mde, known.smallest_p) == ("unpaired", unpaired_mde(0.5), 0.0)
    assert known.p == pytest.approx(2 * scipy_stats.norm.sf(1.0))
    unknown = unpaired_test(1.0, 0.0)
    assert (unknown.name, unknown.ci, unknown.mde) == ("unpaired", UNKNOWN, None)


def test_signs_are_the_bits_of_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirteen units take two bytes a pattern; here in blocks of three patterns."""
    monkeypatch.setattr("transferscope.core.changes.BLOCK_CELLS", 39)
    rows = np.random.default_rng(0).normal(size=(2, 13))
    found = _flipped_one_by_one(rows, np.random.default_rng(1), 10)
    raw, drawn = np.random.default_rng(1), []
    for size in (3, 3, 3, 1):
        text = raw.bytes(size * 2)
        drawn += [text[2 * at : 2 * at + 2] for at in range(size)]
    bits = [[byte >> (7 - at) & 1 for byte in pattern for at in range(8)][:13] for pattern in drawn]
    assert found == pytest.approx((2.0 * np.array(bits) - 1.0) @ rows.T)


def test_the_reach_is_the_fiftieth_largest_of_a_thousand(rng: np.random.Generator) -> None:
    residuals = np.stack([rng.permutation(1000) + 1.0 for _ in range(20)], axis=1)
    assert _reach(residuals, np.full((1000, 20), 0.5)).tolist() == [951 / 1.5] * 20
    assert _reach(-residuals, np.full((1000, 20), 0.5)).tolist() == [951 / 0.5] * 20
    # Signs that are all alike reach any deviation: 40 such patterns leave the tenth of the others.
    weights = np.where(residuals > 960, -1.0, 0.0)
    assert _reach(residuals, weights).tolist() == [951.0] * 20


def test_what_units_that_moved_alike_leave_open(rng: np.random.Generator) -> None:
    # All of 400 rose by a tenth, whatever their weights: no spread, and still 3.7 / 400 open.
    weights = np.repeat([1.0, 3.0], 200)
    scores = np.vstack([np.zeros(400), np.full(400, 0.1)])
    items = ItemScores(scores, weights, np.arange(400), np.zeros(400, dtype=int))
    (test,) = mean_tests([items], [1.0], rng, replicates=999)
    assert test.floor == unseen_loss(weights / weights.sum(), alpha=0.025)
    assert 0.5 < test.floor < 1.5
    assert test.ci == pytest.approx((10 - test.floor, 10 + test.floor))
    units = 400**2 * 2**2 / (200 + 200 * 9)
    assert test.mde == pytest.approx(mean_mde(0.0, units, unmoved=True), rel=0.005)
    even = ItemScores.plain(scores)
    (test,) = mean_tests([even], [1.0], rng, replicates=999)
    assert 0.0 < test.floor < 1.0
    # The sum of 400 squares is off by rounding, and units are counted whole: 399 or 400.
    assert test.mde == pytest.approx(mean_mde(0.0, 400.0, unmoved=True), rel=0.005)
    # With 19 patterns no p is below 0.05.
    (coarse,) = mean_tests([even], [1.0], rng, replicates=19)
    assert (coarse.smallest_p, coarse.mde) == (0.05, None)


def test_half_of_the_units_are_most() -> None:
    quarter = np.full(4, 0.25)
    open_ = unseen_loss(quarter, alpha=0.025)
    assert _floor(np.array([-1.0, 0.0, 0.0, 1.0]), quarter) == open_
    assert _floor(np.array([-1.0, 0.0, 0.5, 1.0]), quarter) == 0.0


def test_items_without_weight_are_no_units(rng: np.random.Generator) -> None:
    scores = np.vstack([np.zeros(9), [*EIGHT, 0.9]])
    weights = np.repeat([1.0, 0.0], [8, 1])
    items = ItemScores(scores, weights, np.arange(9), np.zeros(9, dtype=int))
    (found,) = mean_tests([items], [1.0], rng)
    (without,) = mean_tests([clustered(EIGHT, np.arange(8))], [1.0], rng)
    assert (found.p, found.smallest_p) == (without.p, without.smallest_p)
    assert found.ci == pytest.approx(without.ci)


@pytest.mark.parametrize(
    ("change", "p", "ci", "expected"),
    [
        (5.0, 0.05, (1.0, 9.0), (0.0, 9.0)),
        (5.0, 0.2, (2.0, 9.0), (0.0, 9.0)),
        (-5.0, 0.2, (-9.0, -2.0), (-9.0, 0.0)),
        (-5.0, 0.2, (-9.0, 0.5), (-9.0, 0.5)),
        (0.5, 0.049, (-1.0, 2.0), (math.ulp(0.0), 2.0)),
        (-0.5, 0.049, (-2.0, 1.0), (-2.0, -math.ulp(0.0))),
        (5.0, 0.01, (1.0, 9.0), (1.0, 9.0)),
        (99.0, 0.01, (90.0, 109.0), (90.0, 100.0)),
        (-99.0, 0.01, (-109.0, -90.0), (-100.0, -90.0)),
    ],
)
def test_an_interval_is_in_step_with_p(
    change: float, p: float, ci: tuple[float, float], expected: tuple[float, float]
) -> None:
    test = ChangeTest("sign-flip", p, ci, smallest_p=0.001, floor=0.25, mde=7.0)
    found = _settled(change, test)
    assert found.ci == expected
    assert (found.name, found.p, found.smallest_p, found.mde) == ("sign-flip", p, 0.001, 7.0)


def test_patterns_are_gone_through_where_as_many_would_be_drawn(rng: np.random.Generator) -> None:
    items = clustered(EIGHT, np.arange(8))
    (every,) = paired_tests(items, rng, replicates=1000)
    (just,) = paired_tests(items, rng, replicates=256)
    assert (just.p, just.ci) == (every.p, every.ci)


@pytest.mark.parametrize(("units", "drawn_one_by_one"), [(16, False), (15, True)])
def test_the_observed_signs_are_the_first_of_those_drawn(
    units: int, drawn_one_by_one: bool
) -> None:
    # Two kinds of units: counts of them are drawn from 8 x 2 units on, from a stream of their own.
    kinds = np.resize([0.25, -0.5], units)
    sums, rest = np.stack([kinds, 2 * kinds]), np.stack([kinds + 1.0, kinds - 3.0])
    weights = np.full(units, 1 / units)
    rng = np.random.default_rng(0)
    flipped, residuals, weight = _flipped(sums, rest, weights, rng, 500)
    assert flipped.shape == residuals.shape == weight.shape == (501, 2)
    assert flipped[0] == pytest.approx(sums.sum(axis=1))
    assert residuals[0] == pytest.approx(rest.sum(axis=1))
    assert weight[0] == pytest.approx([1.0, 1.0])
    untouched = np.random.default_rng(0).bit_generator.state
    assert (rng.bit_generator.state != untouched) == drawn_one_by_one
    # All rows of a pattern have the same signs, so what is linear in the units stays so.
    assert residuals[:, 0] - flipped[:, 0] == pytest.approx(units * weight[:, 0])
    assert residuals[:, 1] - flipped[:, 1] / 2 == pytest.approx(-3 * units * weight[:, 1])
