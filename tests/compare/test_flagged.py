"""The part of a loss that lies in flagged answers, worked out by hand."""

import pytest

from transferscope.compare.flagged import Flagged, flagged_of
from transferscope.compare.gate import gate
from transferscope.compare.policy import parse_policy
from transferscope.runs import pair


def test_points_of_a_mean_over_two_benchmarks(write_run):
    # chat: 4 of 10 lost, 3 of them cut; cases: 1 of 5 lost, clean, and one right answer looped
    base = write_run("b", {"chat": [1] * 10, "cases": [1] * 5})
    flags = {("chat", at): ("truncated",) for at in range(3)} | {("cases", 4): ("looped",)}
    tuned = write_run("t", {"chat": [0] * 4 + [1] * 6, "cases": [0] + [1] * 4}, flags=flags)
    found = flagged_of(pair(base, tuned), {"chat": 0.5, "cases": 0.5})
    assert found.points == pytest.approx(-15.0)  # half of -30
    assert found.flags == {"truncated": 3, "looped": 1}
    said = "15.0 of the 30.0 points lost are in flagged answers (truncated 3, looped 1)"
    assert found.said(-30.0) == said


@pytest.mark.parametrize(
    ("points", "change", "said"),
    [(-2.0, -6.0, True), (-1.9, -6.0, False), (0.0, -6.0, False), (2.0, 6.0, False)],
)
def test_a_third_of_a_loss_is_named(points, change, said):
    assert bool(Flagged(points, {"truncated": 1}).said(change)) is said


def test_the_base_alone_may_be_flagged():
    assert (
        Flagged(-3.0).said(-6.0) == "3.0 of the 6.0 points lost are in flagged answers of the base"
    )


def test_the_gates_reason_says_it_in_points(write_run):
    base = write_run("base", {"chat": [1] * 200})
    flags = {("chat", at): ("truncated",) for at in range(40)}
    tuned = write_run("tuned", {"chat": [0] * 44 + [1] * 156}, flags=flags)
    policy = parse_policy("[guards.chat]\nmargin = 5.0\n", place="p")
    result = gate(base, tuned, policy, replicates=999)
    assert result.reasons == (
        "chat against base: changed by -22.0 points, beyond the margin of 5.0; "
        "20.0 of the 22.0 points lost are in flagged answers (truncated 40)",
    )
