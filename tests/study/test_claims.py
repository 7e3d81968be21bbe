from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.typed_record import plain
from transferscope.study.claims import Claim, above, below, best_rate, decide, judge, within
from transferscope.study.matched_gain import matched, retention_at, trade_off
from transferscope.study.run_summary import Measured, Value
from transferscope.study.study_config import Thresholds


def run(
    recipe: str,
    seed: int,
    gain: float,
    kept: float,
    *,
    rate: float = 1e-5,
    step: int | None = None,
    variance: float = 0.0,
    ti: float | str = 50.0,
    shift: float = 1.0,
    seconds: float = 10.0,
) -> Measured:
    return Measured(
        table=recipe,
        recipe=recipe,
        seed=seed,
        learning_rate=rate,
        step=step,
        source="math",
        gain={"math": Value(gain, variance), "non": Value(kept, variance)},
        retention=Value(kept, variance),
        ti={"non": ti if isinstance(ti, str) else Value(ti, variance)},
        shift={"d_layerwise": shift, "kl": shift, "rank": shift, "shifted": shift},
        seconds=seconds,
    )


def test_retention_is_read_on_the_line_through_all_points() -> None:
    points = [(5.0, -1.0), (4.0, -3.0), (8.0, -2.0), (8.0, -6.0), (-1.0, -4.0)]
    assert trade_off(points) == ([-1.0, 0.0, 4.0, 5.0, 8.0], [-4.0, 0.0, -3.0, -1.0, -4.0])
    assert retention_at(points, 2.0) == -1.5
    assert retention_at(points, 6.5) == -2.5
    assert retention_at(points, 8.1) is None
    # an arm that lifts retention does so in proportion to its gain
    assert retention_at([(3.0, 2.0)], 1.5) == 1.0


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=1, max_size=12))
def test_a_reading_lies_between_the_points(points: list[tuple[float, float]]) -> None:
    gains, kept = trade_off(points)
    middle = (gains[0] + gains[-1]) / 2
    read = retention_at(points, middle)
    assert read is not None
    assert min(kept) - 1e-9 <= read <= max(kept) + 1e-9


def test_more_points_are_no_advantage() -> None:
    """Six noisy points of one arm and one of an equal arm differ by nothing on average."""
    rng = np.random.default_rng(0)
    differences = []
    for seed in range(400):
        gains = np.linspace(8.0, 16.0, 6)
        six = [run("a", seed, gain, -0.2 * gain + rng.normal(0, 2), rate=gain) for gain in gains]
        (one,) = [run("b", seed, 12.0, -2.4 + rng.normal(0, 2))]
        (found,) = matched(six, [one]).values.values()
        differences.append(found.value)
    # The standard error is at most sqrt(8) / 20 = 0.14; the frontier's bias is 1.5 points and more.
    assert abs(np.mean(differences)) < 0.5


def test_arms_are_compared_at_the_gain_that_both_reach() -> None:
    one = [run("a", 0, 4.0, 1.0), run("a", 0, 8.0, -1.0, rate=1e-4)]
    other = [run("b", 0, 5.0, -5.0, variance=2.0), run("b", 1, 5.0, -5.0)]
    found = matched(one, other)
    assert found.gains == {0: 5.0}
    # a between (4, 1) and (8, -1) at 5 is 0.5; b is -5. b's line falls from (0, 0) to (5, -5):
    # its slope is -1, so the gain's variance counts as much as the retention's.
    assert found.values == {0: Value(5.5, 4.0)}
    nothing = matched(one, [run("b", 0, -1.0, 3.0)])
    assert (nothing.gains, nothing.values) == ({}, {})
    assert nothing.why == "no common gain: an arm's source gain is at most -1.0 points with seed 0"
    for strangers in ([], [run("b", 1, 5.0, -5.0)]):  # no runs, and none with the same seed
        assert matched(one, strangers).why.endswith("both arms with the same seed")


@pytest.mark.parametrize(
    ("rule", "ci", "verdict"),
    [
        (above, (0.1, 2.0), "confirmed"),
        (above, (-1.0, 2.0), "undecided"),
        (above, (-2.0, -1.0), "contradicted"),
        (below, (-2.0, -0.1), "confirmed"),
        (below, (-2.0, 0.1), "undecided"),
        (below, (0.1, 3.0), "contradicted"),
    ],
)
def test_verdicts_at_threshold_0(rule: object, ci: tuple[float, float], verdict: str) -> None:
    assert rule(ci, 0.0) == verdict  # type: ignore[operator]


def test_equivalence_needs_the_whole_interval_inside() -> None:
    assert within((-1.9, 1.9), 2.0) == "confirmed"
    assert within((-2.1, 1.9), 2.0) == "undecided"
    assert within((2.0, 5.0), 2.0) == within((-5.0, -2.5), 2.0) == "contradicted"


