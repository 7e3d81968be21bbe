"""What a guard says where it can't be judged, and what its p and its detectable drop come from."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from transferscope.compare.guards import (
    _detectable,
    _few,
    _made_by,
    _missing_reason,
    _open,
    _p_dropped,
    _unfit,
    _why_open,
    artefacts_reason,
    fewer_items_reason,
    members,
)
from transferscope.compare.margin_bound import Bound
from transferscope.compare.policy import Policy, parse_policy
from transferscope.core.changes import ChangeTest
from transferscope.documents.gate_result import Guard

from .conftest import SUITE


def bound(**fields: Any) -> Bound:
    whole = {"test": "tango", "lower": -1.0, "p_dropped": 0.03, "detectable": 4.0, "exact": True}
    return Bound(**whole | fields)


def flat(p: float = 0.01, mde: float | None = 3.0) -> ChangeTest:
    return ChangeTest("mcnemar", p, (-9.0, 1.0), mde=mde)


def policy(text: str = "") -> Policy:
    return parse_policy(f"{text}\n[guards.chat]\nmargin = 2.0\n", place="p")


def seen(**fields: Any) -> Any:
    pairing = SimpleNamespace(excluded={}, unanswered={}, fewer={})
    whole: dict[str, Any] = {"against": "base", "suite": SUITE, "policy": policy()}
    whole |= {"pairing": pairing, "floors": None, "answered": frozenset(), "benchmarks": {}}
    whole |= {"drawn": SimpleNamespace(names=("cases", "chat"))}
    return SimpleNamespace(**whole | fields)


def test_the_benchmarks_behind_a_guard() -> None:
    assert members("retention", SUITE) == [("chat",)]
    assert members("law", SUITE) == [("cases", "statutes")]
    assert members("quiz", SUITE) == [("quiz",)]


def test_the_larger_of_two_p_values_counts() -> None:
    assert _p_dropped(bound(), flat(0.01), few=False) == 0.03
    assert _p_dropped(bound(), flat(0.2), few=False) == 0.2
    assert _p_dropped(bound(), flat(math.nan), few=False) == 1.0
    assert _p_dropped(bound(), flat(0.01), few=True) == 0.03
    assert _p_dropped(bound(exact=False), flat(0.01), few=False) == 0.03
    assert _p_dropped(bound(exact=False), flat(0.01), few=True) is None


def test_a_detectable_drop_is_beyond_the_margin_and_a_change() -> None:
    assert _detectable(bound(), flat()) == 4.0
    assert _detectable(bound(), flat(mde=7.0)) == 7.0
    assert _detectable(bound(), flat(mde=None)) is None
    assert _detectable(bound(detectable=None), flat()) is None


def test_too_few_items() -> None:
    assert _few(1, bound(), policy()) == "only 1 of the required 100 items"
    assert _few(2, bound(), policy("min_items = 50")) == "only 2 of the required 50 items"
    assert _few(0, bound(exact=False), policy()) == (
        "only 0 of the required 100 items; a drop can't be shown either, because repeated, "
        "clustered or pooled answers have no exact test"
    )


def test_no_change_at_all() -> None:
    assert _missing_reason([], seen()) == "no benchmark is in a group other than the source"
    assert _missing_reason(["cases", "chat"], seen()) == ""
    said = _missing_reason(["cases", "statutes", "quiz"], seen())
    assert said == "statutes can't be compared: missing in both"
    excluded = SimpleNamespace(excluded={"statutes": "different messages"})
    said = _missing_reason(["statutes", "quiz"], seen(pairing=excluded))
    assert said == "statutes can't be compared: different messages"


GUARD = Guard("chat", "base", "critical", 2.0, "INCONCLUSIVE", n=400)
UNKNOWN_NOISE = (
    "the second run of the base lacks a benchmark of this guard, so its noise is unknown"
)


@pytest.mark.parametrize(
    ("floors", "said"),
    [(None, ""), ({"chat": 0.5}, ""), ({"chat": math.nan}, UNKNOWN_NOISE), ({}, UNKNOWN_NOISE)],
)
def test_a_bound_above_the_margin_leaves_nothing_open_but_unknown_noise(
    floors: dict[str, float] | None, said: str
) -> None:
    assert _why_open(GUARD, bound(lower=-1.9), flat(), seen(floors=floors)) == said


def test_a_bound_at_or_below_the_margin() -> None:
    assert _why_open(GUARD, bound(lower=-2.5), flat(), seen()) == (
        "the lower bound, -2.5, is below -2.0 (the margin), but no drop beyond the margin is shown"
    )
    assert _why_open(GUARD, bound(lower=-2.0), flat(), seen()).startswith("the lower bound, -2.000")
    # Three items, none can show anything: 2 / 2^3. Clusters are called so unless each is an item.
    three = ChangeTest("sign-flip", 1.0, (-9.0, 1.0), smallest_p=0.25)
    few = "can't reach p < 0.05 (smallest possible p: 0.25)"
    assert _why_open(GUARD, bound(lower=-2.5), three, seen()).endswith(f", and 3 clusters {few}")
    assert _open(-2.5, 2.0, three, n=3).endswith(f", and 3 questions {few}")
    items = replace(GUARD, n=3)
    assert _why_open(items, bound(lower=-2.5), three, seen()).endswith(f", and 3 questions {few}")
    # A smallest p of just the level still shows nothing.
    level = ChangeTest("sign-flip", 1.0, (-9.0, 1.0), smallest_p=0.05)
    assert "can't reach" in _open(-2.5, 2.0, level)


def test_artefacts_come_before_the_bound() -> None:
    spoilt = Guard("chat", "base", "critical", 2.0, "INCONCLUSIVE", artefacts="too many")
    assert _why_open(spoilt, bound(lower=-1.0), flat(), seen()) == "too many"


def unfit(margin: float, changes: list[float], **fields: Any) -> str | None:
    mean: Any = SimpleNamespace(change_R=np.array(changes))
    return _unfit("chat", ["chat"], margin, mean, seen(**fields))


def test_what_can_show_neither_a_pass_nor_a_fall() -> None:
    assert unfit(0.0, [1.0]) == "the base scores 0, so the relative margin is 0"
    assert unfit(0.5, [1.0]) is None
    assert (
        unfit(2.0, [1.0, math.nan]) == "a score has neither a number of items nor a standard error"
    )
    fewer = SimpleNamespace(unanswered={}, fewer={"chat": (350, 400)})
    assert unfit(2.0, [1.0], pairing=fewer, against="previous") == (
        "chat: the tuned run has only 350 of the 400 items of previous; "
        'to judge the shared ones, set allow_fewer_items = ["chat"]'
    )
    noise = "two runs of the base differ by 2.0 points; the margin must be larger"
    assert unfit(2.0, [1.0], floors={"chat": 2.0}) == noise
    assert unfit(2.1, [1.0], floors={"chat": 2.0}) is None
    assert unfit(2.0, [1.0], floors={"chat": math.nan}) is None
    assert unfit(2.0, [1.0], floors={"law": 3.0}) is None


def test_missing_items_are_allowed_by_name_only() -> None:
    pairing: Any = SimpleNamespace(
        unanswered={"cases": "requests failed"}, fewer={"chat": (350, 400)}
    )
    wanted = ["statutes", "cases", "chat"]
    assert fewer_items_reason(["statutes"], pairing, policy(), "base") is None
    assert fewer_items_reason(wanted, pairing, policy(), "base") == (
        "cases: requests failed, and can't be left out of both scores; "
        'to judge the remaining answers, set allow_fewer_items = ["cases"]'
    )
    cases = policy('allow_fewer_items = ["cases"]')
    assert fewer_items_reason(wanted, pairing, cases, "base") == (
        "chat: the tuned run has only 350 of the 400 items of base; "
        'to judge the shared ones, set allow_fewer_items = ["chat"]'
    )
    both = policy('allow_fewer_items = ["cases", "chat"]')
    assert fewer_items_reason(wanted, pairing, both, "base") is None


def test_a_limit_on_artefacts() -> None:
    def with_flags(*flags: tuple[str, ...]) -> Any:
        return SimpleNamespace(tuned_flags=flags)

    # Two of five answers over both benchmarks
    benchmarks = {
        "cases": with_flags(("truncated", "looped"), (), ()),
        "chat": with_flags((), ("empty",)),
    }
    both = {"benchmarks": benchmarks, "answered": frozenset(benchmarks)}
    wanted = ["cases", "chat"]
    assert artefacts_reason(wanted, seen(**both)) == ""
    limited = policy("max_artefact_rate = 0.3")
    assert artefacts_reason(wanted, seen(**both, policy=limited)) == (
        "40 % of the answers are artefacts (the policy allows 30 %)"
    )
    assert artefacts_reason(wanted, seen(**both, policy=policy("max_artefact_rate = 0.4"))) == ""
    most = {"chat": with_flags(*[("empty",)] * 4, ())}
    mostly = seen(
        benchmarks=most, answered=frozenset(most), policy=policy("max_artefact_rate = 0.6")
    )
    assert artefacts_reason(["chat"], mostly) == (
        "80 % of the answers are artefacts (the policy allows 60 %)"
    )
    unknown = seen(policy=policy("max_artefact_rate = 0.0"))
    assert artefacts_reason(wanted, unknown) == (
        "no answers of cases, chat were kept, so their artefacts are unknown "
        "(the policy allows 0 %)"
    )


def test_what_made_a_loss_is_asked_with_its_own_standing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def reason(*given: Any, **named: Any) -> str:
        asked.update(named, given=given)
        return "made"

    monkeypatch.setattr("transferscope.compare.guards.reason", reason)
    few = ChangeTest("sign-flip", 0.25, (-9.0, 1.0), smallest_p=0.25)
    mean: Any = SimpleNamespace(change=-4.0, test=few, shares={"chat": 1.0})
    metrics = ({"chat": {}}, {"law": {}})
    drawn = SimpleNamespace()
    whole = seen(metrics=metrics, drawn=drawn, against="previous")
    assert _made_by("chat", mean, whole) == "made"
    assert asked == {
        "given": (drawn, {"chat": 1.0}),
        "standing": "too few",
        "metrics": metrics,
        "of": "previous chat",
    }
    shown = ChangeTest("sign-flip", 0.01, (-9.0, -1.0), smallest_p=0.001)
    _made_by("chat", SimpleNamespace(change=-4.0, test=shown, shares={}), whole)
    assert asked["standing"] == "loss"
