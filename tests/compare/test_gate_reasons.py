"""The gate's sentences, word by word, from guards and pairings made by hand."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from transferscope.compare.gate import (
    NAMED,
    _fallen,
    _reason,
    _regressed,
    _signed,
    _unjudged_reason,
    _verdict,
)
from transferscope.compare.policy import parse_policy
from transferscope.documents.gate_result import GateResult, Guard
from transferscope.runs import Estimate, Pairing, UnpairedBenchmark

from .conftest import SUITE


def guard(**fields: Any) -> Guard:
    return Guard(**{"name": "law", "against": "base", "tier": "critical", "margin": 5.0} | fields)


def test_members_that_fell_are_named_the_largest_fall_first() -> None:
    members = {"a": -1.0, "b": 0.0, "c": -20.0, "d": 0.5}
    assert _fallen(guard(verdict="REGRESSED", members=members)) == " (c -20.0, a -1.0)"
    assert _fallen(guard(verdict="REGRESSED", members={"b": 0.0})) == ""
    many = {f"t{at:02}": -30.0 + at for at in range(NAMED)}
    listed = ", ".join(f"t{at:02} {-30.0 + at:+.1f}" for at in range(12))
    assert _fallen(guard(verdict="REGRESSED", members=many)) == f" ({listed})"
    more = many | {"u": -1.0, "v": -2.0}
    assert _fallen(guard(verdict="REGRESSED", members=more)) == f" ({listed} and 2 more)"


FLAGGED = "4.0 points lie in flagged answers"
ARTEFACTS = "25 % of the answers are artefacts"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"verdict": "REGRESSED", "change": -7.0, "flagged": FLAGGED},
            f"law against base: dropped 7.0 points, more than the margin of 5.0; {FLAGGED}",
        ),
        (
            {"verdict": "REGRESSED", "change": -7.0, "artefacts": ARTEFACTS, "flagged": FLAGGED},
            "law against base: dropped 7.0 points, more than the margin of 5.0; "
            f"{ARTEFACTS}; {FLAGGED}",
        ),
        ({"verdict": "INCONCLUSIVE", "why": "few items"}, "law against base: few items"),
        (
            {"verdict": "INCONCLUSIVE", "why": "few items", "artefacts": ARTEFACTS},
            f"law against base: few items; {ARTEFACTS}",
        ),
        # Artefacts are the reason: they are said once.
        (
            {"verdict": "INCONCLUSIVE", "why": ARTEFACTS, "artefacts": ARTEFACTS},
            f"law against base: {ARTEFACTS}",
        ),
        (
            {
                "verdict": "INCONCLUSIVE",
                "why": ARTEFACTS,
                "artefacts": ARTEFACTS,
                "flagged": FLAGGED,
            },
            f"law against base: {ARTEFACTS}; {FLAGGED}",
        ),
        (
            {"name": "TI rest", "verdict": "REGRESSED", "change": 3.25, "artefacts": ARTEFACTS},
            f"TI rest: 3.2 %, below the minimum of 5.0 %; {ARTEFACTS}",
        ),
        ({"name": "TI rest", "verdict": "INCONCLUSIVE", "why": "no gain"}, "TI rest: no gain"),
    ],
)
def test_a_guards_reason(fields: dict[str, Any], said: str) -> None:
    assert _reason(guard(**fields)) == said


def seen(changes: dict[str, float], excluded: dict[str, str], against: str = "base") -> Any:
    benchmarks = {n: SimpleNamespace(points=SimpleNamespace(delta=d)) for n, d in changes.items()}
    return SimpleNamespace(
        against=against,
        benchmarks=benchmarks,
        pairing=SimpleNamespace(excluded=excluded),
        suite=SimpleNamespace(name="law"),
    )


NO_GROUP = "in no group of suite law"


def test_one_benchmark_that_no_guard_judges() -> None:
    said = _unjudged_reason({"quiz": NO_GROUP}, seen({"quiz": 0.44}, {}), lacking=False)
    assert said == (
        "quiz (+0.4 points): both runs have it, but no guard judges it, because it is in no "
        "group of suite law; map it with --map, guard it by name, or set "
        'unmapped = "ignore" in the policy'
    )


def test_several_benchmarks_that_no_guard_judges_have_the_largest_fall_first() -> None:
    # c can't be compared: it counts as unchanged.
    why = "different messages; 1 of 2 items"
    found = {"a": NO_GROUP, "b": NO_GROUP, "c": f"{NO_GROUP}; {why}", "d": NO_GROUP}
    those = seen({"a": 0.6, "b": -2.0, "d": -0.5}, {"c": why}, "previous")
    assert _unjudged_reason(found, those, lacking=False) == (
        f"b (-2.0 points), d (-0.5 points), c ({why}), a (+0.6 points): the previous and the "
        "tuned run have them, but no guard judges them, because they are in no group of suite law; "
        "map them with "
        '--map, guard them by name, or set unmapped = "ignore" in the policy'
    )
    two = {"a": NO_GROUP, "b": NO_GROUP}
    assert _unjudged_reason(two, those, lacking=True) == (
        "b (-2.0 points), a (+0.6 points): the previous and the tuned run have them, but no guard "
        "judges them, because the base lacks them; evaluate the base on them, or set unmapped = "
        '"ignore" in the policy'
    )


def test_a_long_list_is_cut_and_the_rest_counted() -> None:
    changes = {f"t{at:02}": -30.0 + at for at in range(NAMED)}
    whole = _unjudged_reason(dict.fromkeys(changes, NO_GROUP), seen(changes, {}), lacking=False)
    assert "t11 (-19.0 points): both runs have them" in whole
    changes |= {"u": 1.0, "v": 2.0}
    cut = _unjudged_reason(dict.fromkeys(changes, NO_GROUP), seen(changes, {}), lacking=False)
    assert "t11 (-19.0 points) and 2 more: both runs have them" in cut


def test_a_change_has_one_decimal_and_its_sign() -> None:
    signed = [_signed(points) for points in (0.3, -0.06, 0.04, -0.04)]
    assert signed == ["+0.3", "-0.1", "0.0", "0.0"]


def test_holm_is_over_the_guards_that_were_tested() -> None:
    guards = [guard(name=name, verdict="INCONCLUSIVE", why="open") for name in "abc"]
    # Two tested: 2 x 0.02, and the larger of that and 0.049. All are below 0.05.
    found = _regressed(guards, [0.049, None, 0.02])
    assert [(g.verdict, g.p, g.why) for g in found] == [
        ("REGRESSED", 0.049, ""),
        ("INCONCLUSIVE", None, "open"),
        ("REGRESSED", 0.04, ""),
    ]
    # A p of just the level is no evidence.
    found = _regressed(guards, [0.05, None, None])
    assert (found[0].verdict, found[0].p, found[0].why) == ("INCONCLUSIVE", 0.05, "open")


def verdict(
    *guards: Guard,
    names: tuple[str, ...] = ("chat",),
    previous: tuple[str, ...] | None = None,
    policy: str = "",
    scores: tuple[str, ...] = (),
    **pairing: Any,
) -> GateResult:
    """The verdict on runs that share ``names``, each of which rose by one point.

    The base has the ``scores`` too; the ``previous`` release has benchmarks of its own.
    """
    lone = Estimate(50.0, 100, None, proportion=True)

    def reference(against: str, shared: tuple[str, ...]) -> Any:
        unpaired = {name: UnpairedBenchmark(name, lone, lone, 0.0) for name in shared}
        fields = {"excluded": {}, "differences": (f"{against} differs",)} | pairing
        found = seen(dict.fromkeys(shared, 1.0), {}, against)
        found.pairing = Pairing(benchmarks={}, unpaired=unpaired, **fields)
        found.suite = SUITE
        return found

    def run(name: str) -> Any:
        rows = [SimpleNamespace(benchmark=one) for one in scores]
        manifest = SimpleNamespace(model=SimpleNamespace(name=name))
        return SimpleNamespace(manifest=manifest, by_benchmark=dict.fromkeys(names), scores=rows)

    every = [reference("base", names)]
    every += [] if previous is None else [reference("previous", previous)]
    rules = parse_policy(f"{policy}\n[guards.chat]\nmargin = 5.0\n", place="p")
    return _verdict(run("old"), run("new"), rules, guards, every)


HOLDS = guard(name="chat", verdict="PASS")
FELL = guard(name="chat", verdict="REGRESSED", change=-9.0)
OPEN = guard(name="chat", verdict="INCONCLUSIVE", why="few items")


@pytest.mark.parametrize(
    ("verdicts", "tier", "expected"),
    [
        ([HOLDS], "critical", ("PASS", 0)),
        ([HOLDS, FELL, OPEN], "critical", ("REGRESSED", 1)),
        ([HOLDS, FELL, OPEN], "supporting", ("REGRESSED", 1)),
        ([HOLDS, FELL, OPEN], "advisory", ("PASS", 0)),
        ([HOLDS, OPEN], "critical", ("INCONCLUSIVE", 3)),
        ([HOLDS, OPEN], "supporting", ("PASS", 0)),
    ],
)
def test_tiers_and_verdicts(verdicts: list[Guard], tier: Any, expected: tuple[str, int]) -> None:
    guards = tuple(replace(one, tier=tier) for one in verdicts)
    found = verdict(*guards)
    assert (found.verdict, found.exit_code) == expected
    assert (found.model, found.base, found.guards) == ("new", "old", guards)
    decided = [_reason(one) for one in guards[1:] if expected[1]]
    assert list(found.reasons) == (decided if tier == "critical" else decided[:1])
    assert found.unguarded == ()
    assert found.unjudged == {}


def test_an_open_verdict_may_only_warn() -> None:
    for policy, code in (('on_inconclusive = "warn"', 0), ('on_inconclusive = "fail"', 3)):
        found = verdict(HOLDS, OPEN, policy=policy)
        assert (found.verdict, found.exit_code) == ("INCONCLUSIVE", code)


def test_artefacts_of_what_passes_are_said_last_and_only_once() -> None:
    spoilt = guard(name="law", tier="supporting", verdict="PASS", why="?", artefacts=ARTEFACTS)
    silent = replace(spoilt, name="rest", tier="advisory")
    fallen = replace(FELL, artefacts=ARTEFACTS)
    found = verdict(spoilt, silent, fallen, replace(OPEN, artefacts=ARTEFACTS))
    assert [said.partition(" ")[0] for said in found.reasons] == ["chat", "chat", "law"]


def test_a_benchmark_in_no_group_is_judged_by_nothing_unless_the_policy_says_so() -> None:
    found = verdict(HOLDS, names=("chat", "quiz"))
    assert (found.verdict, found.exit_code) == ("INCONCLUSIVE", 3)
    assert found.unjudged == {"quiz": NO_GROUP}
    assert [said[:19] for said in found.reasons] == ["quiz (+1.0 points):"]
    ignored = verdict(HOLDS, names=("chat", "quiz"), policy='unmapped = "ignore"')
    assert (ignored.verdict, ignored.unjudged, ignored.reasons) == ("PASS", {}, ())
    by_name = verdict(HOLDS, names=("chat", "quiz"), policy="[guards.quiz]\nmargin = 2.0")
    assert (by_name.verdict, by_name.unjudged) == ("PASS", {})


def test_benchmarks_that_the_base_lacks_have_a_sentence_of_their_own() -> None:
    found = verdict(HOLDS, names=("chat",), previous=("chat", "table", "new"), scores=("table",))
    assert found.unjudged == {"table": NO_GROUP, "new": NO_GROUP}
    known, lacking = found.reasons
    assert known.startswith("table (+1.0 points): the previous and the tuned run have it")
    assert "map it with --map" in known
    assert lacking.startswith("new (+1.0 points): the previous and the tuned run have it")
    assert "because the base lacks it; evaluate the base on it" in lacking
    # Said against the base already, and not once more against the last release
    (once,) = verdict(HOLDS, names=("chat", "quiz"), previous=("chat",), policy="").reasons
    assert once.startswith("quiz (+1.0 points): both runs have it")


@pytest.mark.parametrize("policy", ["", 'unmapped = "ignore"'])
def test_what_contradicts_itself_is_judged_by_nothing(policy: str) -> None:
    said = "the samples contradict the reported results (50 %, not 90 %); the samples are used"
    found = verdict(
        HOLDS, names=("chat", "quiz"), policy=policy, contradictions={"quiz": "50 %, not 90 %"}
    )
    assert (found.verdict, found.unjudged) == ("INCONCLUSIVE", {"quiz": said})
    assert found.reasons == (f"quiz: {said}",)


def test_differences_and_what_no_guard_covers() -> None:
    found = verdict(
        HOLDS,
        names=("cases", "chat"),
        previous=("chat",),
        excluded={"statutes": "missing in tuned"},
    )
    assert found.unguarded == ("cases",)
    assert found.differences == (
        "base differs",
        "statutes: not compared, missing in tuned",
        "previous: previous differs",
        "previous: statutes: not compared, missing in tuned",
    )
