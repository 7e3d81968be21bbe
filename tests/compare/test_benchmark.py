"""Both kinds of compared benchmark, by hand and through their one interface."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferscope.compare.benchmark import Benchmark, Drawn, Paired, Unpaired, benchmarks_of
from transferscope.compare.shared_draws import change_tests, draw_each, flip_tests, on_common_items
from transferscope.core.power import tango_mde
from transferscope.core.resampling import units_of
from transferscope.core.typed_record import UNKNOWN
from transferscope.documents.comparison import Answered
from transferscope.runs import Estimate, PairedBenchmark, Pairing, UnpairedBenchmark

ASKED = {name for name in vars(Benchmark) if not name.startswith("_")} | {"paired"}


def paired(base, tuned, *, clusters=None, flags=None, first=0, chance=None) -> Paired:
    n = len(base)
    base, tuned = np.array(base, dtype=float), np.array(tuned, dtype=float)
    ids = tuple(f"{at:04}" for at in range(first, first + n))
    return Paired(
        PairedBenchmark(
            benchmark="chat",
            ids=ids,
            base_scores=base,
            tuned_scores=tuned,
            weights=np.ones(n),
            clusters=np.arange(n) if clusters is None else np.array(clusters),
            subsets=np.zeros(n, dtype=np.int64),
            subset_names=("",),
            repeats=1,
            binary=bool(np.isin(np.stack([base, tuned]), (0.0, 1.0)).all()),
            chance=chance,
            base_flags=((),) * n,
            tuned_flags=((),) * n if flags is None else tuple(flags),
        )
    )


def scores(base: Estimate, tuned: Estimate) -> Unpaired:
    return Unpaired(UnpairedBenchmark("chat", base, tuned, 0.25))


def proportion(score: float, n: int) -> Estimate:
    return Estimate(score, n, None, proportion=True)


def of(lost: int, won: int, right: int, wrong: int) -> Paired:
    base = [1] * (lost + right) + [0] * (won + wrong)
    return paired(base, [0] * lost + [1] * right + [1] * won + [0] * wrong)


def test_paired_by_hand() -> None:
    one = of(lost=40, won=20, right=200, wrong=140)
    assert one.points == pytest.approx((60.0, 55.0, -5.0))
    assert (one.n, one.counted, one.independent) == (400, 400, (400, 400))
    flips = one.flips()
    assert (flips.lost, flips.won, flips.both_right, flips.both_wrong) == (40, 20, 200, 140)
    assert one.flipped_ids()["won"][:2] == ["0240", "0241"]
    assert one.units.effective == pytest.approx(400)
    # 60 of 400 units carry the change.
    assert one.units.moving == pytest.approx(60)
    # Exact McNemar: 2 P(X <= 20) of 60 coins.
    p = 2 * sum(math.comb(60, k) for k in range(21)) / 2**60
    rng = np.random.default_rng(0)
    assert one.test(rng, replicates=100).p == pytest.approx(p)
    # The change's variance: (60/400 - 0.05^2) / 399, in points 1.9227^2.
    drawn = one.draw(rng, replicates=40_000)
    assert drawn.change_R.std() == pytest.approx(1.9227, rel=0.02)
    assert drawn.change_R.mean() == pytest.approx(-5.0, abs=0.05)
    assert drawn.tuned_R.mean() == pytest.approx(55.0, abs=0.06)
    assert drawn.moved is not None
    assert drawn.moved.forgetting.value == pytest.approx(10.0)


def test_the_bound_of_pairs_by_hand() -> None:
    # None of 100 pairs moved: the exact test leaves 100 (1 - 0.05^(1/100)) points open.
    still = of(lost=0, won=0, right=60, wrong=40)
    drawn = still.draw(np.random.default_rng(0), replicates=99)
    bound = still.bound(2.0, drawn, unmoved=True)
    assert bound.lower == pytest.approx(100 * (0.05 ** (1 / 100) - 1))
    assert (bound.test, bound.exact) == ("tango", True)
    assert bound.p_dropped > 0.99
    # 20 of 100 lost, none won. Where none can rise, a drop of 10 gives P(X >= 20) = 0.0020; the
    # exact p is the largest over all chances of a rise.
    fallen = of(lost=20, won=0, right=40, wrong=40)
    tail = 1 - sum(math.comb(100, k) * 0.1**k * 0.9 ** (100 - k) for k in range(20))
    assert tail == pytest.approx(0.00198, abs=1e-5)
    assert tail <= fallen.bound(10.0, drawn, unmoved=False).p_dropped < 3 * tail


def test_fractional_answers_have_the_bound_of_their_replicates() -> None:
    rng = np.random.default_rng(1)
    base = rng.random(300)
    one = paired(base, np.clip(base + rng.normal(0.0, 0.2, 300), 0.0, 1.0))
    drawn = one.draw(rng, replicates=4_000)
    bound = one.bound(5.0, drawn, unmoved=False)
    assert (bound.test, bound.exact) == ("bootstrap", False)
    # A normal bound: 1.645 standard errors below the change.
    error = 100 * (one.part.tuned_scores - one.part.base_scores).std(ddof=1) / math.sqrt(300)
    assert bound.lower == pytest.approx(one.points.delta - 1.645 * error, abs=0.15)


def test_clusters_are_the_units() -> None:
    one = paired([1] * 60 + [0] * 40, [1] * 50 + [0] * 50, clusters=np.arange(100) // 5)
    assert one.independent == (20, 20)
    assert one.units.effective == pytest.approx(20)
    assert one.units.moving == pytest.approx(2)  # items 50 to 59 are two whole stories
    assert one.test(np.random.default_rng(0), replicates=999).name == "sign-flip"


def test_flagged_answers_are_parted_from_clean_ones() -> None:
    flags = [("truncated",)] * 3 + [()] * 97
    one = paired([1] * 60 + [0] * 40, [0] * 10 + [1] * 50 + [0] * 40, flags=flags)
    part = one.flagged()
    assert (part.n, part.flagged_n, part.unknown) == (100, 3, 0.0)
    assert part.flagged == pytest.approx(-3.0)
    assert one.unflagged().points.delta == pytest.approx(-7.0)
    artefacts = one.artefacts()
    assert (artefacts["flags"].tuned, artefacts["answered"]) == (
        {"truncated": 3},
        Answered(100.0, 97.0),
    )


def test_unpaired_by_hand() -> None:
    one = scores(proportion(50.0, 100), proportion(60.0, 200))
    assert one.points == pytest.approx((50.0, 60.0, 10.0))
    assert (one.n, one.counted, one.independent, one.chance) == (100, 100, (100, 200), 0.25)
    # Jeffreys posteriors Beta(50.5, 50.5) and Beta(120.5, 80.5).
    before = math.sqrt(50.5 * 50.5 / (101**2 * 102))
    after = math.sqrt(120.5 * 80.5 / (201**2 * 202))
    error = 100 * math.hypot(before, after)
    rng = np.random.default_rng(0)
    test = one.test(rng, replicates=1)
    assert test.p == pytest.approx(math.erfc(10.0 / error / math.sqrt(2)))
    drawn = one.draw(rng, replicates=40_000)
    assert drawn.change_R.std() == pytest.approx(error, rel=0.02)
    assert np.corrcoef(drawn.base_R, drawn.tuned_R)[0, 1] == pytest.approx(0.0, abs=0.02)
    bound = one.bound(3.0, drawn, unmoved=False)
    assert (bound.test, bound.exact) == ("bootstrap", False)
    assert bound.lower == pytest.approx(10.0 - 1.645 * error, abs=0.5)
    assert (one.flips(), one.artefacts(), drawn.moved) == (None, {}, None)
    assert one.flagged().unknown == pytest.approx(10.0)


def test_an_unknown_number_of_items_counts_none() -> None:
    one = scores(Estimate(50.0, None, 2.0, proportion=False), proportion(60.0, 200))
    assert (one.n, one.counted, one.independent) == (200, 0, (None, 200))
    assert one.units.effective == 0.0
    nothing = scores(Estimate(50.0, None, None, proportion=False), proportion(60.0, 200))
    assert math.isnan(nothing.test(np.random.default_rng(0), replicates=1).p)
    assert np.isnan(nothing.draw(np.random.default_rng(0), replicates=5).base_R).all()


@st.composite
def benchmarks(draw: st.DrawFn) -> Benchmark:
    if draw(st.booleans()):
        sides = [draw(st.tuples(st.floats(0.0, 100.0), st.integers(20, 400))) for _ in range(2)]
        return scores(*(proportion(score, n) for score, n in sides))
    n = draw(st.integers(20, 120))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    values = rng.random((2, n))
    if draw(st.booleans()):
        values = (values < draw(st.floats(0.0, 1.0))).astype(float)
    return paired(*values, clusters=np.arange(n) // draw(st.integers(1, 3)), chance=0.2)


@settings(max_examples=80, deadline=None)
@given(benchmarks())
def test_both_kinds_satisfy_one_interface(one: Benchmark) -> None:
    assert {name for name in ASKED if hasattr(one, name)} == ASKED
    with pytest.raises(FrozenInstanceError):
        one.n = 3  # type: ignore[misc]
    points = one.points
    assert points.delta == points.tuned - points.base
    assert min(points[:2]) >= -1e-9
    assert max(points[:2]) <= 100 + 1e-9
    assert one.counted <= one.n
    assert one.units.weight_U.sum() == pytest.approx(1.0)
    assert one.units.effective <= len(one.units.weight_U) + 1e-6
    first, again = (one.draw(np.random.default_rng(3), replicates=199) for _ in range(2))
    assert first.change_R.shape == (199,)
    assert (first.base_R == again.base_R).all()
    assert (first.tuned_R == again.tuned_R).all()
    assert first.base_R.min() >= 0.0
    assert first.tuned_R.max() <= 100.0 + 1e-9
    test = one.test(np.random.default_rng(4), replicates=199)
    low, high = test.ci
    assert (low <= 0.0 <= high) == (test.p >= 0.05)
    assert low - 1e-9 <= points.delta <= high + 1e-9
    bound = one.bound(10.0, first, unmoved=test.floor > 0)
    assert -100.0 <= bound.lower <= points.delta + 1e-9
    assert 0.0 <= bound.p_dropped <= 1.0
    for asked in (one.flips(), one.artefacts() or None, first.moved):
        assert (asked is not None) is one.paired
    assert bool(one.ids) is bool(one.tuned_flags) is one.paired
    part = one.flagged()
    assert part.unknown == (0.0 if one.paired else points.delta)
    assert one.unflagged().points.base == points.base


def many(seed: int, *, fractional: bool) -> Paired:
    """The same base beside another model."""
    base = np.random.default_rng(0).random(400) < 0.6
    tuned = np.random.default_rng([seed, 1]).random(400)
    return paired(base, tuned if fractional else tuned < 0.6)


def stream_of() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 2, 0, 3, 1]])
def test_draws_and_tests_do_not_depend_on_company(order) -> None:
    models: list[Benchmark] = [many(at, fractional=at % 2 == 1) for at in range(4)]
    models.append(scores(proportion(50.0, 100), proportion(55.0, 100)))
    alone = [one.draw(stream_of(), replicates=300) for one in models]
    together = draw_each([models[at] for at in order], stream_of, replicates=300)
    for at, drawn in zip(order, together, strict=True):
        assert drawn.base_R == pytest.approx(alone[at].base_R, rel=1e-12)
        assert drawn.tuned_R == pytest.approx(alone[at].tuned_R, rel=1e-12)
        assert drawn.moved == alone[at].moved
    tests = change_tests([models[at] for at in order], stream_of, replicates=300)
    pairs = [[models[at], models[at]] for at in order]
    means = flip_tests(pairs, [0.5, 0.5], stream_of, replicates=300)
    for at, test, mean in zip(order, tests, means, strict=True):
        own = models[at].test(stream_of(), replicates=300)
        assert (test.p, test.ci) == (own.p, pytest.approx(own.ci, rel=1e-12))
        (own_mean,) = flip_tests([[models[at]] * 2], [0.5, 0.5], stream_of, replicates=300)
        assert (mean is None) is (own_mean is None) is (at == 4)
        if mean is not None:
            assert (mean.p, mean.ci) == (own_mean.p, pytest.approx(own_mean.ci, rel=1e-12))


def test_models_of_other_items_are_drawn_by_themselves() -> None:
    one, other = many(1, fractional=True), many(3, fractional=True)
    fewer = paired(other.part.base_scores[:300], other.part.tuned_scores[:300])
    drawn = draw_each([one, fewer], stream_of, replicates=200)
    assert drawn[1].tuned_R == pytest.approx(fewer.draw(stream_of(), replicates=200).tuned_R)
    assert drawn[0].base_R == pytest.approx(one.draw(stream_of(), replicates=200).base_R)


def test_items_that_all_models_answered() -> None:
    one = paired([1, 0, 1, 1], [0, 0, 1, 1])
    late = paired([0, 1, 1, 0], [1, 1, 0, 0], first=1)  # items 1 to 4
    common = on_common_items([one, late])
    assert common is not None
    assert common.scores_KN.tolist() == [[0, 1, 1], [0, 1, 1], [1, 1, 0]]
    far = paired([1], [1], first=9)
    lone = scores(proportion(50.0, 10), proportion(60.0, 10))
    assert on_common_items([one, far]) is on_common_items([one, lone]) is None
    assert on_common_items([one, None]) is None


def test_benchmarks_of_a_pairing_come_item_by_item_first() -> None:
    two = UnpairedBenchmark("table", proportion(50.0, 10), proportion(60.0, 10), None)
    part = of(lost=1, won=2, right=3, wrong=4).part
    found = benchmarks_of(Pairing({"chat": part}, {}, (), {"table": two}))
    assert list(found) == ["chat", "table"]
    assert [one.paired for one in found.values()] == [True, False]


def test_units_are_those_of_the_bootstrap() -> None:
    one = paired([1] * 40, [0] * 40, clusters=np.arange(40) // 4)
    units = units_of(one.part.clusters, one.part.subsets)
    assert len(one.units.weight_U) == units.count == 10
    assert one.units.moved_U == pytest.approx([-0.1] * 10)


def test_scores_alone_have_no_flips_and_may_have_no_test() -> None:
    unknown = Estimate(50.0, None, None, proportion=True)
    one = scores(unknown, Estimate(40.0, None, 2.0, proportion=False))
    assert one.flipped_ids() == {"lost": (), "won": ()}
    test = one.test(np.random.default_rng(0), replicates=10)
    assert (test.name, test.ci) == ("unpaired", UNKNOWN)
    assert math.isnan(test.p)
    # A score that is not a proportion has its own error, whatever its number of items.
    mean = Estimate(50.0, 100, 3.0, proportion=False)
    both = scores(mean, replace(mean, score=42.0))
    assert both.test(np.random.default_rng(0), replicates=10).p == pytest.approx(
        math.erfc(8 / math.hypot(3, 3) / math.sqrt(2))
    )
    drawn = both.draw(np.random.default_rng(0), replicates=500)
    assert drawn.base_R.shape == drawn.tuned_R.shape == (500,)
    assert drawn.base_R.std() == pytest.approx(3.0, rel=0.15)


def test_units_that_did_not_move_hide_more() -> None:
    fractional = paired([0.5] * 40, [0.5] * 40)
    alone = scores(proportion(50.0, 40), proportion(50.0, 40))
    for one in (fractional, alone):
        still = Drawn(np.full(99, 50.0), np.full(99, 50.0) + 1e-3 * (np.arange(99) % 2))
        seen, hidden = (one.bound(3.0, still, unmoved=unmoved) for unmoved in (False, True))
        assert hidden.detectable == tango_mde(0, 0, round(one.units.effective), margin=3.0)
        assert seen.detectable is not None
        assert seen.detectable < hidden.detectable
