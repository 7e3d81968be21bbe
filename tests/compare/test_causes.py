"""What made a change, on runs whose parts can be worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from transferscope.compare import compare_runs
from transferscope.compare.benchmark import benchmarks_of
from transferscope.compare.causes import attribute, reason
from transferscope.compare.draws import draw
from transferscope.compare.gate import gate
from transferscope.compare.policy import parse_policy
from transferscope.core.attribution import because
from transferscope.core.typed_record import plain
from transferscope.report.gate_report import render_junit
from transferscope.runs import Run, pair

WriteRun = Callable[..., Run]

BASE = {"cases": [1] * 60 + [0] * 40, "statutes": [1] * 50 + [0] * 50, "chat": [1] * 80 + [0] * 20}
# cases: 30 lost; statutes: unchanged; chat: 12 lost.
TUNED = {"cases": [0] * 30 + [1] * 30 + [0] * 40, "statutes": BASE["statutes"]}
TUNED["chat"] = [0] * 12 + [1] * 68 + [0] * 20
# 27 of the 30 lost cases were cut; 2 of the 12 lost chats looped and were cut, one was empty.
FLAGS = {("cases", at): ("truncated",) for at in range(27)}
FLAGS |= {("chat", at): ("looped", "truncated") for at in range(2)} | {("chat", 2): ("empty",)}


def compared(write_run: WriteRun) -> tuple[Run, Run]:
    return write_run("base", BASE), write_run("tuned", TUNED, flags=FLAGS)


def test_benchmarks_by_hand(write_run: WriteRun) -> None:
    base, tuned = compared(write_run)
    (result,) = compare_runs(base, [tuned], replicates=500).tuned
    cases, chat = (result.attribution.benchmarks[name] for name in ("cases", "chat"))
    assert (cases.change, cases.flagged, cases.clean_points) == pytest.approx((-30, -27, -3))
    assert (cases.flagged_n, cases.n) == (27, 100)
    # 3 clean cases lost, none won: 2 / 2^3. Holm over cases, statutes (p 1) and chat.
    assert chat.clean_p == pytest.approx(3 * 2 / 2**9)  # 9 clean chats lost
    assert cases.clean_p == pytest.approx(2 * 2 / 2**3)
    assert (cases.clean_established, chat.clean_established) == (False, True)
    assert cases.notable
    assert not chat.notable  # 3 of 12 are flagged, a quarter, and the clean 9 establish a loss
    assert chat.by_flag == pytest.approx({"empty": -1.0, "looped": -1.0, "truncated": -1.0})
    assert result.attribution.benchmarks["statutes"].flagged_n == 0
    assert math.isnan(result.attribution.benchmarks["statutes"].clean_p)


def test_a_groups_parts_are_the_means_of_its_benchmarks(write_run: WriteRun) -> None:
    base, tuned = compared(write_run)
    (result,) = compare_runs(base, [tuned], replicates=2000).tuned
    law, rest = result.attribution.groups["law"], result.attribution.groups["rest"]
    assert (law.change, law.flagged, law.clean_points) == pytest.approx((-15, -13.5, -1.5))
    assert law.standing == "loss"
    # Three clean flips of a half each: 2 of 8 patterns of signs reach their sum.
    assert law.clean_p == pytest.approx(0.25, abs=0.05)
    assert rest.clean_p == result.attribution.benchmarks["chat"].clean_p  # its only benchmark
    assert result.attribution.retention is not None
    assert result.attribution.retention.flagged == pytest.approx(-3.0)
    document = plain(result)["attribution"]
    assert document["groups"]["law"]["because"].startswith(
        "15.0 points lost, 13.5 of them in answers that were cut off and 1.5 in clean answers"
    )


def test_the_parts_printed_add_up_to_the_change(write_run: WriteRun) -> None:
    base, tuned = compared(write_run)
    (result,) = compare_runs(base, [tuned], replicates=500).tuned
    for row in result.benchmarks:
        assert row.artefact_points is not None
        assert row.clean_points is not None
        assert row.artefact_points + row.clean_points == pytest.approx(row.delta)
        share = row.clean_n / row.n
        assert row.clean_delta is not None
        assert row.clean_n is not None
        assert row.clean_points == pytest.approx(share * row.clean_delta)
    assert plain(result)["benchmarks"][0]["clean_points"] == pytest.approx(-3.0)


def test_clean_p_is_that_of_the_clean_items_alone(write_run: WriteRun) -> None:
    """Taking flagged items as unchanged is the same test as leaving them out."""
    base, tuned = compared(write_run)
    keep = range(27, 100)
    left = {**TUNED, "cases": [TUNED["cases"][at] for at in keep]}
    (shorter,) = compare_runs(
        write_run("base-left", {**BASE, "cases": [BASE["cases"][at] for at in keep]}),
        [write_run("left", left)],
        replicates=500,
    ).tuned
    pairing = pair(base, tuned)
    rng = np.random.default_rng(0)
    found = attribute(benchmarks_of(pairing), {"cases": 1.0}, rng, standing="loss")
    assert found.clean_p == pytest.approx(shorter.benchmarks[0].p)


def test_weights_are_those_of_the_change(write_run: WriteRun) -> None:
    """Repeats: an item's score is a mean, and half of its loss is half a point of 100."""
    base = write_run("base", {"chat": [[1, 1]] * 50 + [[0, 0]] * 50})
    tuned = write_run(
        "tuned",
        {"chat": [[1, 0]] * 10 + [[1, 1]] * 40 + [[0, 0]] * 50},
        flags={("chat", at): ("truncated",) for at in range(6)},
    )
    found = attribute(
        benchmarks_of(pair(base, tuned)),
        {"chat": 1.0},
        np.random.default_rng(0),
        standing="loss suggested",
    )
    assert (found.change, found.flagged, found.clean_points) == pytest.approx((-5.0, -3.0, -2.0))
    # 4 clean units moved alike: 2 of their 16 patterns of signs reach the sum.
    assert found.clean_p == pytest.approx(2 / 16, abs=0.03)


