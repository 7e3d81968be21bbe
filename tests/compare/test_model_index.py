"""The index that comparison and gate compute from one set of draws."""

import numpy as np
import pytest

from transferscope.compare import compare_runs
from transferscope.compare.benchmark import benchmarks_of
from transferscope.compare.draws import RETENTION, draw, group_tests
from transferscope.compare.gate import gate
from transferscope.compare.model_index import GroupedScores, scale_of
from transferscope.compare.policy import parse_policy
from transferscope.core.suite import load_suite
from transferscope.runs import pair

NAMES = ("cases", "statutes", "chat")
POLICY = "[guards.chat]\nmargin = 9.0\n[min_ti]\nrest = 1.0\n"


def answers(seed: int, share: float) -> dict[str, list[int]]:
    rng = np.random.default_rng(seed)
    return {name: (rng.random(300) < share).astype(int).tolist() for name in NAMES}


def test_scores_groups_and_corrected_p_by_hand(write_run) -> None:
    # 30 of 100 lost in cases, none in statutes, 6 in chat: p 2 / 2^30, 1 and 2 / 2^6 = 0.03125.
    base = {name: [1] * 50 + [0] * 50 for name in NAMES}
    tuned = {**base, "cases": [0] * 30 + [1] * 20 + [0] * 50}
    tuned["chat"] = [0] * 6 + [1] * 44 + [0] * 50
    base_run, run = write_run("base", base), write_run("tuned", tuned)
    suite = base_run.manifest.load_suite()
    compared = benchmarks_of(pair(base_run, run))
    (drawn,) = draw(suite.group_of, [compared], seed=0, replicates=200)
    (tests,) = group_tests(suite.groups, suite.source, [drawn], seed=0, replicates=200)
    scores = GroupedScores.of(drawn, suite, tests)
    assert scores.base_B == pytest.approx([50.0] * 3)
    assert scores.tuned_B == pytest.approx([20.0, 50.0, 44.0])
    # Holm over three: the smallest times 3, the next times 2, the last times 1.
    expected = {"cases": 3 * 2 / 2**30, "statutes": 1.0, "chat": 2 * 0.03125}
    assert scores.p_holm == pytest.approx(expected)
    assert scores.only(["rest"]) == scores.p_holm["chat"]
    assert scores.only(["law"]) is None
    assert set(tests) == {"law", "rest", RETENTION}


def test_a_minimum_ti_is_judged_by_the_comparisons_own_interval(write_run) -> None:
    base, tuned = write_run("base", answers(0, 0.4)), write_run("tuned", answers(1, 0.62))
    (result,) = compare_runs(base, [tuned], replicates=999, examples=0).tuned
    found = gate(base, tuned, parse_policy(POLICY, place="p"), replicates=999)
    (guard,) = [one for one in found.guards if one.name == "TI rest"]
    assert guard.change == result.index.ti["rest"]
    assert guard.bound == result.index.ci["rest"][0]


def test_a_minimum_ti_changes_no_other_guard(write_run) -> None:
    base, tuned = write_run("base", answers(0, 0.5)), write_run("tuned", answers(1, 0.5))
    policies = [parse_policy(text, place="p") for text in (POLICY, POLICY.partition("[min")[0])]
    first, second = (gate(base, tuned, policy, replicates=999).guards[0] for policy in policies)
    assert first == second


def test_published_sigmas_need_the_whole_suite_of_every_model() -> None:
    paper, mini = load_suite("paper"), load_suite("mini")
    whole = list(paper.benchmarks)
    assert scale_of(paper, [whole, whole]) == paper.scale == "published"
    assert scale_of(paper, [whole, whole[1:]]) == "unit"
    assert scale_of(mini, [list(mini.benchmarks)]) == "unit"
