"""The two-sided test behind a guard: that of the comparison, and by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from transferscope.compare import compare_runs
from transferscope.compare.draws import draw
from transferscope.compare.gate import gate
from transferscope.compare.no_change import no_change
from transferscope.compare.policy import parse_policy
from transferscope.core.records import ScoreRow
from transferscope.runs import pair

NAMES = ("cases", "statutes", "chat")


def found(name, groups, base, tuned):
    pairing = pair(base, tuned)
    (drawn,) = draw(
        [b for b in NAMES if b in pairing.benchmarks or b in pairing.unpaired],
        [pairing],
        base="base",
        models=["tuned"],
        seed=0,
        replicates=4000,
    )
    columns = [[drawn.names.index(b) for b in group] for group in groups]
    change_RB = drawn.tuned_RB - drawn.base_RB
    change_R = np.mean([change_RB[:, at].mean(axis=1) for at in columns], axis=0)
    return no_change(name, groups, pairing, drawn, change_R, seed=0, replicates=4000)


def scored(run, rows):
    """A run that kept no answers."""
    return replace(run, outcomes=(), scores=tuple(rows))


def test_one_benchmark_has_its_own_test_and_a_group_the_pooled_one(write_run):
    rng = np.random.default_rng(0)
    before = {b: (rng.random(60) < 0.7).astype(int).tolist() for b in NAMES}
    after = {b: (rng.random(60) < 0.5).astype(int).tolist() for b in NAMES}
    base, tuned = write_run("base", before), write_run("tuned", after)
    (result,) = compare_runs(base, [tuned], replicates=4000).tuned
    rows = {row.benchmark: row.p for row in result.benchmarks}
    single = found("chat", [("chat",)], base, tuned)
    assert single.p == rows["chat"]
    assert (single.smallest, single.clusters) == (2.0**-59, 60)
    law = found("law", [("cases", "statutes")], base, tuned)
    assert law.p == pytest.approx(result.plane["law"].p, abs=0.02)
    assert law.clusters == 120


def test_five_pairs_all_lost_by_enumeration(write_run):
    # two benchmarks in two groups, 3 and 2 items, all lost: only the observed signs and their
    # mirror image are as extreme, 2 of 2^5 patterns
    base = write_run("base", {"cases": [1, 1, 1], "chat": [1, 1]})
    tuned = write_run("tuned", {"cases": [0, 0, 0], "chat": [0, 0]})
    test = found("retention", [("cases",), ("chat",)], base, tuned)
    assert test.smallest == 0.0625
    assert test.p == pytest.approx(0.0625, abs=0.015)


@pytest.mark.parametrize(
    ("change", "p"),
    # standard errors of 3 and 4 points: 5 together; z of 1, 1.96 and 3
    [(-5.0, 0.3173), (-9.8, 0.0500), (-15.0, 0.0027)],
)
def test_two_scores_have_the_z_test_of_both_their_errors(write_run, change, p):
    base, tuned = write_run("base", {"chat": [1]}), write_run("tuned", {"chat": [1]})
    base = scored(base, [ScoreRow("chat", 0.6, stderr=0.03, proportion=False)])
    tuned = scored(tuned, [ScoreRow("chat", 0.6 + change / 100, stderr=0.04, proportion=False)])
    test = found("chat", [("chat",)], base, tuned)
    z = math.sqrt(2) * _erfc_inverse(test.p)
    assert z == pytest.approx(math.sqrt(2) * _erfc_inverse(p), rel=0.04)
    (row,) = compare_runs(base, [tuned], replicates=4000).tuned[0].benchmarks
    assert row.p == pytest.approx(test.p, rel=0.3)


def test_a_mean_with_a_score_in_it_has_the_z_test(write_run):
    # chat: -15 points (standard error 5) from two scores; cases: item by item, unchanged
    base = write_run("base", {"cases": [1, 0] * 50})
    tuned = write_run("tuned", {"cases": [1, 0] * 50})
    base = replace(base, scores=(ScoreRow("chat", 0.6, stderr=0.03, proportion=False),))
    tuned = replace(tuned, scores=(ScoreRow("chat", 0.45, stderr=0.04, proportion=False),))
    test = found("both", [("cases",), ("chat",)], base, tuned)
    # half of both: -7.5 with a standard error of 2.5
    assert math.sqrt(2) * _erfc_inverse(test.p) == pytest.approx(3.0, rel=0.05)
    assert test.smallest == 0.0


def test_the_gate_takes_the_larger_p(write_run):
    # 150 of 1,000 against 100 of 1,000 and a margin of 0.1: about z = 3.4 two-sided
    base, tuned = write_run("base", {"chat": [1]}), write_run("tuned", {"chat": [1]})
    base = scored(base, [ScoreRow("chat", 0.15, n=1000)])
    tuned = scored(tuned, [ScoreRow("chat", 0.10, n=1000)])
    policy = parse_policy("[guards.chat]\nmargin = 0.1\n", place="p")
    (guard,) = gate(base, tuned, policy, replicates=4000).guards
    two_sided = found("chat", [("chat",)], base, tuned).p
    assert guard.p >= two_sided
    error = math.hypot(*(math.sqrt(s * (1 - s) / 1000) for s in (0.15, 0.10)))
    assert two_sided == pytest.approx(math.erfc(0.05 / error / math.sqrt(2)), rel=0.35)


def _erfc_inverse(p: float) -> float:
    from scipy.special import erfcinv

    return float(erfcinv(p))