def test_the_gates_clause(write_run: WriteRun) -> None:
    base, tuned = compared(write_run)
    pairing = pair(base, tuned)
    names = ["cases", "statutes", "chat"]
    (drawn,) = draw(names, [benchmarks_of(pairing)], seed=0, replicates=200)
    said = reason(drawn, {"cases": 1.0}, standing="loss")
    assert said.startswith("30.0 points lost, 27.0 of them in answers that were cut off and 3.0")
    assert reason(drawn, {"statutes": 1.0}, standing="open") == ""
    metrics = (
        {"cases": {"em,strict-match": 0.6, "em,flexible-extract": 0.6}},
        {"cases": {"em,strict-match": 0.3, "em,flexible-extract": 0.6}},
    )
    said = reason(drawn, {"cases": 1.0}, standing="loss", metrics=metrics)
    assert said.endswith(
        "cases: strict-match falls 30.0 points but flexible-extract changes by 0.0: "
        "a change of format, not of ability"
    )


def test_the_gate_compares_the_metrics_of_both_runs(write_run: WriteRun) -> None:
    base, tuned = write_run("base", {"chat": [1] * 100}), write_run("tuned", {"chat": [0] * 100})
    scores = ({"em,strict": 1.0, "em,flexible": 1.0}, {"em,strict": 0.0, "em,flexible": 1.0})
    base, tuned = (
        replace(run, manifest=replace(run.manifest, metrics={"chat": found}))
        for run, found in zip((base, tuned), scores, strict=True)
    )
    policy = parse_policy("[guards.chat]\nmargin = 5.0\n", place="p")
    (said,) = gate(base, tuned, policy, replicates=999).reasons
    assert said.endswith(
        "; chat: strict falls 100.0 points but flexible changes by 0.0: "
        "a change of format, not of ability"
    )


def test_the_gates_reason_says_it_in_points(write_run: WriteRun) -> None:
    base = write_run("base", {"chat": [1] * 200})
    flags = {("chat", at): ("truncated",) for at in range(40)}
    tuned = write_run("tuned", {"chat": [0] * 44 + [1] * 156}, flags=flags)
    policy = parse_policy("[guards.chat]\nmargin = 5.0\n", place="p")
    result = gate(base, tuned, policy, replicates=999)
    # 4 clean answers lost, none won: p is 2 / 2^4.
    assert result.reasons == (
        "chat against base: dropped 22.0 points, more than the margin of 5.0; 22.0 points lost, "
        "20.0 of them in answers that were cut off and 2.0 in clean answers; on clean answers "
        "alone no loss is established",
    )
    assert "20.0 of them in answers that were cut off" in render_junit(result)
    gained = gate(tuned, base, policy, replicates=999)
    assert gained.guards[0].flagged == ""  # no loss


def test_a_gain_where_the_bases_answers_were_cut(write_run: WriteRun) -> None:
    """8 of the 10 won chats were cut in the base; one of them looped in the tuned model too."""
    flags = {("chat", at): ("truncated",) for at in range(8)}
    base = write_run("base", {"chat": [0] * 10 + [1] * 10}, flags=flags)
    tuned = write_run("tuned", {"chat": [1] * 20}, flags={("chat", 0): ("looped",)})
    compared = benchmarks_of(pair(base, tuned))
    found = attribute(compared, {"chat": 1.0}, np.random.default_rng(0), standing="gain")
    assert found.by_flag == pytest.approx({"truncated": 40.0})
    assert found.of_base == 1.0
    assert because(found) == (
        "50.0 points gained, 40.0 of them in answers of the base that were cut off and 10.0 in "
        "clean answers; on clean answers alone no gain is established"
    )


def test_both_models_answers_count_by_the_points_they_made(write_run: WriteRun) -> None:
    """Mean of two benchmarks: 10 points lost by the tuned model's answers, 5 won on the base's."""
    base = write_run(
        "base", {"chat": [1] * 10, "cases": [0] + [1] * 9}, flags={("cases", 0): ("empty",)}
    )
    tuned = write_run(
        "tuned",
        {"chat": [0] * 2 + [1] * 8, "cases": [1] * 10},
        flags={("chat", at): ("empty",) for at in range(2)},
    )
    shares = {"chat": 0.5, "cases": 0.5}
    found = attribute(
        benchmarks_of(pair(base, tuned)), shares, np.random.default_rng(0), standing="open"
    )
    assert (found.change, found.flagged) == pytest.approx((-5.0, -5.0))
    assert found.of_base == pytest.approx(5.0 / 15.0)
