"""A minimum TI against an index made by hand."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from transferscope.compare.min_ti import _ti_guard
from transferscope.compare.policy import parse_policy

from .conftest import SUITE

COUNTED = {"cases": 60, "statutes": 40, "chat": 120}
POLICY = "[guards.chat]\nmargin = 2.0\n"


def seen(policy: str = "", counted: dict[str, int] = COUNTED, **pairing: Any) -> Any:
    flags = (("truncated",), ())
    return SimpleNamespace(
        suite=SUITE,
        policy=parse_policy(f"{policy}\n{POLICY}", place="p"),
        pairing=SimpleNamespace(**{"excluded": {}, "fewer": {}, "unanswered": {}} | pairing),
        benchmarks={n: SimpleNamespace(counted=c, tuned_flags=flags) for n, c in counted.items()},
        answered=frozenset(counted),
    )


def index(value: float | None, ci: tuple[float, float] | None, **reasons: str) -> Any:
    return SimpleNamespace(ti={"rest": value}, ci={"rest": ci}, undefined_reason=reasons)


def judged(ci: tuple[float, float], policy: str = "", counted: dict[str, int] = COUNTED) -> Any:
    return _ti_guard("rest", 20.0, index(35.0, ci), seen(policy, counted))


@pytest.mark.parametrize(
    ("ci", "verdict", "bound", "why"),
    [
        ((20.0, 60.0), "PASS", 20.0, ""),
        ((19.96, 60.0), "INCONCLUSIVE", 19.96, "the lower bound, 20.0, is below 20"),
        ((5.0, 20.0), "INCONCLUSIVE", 5.0, "the lower bound, 5.0, is below 20"),
        ((5.0, 19.9), "REGRESSED", 5.0, ""),
        ((-math.inf, 60.0), "INCONCLUSIVE", None, "the lower bound, minus infinity, is below 20"),
    ],
)
def test_an_interval_against_the_minimum(
    ci: tuple[float, float], verdict: str, bound: float | None, why: str
) -> None:
    guard = judged(ci)
    assert (guard.verdict, guard.bound, guard.why) == (verdict, bound, why)
    assert (guard.name, guard.against, guard.tier) == ("TI rest", "base", "critical")
    assert (guard.test, guard.margin, guard.change) == ("interval", 20.0, 35.0)
    assert (guard.n, guard.artefacts) == (100, "")  # the smaller group: 60 + 40 of law


def test_too_few_items_in_either_group_decide_nothing() -> None:
    assert judged((5.0, 10.0), "min_items = 100").verdict == "REGRESSED"
    few = judged((5.0, 10.0), "min_items = 101")
    assert few.verdict == "INCONCLUSIVE"
    assert few.why == "a group has only 100 of the required 101 items"
    rest = judged((30.0, 40.0), "min_items = 50", COUNTED | {"chat": 49})
    assert rest.why == "a group has only 49 of the required 50 items"


def test_artefacts_keep_a_minimum_from_passing() -> None:
    said = "50 % of the answers are artefacts (the policy allows 20 %)"
    limited = "max_artefact_rate = 0.2"
    for ci in ((30.0, 60.0), (5.0, 60.0)):
        guard = judged(ci, limited)
        assert (guard.verdict, guard.why, guard.artefacts) == ("INCONCLUSIVE", said, said)
    fallen = judged((5.0, 10.0), limited)
    assert (fallen.verdict, fallen.why, fallen.artefacts) == ("REGRESSED", "", said)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "TI has no interval"),
        (index(None, None, rest="no gain"), "no gain"),
        (index(35.0, None), "TI has no interval"),
        (index(None, (1.0, 2.0), law="of another"), "TI has no interval"),
    ],
)
def test_a_ti_without_value_or_interval(found: Any, why: str) -> None:
    guard = _ti_guard("rest", 20.0, found, seen())
    assert (guard.verdict, guard.why) == ("INCONCLUSIVE", f"TI is undefined: {why}")
    assert (guard.change, guard.n) == (None, 0)


def test_all_benchmarks_of_both_groups_and_all_their_items_are_needed() -> None:
    found = index(35.0, (30.0, 40.0))
    some = {"cases": 60, "chat": 120}
    guard = _ti_guard("rest", 20.0, found, seen(counted=some))
    assert guard.why == "statutes can't be compared: missing in both"
    guard = _ti_guard("rest", 20.0, found, seen(counted=some, excluded={"statutes": "why"}))
    assert guard.why == "statutes can't be compared: why"
    guard = _ti_guard("rest", 20.0, found, seen(counted={"cases": 1, "statutes": 1}))
    assert guard.why == "chat can't be compared: missing in both"
    fewer = seen(fewer={"chat": (100, 120)})
    assert _ti_guard("rest", 20.0, found, fewer).why == (
        "chat: the tuned run has only 100 of the 120 items of base; "
        'to judge the shared ones, set allow_fewer_items = ["chat"]'
    )
    allowed = seen('allow_fewer_items = ["chat"]', fewer={"chat": (100, 120)})
    assert _ti_guard("rest", 20.0, found, allowed).verdict == "PASS"