def test_the_interval_is_over_runs_and_holds_the_items() -> None:
    # means 1, 2, 3: var 1, over 3 runs 1/3; items 0.25; t(2, .975) = 4.302653
    claim = decide("x", [Value(1.0, 0.25), Value(2.0, 0.25), Value(3.0, 0.25)], 0.0, above)
    half = 4.302653 * math.sqrt(1 / 3 + 0.25)
    assert claim.measured == 2.0
    assert claim.ci == pytest.approx((2 - half, 2 + half), rel=1e-6)
    assert (claim.verdict, claim.runs) == ("undecided", 3)


def test_too_few_runs_and_endless_intervals_are_undecided() -> None:
    assert decide("x", [], 0.0, above).why == "the study has no such runs"
    two = decide("x", [Value(5.0), Value(6.0)], 0.0, above)
    assert (two.verdict, two.ci, two.measured) == ("undecided", None, 5.5)
    assert "at least 3" in two.why
    endless = decide("x", [Value(5.0, math.inf)] * 3, 0.0, above)
    assert (endless.verdict, endless.measured) == ("undecided", 5.0)
    assert "not finite" in endless.why


def test_ratios_are_averaged_as_logs() -> None:
    logs = [Value(math.log(2.0)), Value(math.log(8.0)), Value(math.log(4.0))]
    claim = decide("x", logs, 1.0, above, log=True)
    assert claim.measured == pytest.approx(4.0)
    half = 4.302653 * math.log(2.0) / math.sqrt(3)
    assert claim.ci == pytest.approx((4 * math.exp(-half), 4 * math.exp(half)), rel=1e-6)


def study() -> list[Measured]:
    runs = []
    for seed in range(4):
        wobble = 0.1 * seed
        runs += [
            run("on-policy-rl", seed, 9 + wobble, 1 + wobble, ti=20 + wobble, seconds=30),
            run("on-policy-rl-no-kl", seed, 9 + wobble, 1.1 + wobble),
            run("off-policy-rl", seed, 9 + wobble, -2 - wobble),
            run("on-policy-sft", seed, 5 + wobble, 0.5),
            run("off-policy-sft", seed, 6 + wobble, -8 - wobble, shift=5 + wobble),
            run("off-policy-sft", seed, 2 + wobble, -1, rate=1e-6, shift=0.1),
            run("random-reward", seed, 6 + wobble, 0.0),
        ]
    return runs


def test_a_planted_study_gives_the_planted_verdicts() -> None:
    claims = {claim.claim: claim for claim in judge(study(), Thresholds())}
    verdicts = {name: claim.verdict for name, claim in claims.items()}
    assert verdicts == {
        "TI of non, on-policy RL, is positive (linear definition)": "confirmed",
        "off-policy SFT loses on non-reasoning (points)": "confirmed",
        "on-policy-sft keeps more than off-policy-sft at matched gain (points)": "confirmed",
        "on-policy-rl-no-kl keeps more than off-policy-rl at matched gain (points)": "confirmed",
        "the KL term matters little (retention with minus without, points)": "confirmed",
        "PCA shift of SFT over that of RL (ratio)": "confirmed",
        "KL of SFT over that of RL (ratio)": "confirmed",
        "rank shift of SFT over that of RL (ratio)": "confirmed",
        "shifted tokens of SFT over those of RL (ratio)": "confirmed",
        "random reward gains little on the source (points)": "contradicted",
        "random reward gains little elsewhere (retention, points)": "confirmed",
        "RL takes longer than SFT on as many queries (ratio of time)": "confirmed",
    }
    lost = claims["off-policy SFT loses on non-reasoning (points)"]
    assert lost.measured == pytest.approx(-8.15)  # the rate that gains more
    assert plain(lost)["runs"] == 4


def test_an_undefined_index_is_said() -> None:
    runs = [run("on-policy-rl", seed, 1.0, 0.0, ti="source did not gain") for seed in range(3)]
    first = judge(runs, Thresholds())[0]
    assert (first.verdict, first.measured) == ("undecided", None)
    assert first.why == "undefined in 3 of 3 runs: source did not gain"


def test_the_best_rate_is_the_one_that_gains_most_on_average() -> None:
    runs = [
        run("a", 0, 5.0, 0.0),
        run("a", 1, 1.0, 0.0),
        run("a", 0, 4.0, 0.0, rate=1e-4),
        run("a", 1, 4.0, 0.0, rate=1e-4),
        run("a", 1, 99.0, 0.0, rate=1e-3, step=4),
    ]
    assert {r.learning_rate for r in best_rate(runs)} == {1e-4}
    assert best_rate([]) == []


def test_variants_are_no_further_runs_of_a_recipe() -> None:
    own = [run("on-policy-rl", seed, 5.0, 1.0) for seed in (0, 1)]
    stale = [replace(r, table="stale", ti={"non": Value(-90.0)}) for r in own]
    later = [replace(r, recipe="on-policy-rl from sft") for r in own]
    claim = judge([*own, *stale, *later], Thresholds())[0]
    assert (claim.runs, claim.measured, claim.verdict) == (2, 50.0, "undecided")


