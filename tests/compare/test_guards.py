"""A guard's p stays in step with the comparison's two-sided test, and that test by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from transferscope.compare import compare_runs
from transferscope.compare.benchmark import benchmarks_of
from transferscope.compare.draws import mean_shares
from transferscope.compare.gate import _signed, gate
from transferscope.compare.guards import _open
from transferscope.compare.margin_bound import UnitShares
from transferscope.compare.policy import parse_policy
from transferscope.core.changes import ChangeTest
from transferscope.core.records import ScoreRow
from transferscope.core.stats import holm
from transferscope.runs import pair

NAMES = ("cases", "statutes", "chat")
N = 400
OPTIONS = {"seed": 3, "replicates": 4000}


def p_of(name, base, tuned):
    """The p of a lone guard with nearly no margin: that of "no change" is the larger one."""
    policy = parse_policy(f"[guards.{name}]\nmargin = 0.001\n", place="p")
    (guard,) = gate(base, tuned, policy, **OPTIONS).guards
    return guard.p


def scored(run, *rows):
    """A run that kept no answers."""
    return replace(run, outcomes=(), scores=rows)


def test_the_p_of_no_change_is_the_comparisons(write_run):
    rng = np.random.default_rng(0)
    before = {b: (rng.random(300) < 0.60).astype(int).tolist() for b in NAMES}
    after = {b: (rng.random(300) < 0.52).astype(int).tolist() for b in NAMES}
    base, tuned = write_run("base", before), write_run("tuned", after)
    (result,) = compare_runs(base, [tuned], **OPTIONS).tuned
    rows = {row.benchmark: row for row in result.benchmarks}
    assert rows["chat"].test == "mcnemar"
    assert p_of("chat", base, tuned) == rows["chat"].p
    assert p_of("law", base, tuned) == result.plane["law"].p
    assert p_of("retention", base, tuned) == result.retention.p
    # A guard on the source group beside it does not draw the source into retention.
    text = "[guards.retention]\nmargin = 0.001\n[guards.law]\nmargin = 0.001\n"
    guards = gate(base, tuned, parse_policy(text, place="p"), **OPTIONS).guards
    assert [g.p for g in guards] == holm([result.retention.p, result.plane["law"].p])


@pytest.mark.parametrize(
    ("change", "z"),
    # standard errors of 3 and 4 points: 5 together
    [(-5.0, 1.0), (-9.8, 1.96), (-15.0, 3.0)],
)
def test_two_scores_have_the_z_test_of_both_their_errors(write_run, change, z):
    base, tuned = write_run("base", {"chat": [1]}), write_run("tuned", {"chat": [1]})
    base = scored(base, ScoreRow("chat", 0.6, stderr=0.03, proportion=False))
    tuned = scored(tuned, ScoreRow("chat", 0.6 + change / 100, stderr=0.04, proportion=False))
    (row,) = compare_runs(base, [tuned], **OPTIONS).tuned[0].benchmarks
    assert (row.test, row.p) == ("unpaired", pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-6))


def test_the_gate_takes_the_two_sided_p_of_two_scores(write_run):
    # 200 of 400 against 172 of 400, errors of Beta(k + 1/2, n - k + 1/2)
    base, tuned = write_run("base", {"chat": [1]}), write_run("tuned", {"chat": [1]})
    base = scored(base, ScoreRow("chat", 0.50, n=400))
    tuned = scored(tuned, ScoreRow("chat", 0.43, n=400))

    def error(hits: float) -> float:
        a, b = hits + 0.5, 400 - hits + 0.5
        return math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))

    z = 0.07 / math.hypot(error(200), error(172))
    found = p_of("chat", base, tuned)
    assert found == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-6)
    # by the bootstrap alone it would be one-sided, half of that, and below 0.05
    assert found / 2 < 0.05 / 2 < found


def test_a_mean_with_a_score_in_it_has_the_z_test(write_run):
    # cases: 400 pairs, 8 lost, none won; statutes: two scores of 1,000 items
    base = write_run("base", {"cases": [1] * N})
    tuned = write_run("tuned", {"cases": [0] * 8 + [1] * (N - 8)})
    base = replace(base, scores=(ScoreRow("statutes", 0.50, n=1000),))
    tuned = replace(tuned, scores=(ScoreRow("statutes", 0.475, n=1000),))
    result = compare_runs(base, [tuned], **OPTIONS).tuned[0]
    assert p_of("law", base, tuned) == result.plane["law"].p
    assert 0.01 < result.plane["law"].p < 0.2


def test_a_bound_that_rounds_to_the_margin_is_written_out():
    flat = ChangeTest("mcnemar", 0.2, (-9.0, 1.0))
    assert _open(-5.004, 5.0, flat) == (
        "the lower bound, -5.004, is below -5.000 (the margin), "
        "but no drop beyond the margin is shown"
    )


@pytest.mark.parametrize(("clusters", "p"), [(1, "1"), (2, "0.5"), (3, "0.25"), (5, "0.0625")])
def test_too_few_clusters_are_counted(clusters, p):
    flat = ChangeTest("sign-flip", 1.0, (-9.0, 1.0), smallest_p=2.0 ** (1 - clusters))
    said = f"{clusters} clusters can't reach p < 0.05 (smallest possible p: {p})"
    assert _open(-50.0, 5.0, flat).endswith(f", and {said}")
    assert _open(-50.0, 5.0, flat, n=10 * clusters).endswith(f", and {said}")
    said = said.replace("clusters", "questions")
    assert _open(-50.0, 5.0, flat, n=clusters).endswith(f", and {said}")


def test_clusters_of_a_mixed_group_are_those_of_its_weakest_member(write_run):
    # cases: 40 stories of 10; statutes: 400 single items: 1 / (1/4 / 40 + 1/4 / 400) = 145.45
    stories = {
        "cases": [f"s{at // 10}" for at in range(N)],
        "statutes": [""] * N,
        "chat": [""] * N,
    }
    right = {name: [1] * 200 + [0] * 200 for name in stories}
    pairing = pair(write_run("b", right, clusters=stories), write_run("t", right, clusters=stories))
    benchmarks = benchmarks_of(pairing)

    def clusters(groups):
        shares = mean_shares(groups)
        parts = [benchmarks[name].units for name in shares]
        return UnitShares.pooled(parts, list(shares.values())).effective

    assert clusters([("cases", "statutes")]) == pytest.approx(1600 / 11)
    # retention over two groups: shares 1/4, 1/4 and 1/2
    groups = [("cases", "statutes"), ("chat",)]
    share = 1 / 16 / 40 + 1 / 16 / 400 + 1 / 4 / 400
    assert clusters(groups) == pytest.approx(1 / share)


def test_what_could_have_been_detected_needs_both_tests(write_run):
    # 100 items, none flipped: exact McNemar shows 7.8 points with 80 % power (by hand: 6 or more
    # lost and none won, P(X >= 6) = 0.8 at 7.79 %), more than the margin of 0.1 asks for
    same = {"chat": [1] * 80 + [0] * 20}
    policy = parse_policy("[guards.chat]\nmargin = 0.1\n", place="p")
    (guard,) = gate(write_run("b", same), write_run("t", same), policy, **OPTIONS).guards
    tail = 1 - sum(math.comb(100, k) * 0.0779**k * 0.9221 ** (100 - k) for k in range(6))
    assert tail == pytest.approx(0.8, abs=0.002)
    assert guard.detectable == pytest.approx(7.79, abs=0.02)
    # and where the margin asks for more, it is that of the margin
    policy = parse_policy("[guards.chat]\nmargin = 3.0\n", place="p")
    (guard,) = gate(write_run("b2", same), write_run("t2", same), policy, **OPTIONS).guards
    assert 7.79 < guard.detectable < 12.0


def test_nothing_is_detectable_where_nothing_can_be_shown(write_run):
    stories = {"chat": [f"s{at // 40}" for at in range(200)]}
    same = {"chat": [1] * 150 + [0] * 50}
    base, tuned = (write_run(name, same, clusters=stories) for name in "bt")
    policy = parse_policy("[guards.chat]\nmargin = 5.0\n", place="p")
    (guard,) = gate(base, tuned, policy, **OPTIONS).guards
    assert guard.detectable is None


def test_an_unknown_number_of_items_is_not_called_none(write_run):
    base, tuned = write_run("base", {"chat": [1]}), write_run("tuned", {"chat": [1]})
    base = scored(base, ScoreRow("chat", 0.6, stderr=0.02))
    tuned = scored(tuned, ScoreRow("chat", 0.5, stderr=0.02))
    policy = parse_policy("[guards.chat]\nmargin = 3.0\n", place="p")
    (guard,) = gate(base, tuned, policy, replicates=999).guards
    assert (guard.verdict, guard.bound, guard.n) == ("INCONCLUSIVE", None, 0)
    assert guard.why == "the number of items of chat is unknown; the policy requires 100"
    law = [ScoreRow(name, 0.6, stderr=0.02) for name in ("cases", "statutes")]
    policy = parse_policy("[guards.law]\nmargin = 3.0\n", place="p")
    (guard,) = gate(scored(base, *law), scored(tuned, *law), policy, replicates=999).guards
    said = "the number of items of cases, statutes is unknown; the policy requires 100"
    assert guard.why == said


@pytest.mark.parametrize(
    ("points", "said"), [(0.0, "0.0"), (-0.04, "0.0"), (1.0, "+1.0"), (-60, "-60.0")]
)
def test_no_change_has_no_sign(points, said):
    assert _signed(points) == said