def test_a_rate_with_one_run_does_not_replace_six_seeds() -> None:
    seeds = [run("on-policy-rl", seed, 5.0, 1.0) for seed in range(6)]
    swept = run("on-policy-rl", 0, 9.0, 1.0, rate=1e-3)
    assert best_rate([swept, *seeds]) == seeds


def test_what_a_study_lacks_is_undecided_and_says_so() -> None:
    claims = {claim.claim: claim for claim in judge([], Thresholds())}
    lost = claims["off-policy SFT loses on non-reasoning (points)"]
    assert (lost.verdict, lost.why) == ("undecided", "the study has no such runs")


def test_the_matched_gain_is_said() -> None:
    one = [run("on-policy-sft", seed, 8.0, -1.0) for seed in range(3)]
    other = [run("off-policy-sft", seed, 5.0, -5.0) for seed in range(3)]
    claims = judge([*one, *other], Thresholds())
    (claim,) = [c for c in claims if c.claim.startswith("on-policy-sft keeps more")]
    assert claim.verdict == "confirmed"
    assert claim.why == "at a source gain of 5.0 points"
    other = [run("off-policy-sft", seed, 5.0 + seed, -5.0) for seed in range(3)]
    claims = judge([*one, *other], Thresholds())
    (claim,) = [c for c in claims if c.claim.startswith("on-policy-sft keeps more")]
    assert claim.why == "at gains of 5.0 to 7.0 points"


def test_random_reward_is_judged_elsewhere_too() -> None:
    runs = [run("random-reward", seed, 0.0, 9.0) for seed in range(3)]
    claims = {claim.claim: claim for claim in judge(runs, Thresholds())}
    assert claims["random reward gains little on the source (points)"].verdict == "confirmed"
    name = "random reward gains little elsewhere (retention, points)"
    assert claims[name].verdict == "contradicted"


def named(claims: list[Claim], start: str) -> Claim:
    return next(claim for claim in claims if claim.claim.startswith(start))


def test_an_only_arm_of_a_recipe_may_have_any_name() -> None:
    own = [replace(run("on-policy-rl", seed, 5.0, 1.0), table="mine") for seed in range(3)]
    assert judge(own, Thresholds())[0].runs == 3
    two = [*own, *(replace(r, table="other") for r in own)]  # which of them is meant?
    assert named(judge(two, Thresholds()), "RL takes longer").runs == 0


def test_groups_are_the_suites_own() -> None:
    runs = [
        replace(r, gain={"math": Value(9.0), "law": Value(-3.0), "code": Value(2.0)}, ti={})
        for r in (run("off-policy-sft", seed, 0, 0) for seed in range(3))
    ]
    claims = {claim.claim: claim.verdict for claim in judge(runs, Thresholds())}
    assert claims["off-policy SFT loses on law (points)"] == "confirmed"
    assert claims["off-policy SFT loses on code (points)"] == "contradicted"
    tuned_for = [replace(r, source="non", gain={"non": Value(8.0)}) for r in runs]
    lost = named(judge(tuned_for, Thresholds()), "off-policy SFT loses on")
    assert (lost.measured, lost.verdict) == (None, "undecided")  # the source's gain is no loss


def test_the_kl_term_is_judged_at_one_learning_rate() -> None:
    rl = [run("on-policy-rl", seed, 9.0, 1.0, rate=1e-4) for seed in range(3)]
    better = [run("on-policy-rl-no-kl", seed, 12.0, -9.0, rate=1e-3) for seed in range(3)]
    alone = named(judge([*rl, *better], Thresholds()), "the KL term")
    assert (alone.verdict, alone.measured) == ("undecided", None)
    assert alone.why == "the two arms have no runs with the same seed and learning rate"
    same = [run("on-policy-rl-no-kl", seed, 5.0, 0.5, rate=1e-4) for seed in range(3)]
    assert named(judge([*rl, *better, *same], Thresholds()), "the KL term").measured == 0.5


def test_time_is_cpu_time_only_where_all_have_it() -> None:
    wall = [run(arm, s, 1, 1, seconds=x) for s in range(3) for arm, x in (("on-policy-rl", 40.0),)]
    wall += [run("off-policy-sft", s, 1, 1, seconds=10.0) for s in range(3)]
    busy = [replace(r, cpu_seconds=6.0 if r.recipe == "on-policy-rl" else 3.0) for r in wall]
    for runs, ratio in ((wall, 4.0), (busy, 2.0), ([*busy[:-1], wall[-1]], 4.0)):
        found = named(judge(runs, Thresholds()), "RL takes longer")
        assert found.measured == pytest.approx(ratio)
