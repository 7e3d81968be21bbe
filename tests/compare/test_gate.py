"""Verdicts of the gate on runs whose changes are known."""

import math
from dataclasses import replace

import pytest

from transferscope.compare.gate import gate
from transferscope.compare.policy import parse_policy
from transferscope.core.errors import InputError
from transferscope.core.exact_margin import exact_dropped
from transferscope.core.records import Failure, ScoreRow

N = 400


def scores(right: int, n: int = N) -> list[int]:
    return [1] * right + [0] * (n - right)


def policy(text: str):
    return parse_policy(text, place="policy.toml")


CHAT = policy("[guards.chat]\nmargin = 5.0\n")


def runs(write_run, tuned_chat: int, *, n: int = N):
    same = {"cases": scores(n // 2, n), "statutes": scores(n // 2, n)}
    base = write_run("base", {**same, "chat": scores(3 * n // 4, n)})
    tuned = write_run("tuned", {**same, "chat": scores(tuned_chat, n)})
    return base, tuned


@pytest.mark.parametrize(
    ("right", "verdict", "code"),
    [(300, "PASS", 0), (296, "PASS", 0), (200, "REGRESSED", 1), (284, "INCONCLUSIVE", 3)],
)
def test_the_three_verdicts(write_run, right, verdict, code):
    # 300 of 400 before: no loss, -1 point, -25 points, -4 points of a margin of 5
    result = gate(*runs(write_run, right), CHAT, replicates=999)
    assert (result.verdict, result.exit_code) == (verdict, code)
    (guard,) = result.guards
    assert (guard.name, guard.against, guard.test, guard.n) == ("chat", "base", "tango", N)
    assert guard.change == pytest.approx((right - 300) / 4)
    assert (guard.bound > -5.0) == (verdict == "PASS")
    assert bool(result.reasons) == (verdict != "PASS")


def test_inconclusive_may_only_warn(write_run):
    warn = policy('on_inconclusive = "warn"\n[guards.chat]\nmargin = 5.0\n')
    result = gate(*runs(write_run, 284), warn, replicates=999)
    assert (result.verdict, result.exit_code) == ("INCONCLUSIVE", 0)


def test_tiers_decide_what_a_verdict_means(write_run):
    base, tuned = runs(write_run, 200)
    advisory = policy(
        '[guards.chat]\nmargin = 5.0\ntier = "advisory"\n[guards.law]\nmargin = 5.0\n'
    )
    result = gate(base, tuned, advisory, replicates=999)
    assert result.verdict == "PASS"
    assert [g.verdict for g in result.guards] == ["REGRESSED", "PASS"]
    assert [g.test for g in result.guards] == ["tango", "bootstrap"]
    assert all(g.detectable > 5.0 for g in result.guards)


def test_a_missing_benchmark_is_inconclusive(write_run):
    base, _ = runs(write_run, 300)
    tuned = write_run("short", {"cases": scores(200), "statutes": scores(200)})
    result = gate(base, tuned, CHAT, replicates=999)
    assert result.verdict == "INCONCLUSIVE"
    assert result.reasons == ("chat against base: chat can't be compared: missing in tuned",)


def test_too_few_items_decide_nothing(write_run):
    result = gate(*runs(write_run, 30, n=40), CHAT, replicates=999)
    assert result.verdict == "INCONCLUSIVE"
    assert "only 40 of the required 100 items" in result.reasons[0]


def test_a_low_base_has_a_smaller_margin(write_run):
    base = write_run("base", {"chat": scores(40)})
    tuned = write_run("tuned", {"chat": scores(40)})
    relative = policy("[guards.chat]\nmargin = 5.0\nrelative = 0.1\n")
    (guard,) = gate(base, tuned, relative, replicates=999).guards
    assert guard.margin == pytest.approx(1.0)  # a tenth of 10 %


def test_slow_loss_shows_against_the_anchor_only(write_run):
    base, tuned = runs(write_run, 260)  # -10 against the base, 0 against the last release
    previous = write_run("last", {"chat": scores(260)})
    result = gate(base, tuned, CHAT, previous=previous, replicates=999)
    assert [(g.against, g.verdict) for g in result.guards] == [
        ("base", "REGRESSED"),
        ("previous", "PASS"),
    ]
    assert result.verdict == "REGRESSED"


def test_a_margin_within_the_noise_of_the_base_is_not_judged(write_run):
    base, tuned = runs(write_run, 300)
    again = write_run("again", {"chat": scores(276)})  # the base differs from itself by 6 points
    result = gate(base, tuned, CHAT, again=again, replicates=999)
    assert "two runs of the base differ by 6.0 points" in result.reasons[0]


def test_a_guard_of_nothing_is_refused(write_run):
    said = r"^policy.toml \[guards.chess\]: guard 'chess' is neither a group nor a benchmark"
    with pytest.raises(InputError, match=said):
        gate(*runs(write_run, 300), policy("[guards.chess]\nmargin = 1\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[guards.chat]\nmargin = 0\n", "policy.toml [guards.chat.margin]"),
        ("[guards.chat]\nmargin = 5\ntier = 'vital'\n", "policy.toml [guards.chat.tier]"),
        ("min_items = 3\n", "policy.toml [guards]"),
        ("[guards]\n", "policy.toml [guards]"),
    ],
)
def test_bad_policies_name_the_key(text, said):
    with pytest.raises(InputError) as caught:
        policy(text)
    assert str(caught.value).startswith(said)


TI = policy("[guards.law]\nmargin = 30.0\n[min_ti]\nrest = 20.0\n")


def gained(write_run, chat: int):
    """Cases and statutes gain 25 points; chat goes from 200 of 400 right to ``chat``."""
    base = {"cases": scores(200), "statutes": scores(200), "chat": scores(200)}
    tuned = {"cases": scores(300), "statutes": scores(300), "chat": scores(chat)}
    return write_run("base", base), write_run("tuned", tuned)


@pytest.mark.parametrize(
    ("chat", "verdict"), [(320, "PASS"), (120, "REGRESSED"), (205, "INCONCLUSIVE")]
)
def test_a_minimum_ti_is_held_against_the_interval(write_run, chat, verdict):
    # +30 and -20 points against 25 of the source; +1.25 points have an interval around 20 %
    result = gate(*gained(write_run, chat), TI, replicates=999)
    assert [guard.name for guard in result.guards] == ["law", "TI rest"]
    guard = result.guards[1]
    assert (guard.verdict, result.verdict) == (verdict, verdict)
    assert guard.test == "interval"
    assert guard.margin == 20.0
    sign = 1 if chat >= 200 else -1
    assert guard.change == pytest.approx(100 * sign * (abs(chat - 200) / 4 / 25) ** 0.5)
    if verdict == "REGRESSED":
        assert result.reasons == (f"TI rest: {guard.change:.1f} %, below the minimum of 20.0 %",)


def test_an_undefined_ti_is_inconclusive(write_run):
    result = gate(*runs(write_run, 300), TI, replicates=999)
    (guard,) = [guard for guard in result.guards if guard.name == "TI rest"]
    assert guard.verdict == "INCONCLUSIVE"
    assert guard.why.startswith("TI is undefined: ")


def test_ti_of_no_target_is_refused(write_run):
    rules = policy("[guards.law]\nmargin = 3.0\n[min_ti]\nlaw = 20.0\n")
    with pytest.raises(InputError, match="TI of 'law' is not defined in suite law"):
        gate(*runs(write_run, 300), rules, replicates=999)


def test_retention_guards_all_groups_but_the_source(write_run):
    rules = policy("[guards.retention]\nmargin = 5.0\n")
    result = gate(*runs(write_run, 300), rules, replicates=999)
    assert result.verdict == "PASS"
    assert result.to_json()["guards"][0]["name"] == "retention"
    assert result.to_json()["verdict"] == "PASS"


def test_too_many_artefacts_decide_nothing(write_run):
    base, _ = runs(write_run, 300)
    flags = {("chat", at): ("truncated",) for at in range(100)}
    right = {"cases": scores(200), "statutes": scores(200), "chat": scores(300)}
    tuned = write_run("flagged", right, flags=flags)
    rules = policy("max_artefact_rate = 0.2\n[guards.chat]\nmargin = 5.0\n")
    result = gate(base, tuned, rules, replicates=999)
    assert result.verdict == "INCONCLUSIVE"
    assert result.guards[0].why == "25 % of the answers are artefacts (the policy allows 20 %)"


def test_a_margin_relative_to_a_base_of_nothing_cant_be_judged(write_run):
    nothing = {"cases": scores(200), "statutes": scores(200), "chat": scores(0)}
    rules = policy("[guards.chat]\nmargin = 5.0\nrelative = 0.1\n")
    runs_ = write_run("b", nothing), write_run("t", nothing)
    result = gate(*runs_, rules, replicates=999)
    assert result.guards[0].why == "the base scores 0, so the relative margin is 0"


def lost(n_lost: int, n: int = N) -> list[int]:
    """Answers to items of which the base is right on all."""
    return [0] * n_lost + [1] * (n - n_lost)


def test_without_holm_two_guards_would_be_one_too_many(write_run):
    # chat: 29 of 400 lost against a margin of 5; the other two are unchanged. One guard is evidence
    # at 0.05, one of three is not: 3 x 0.031.
    base = write_run("base", {"cases": lost(0), "statutes": lost(0), "chat": lost(0)})
    tuned = write_run("tuned", {"cases": lost(0), "statutes": lost(0), "chat": lost(29)})
    one = gate(base, tuned, CHAT, replicates=999)
    (alone,) = one.guards
    # P(29 or more of 400 fall) at 5 %, where nothing rises, is the largest over all shares of rises
    tail = sum(math.comb(400, k) * 0.05**k * 0.95 ** (400 - k) for k in range(29, 401))
    assert alone.p == pytest.approx(tail, rel=0.02)
    assert 0.05 / 3 < alone.p < 0.05
    more = policy(
        "[guards.chat]\nmargin = 5.0\n[guards.cases]\nmargin = 5.0\n[guards.statutes]\nmargin = 5\n"
    )
    three = gate(base, tuned, more, replicates=999)
    assert (one.verdict, three.verdict) == ("REGRESSED", "INCONCLUSIVE")
    assert three.guards[0].p == pytest.approx(3 * alone.p)


def test_below_min_items_only_the_exact_test_shows_a_drop(write_run):
    few = policy("[guards.chat]\nmargin = 3.0\n")  # min_items: 100
    base = write_run("base", {"chat": lost(0, 20)})
    same = gate(base, write_run("same", {"chat": lost(0, 20)}), few, replicates=999)
    assert same.verdict == "INCONCLUSIVE"
    assert same.guards[0].why == "only 20 of the required 100 items"
    assert same.guards[0].test == "exact"
    assert same.guards[0].detectable is not None
    fell = gate(base, write_run("fell", {"chat": lost(8, 20)}), few, replicates=999)
    (guard,) = fell.guards
    assert fell.verdict == "REGRESSED"
    # McNemar's 2 / 2^8 is larger than the exact p of the margin, and counts
    assert exact_dropped(8, 0, 20, margin=3.0) < 2 / 2**8
    assert guard.p == pytest.approx(2 / 2**8)
    # 5 of 20: the exact margin test alone would say so (p 0.02), McNemar's 2 / 2^5 does not
    assert exact_dropped(5, 0, 20, margin=3.0) < 0.05
    five = gate(base, write_run("five", {"chat": lost(5, 20)}), few, replicates=999)
    assert five.verdict == "INCONCLUSIVE"
    assert five.guards[0].p == pytest.approx(2 / 2**5)


@pytest.mark.parametrize("what", ["repeats", "clusters", "groups"])
def test_below_min_items_nothing_without_an_exact_test_regresses(write_run, what):
    n = 40
    shares = {"cases": [f"s{at // 2}" for at in range(n)], "statutes": [""] * n, "chat": [""] * n}
    clusters = shares if what == "clusters" else None
    one, none = ([1, 1], [0, 0]) if what == "repeats" else (1, 0)
    base = write_run("b", {b: [one] * n for b in shares}, clusters=clusters)
    tuned = write_run("t", {b: [none] * n for b in shares}, clusters=clusters)
    name = "law" if what == "groups" else "cases"
    result = gate(base, tuned, policy(f"[guards.{name}]\nmargin = 3.0\n"), replicates=999)
    if what == "groups":
        assert result.guards[0].n == 80
    assert result.verdict == "INCONCLUSIVE"
    assert result.guards[0].p is None
    assert (result.guards[0].test, result.guards[0].detectable) == ("bootstrap", None)
    assert "have no exact test" in result.reasons[0]


def test_a_base_that_differs_from_itself_leaves_nothing_to_say(write_run):
    base, tuned = runs(write_run, 100)  # chat fell by 50 points
    again = write_run("again", {"chat": scores(276)})  # and the base itself by 6
    result = gate(base, tuned, CHAT, again=again, replicates=999)
    assert (result.verdict, result.guards[0].p) == ("INCONCLUSIVE", None)
    assert "two runs of the base differ by 6.0 points" in result.reasons[0]
    steady = write_run("steady", {"chat": scores(296)})
    assert gate(base, tuned, CHAT, again=steady, replicates=999).verdict == "REGRESSED"


def test_a_second_run_that_lacks_the_benchmark_leaves_the_noise_unknown(write_run):
    base, tuned = runs(write_run, 300)
    again = write_run("again", {"cases": scores(200)})
    result = gate(base, tuned, CHAT, again=again, replicates=999)
    assert result.verdict == "INCONCLUSIVE"
    assert "its noise is unknown" in result.reasons[0]


def test_five_clusters_cant_show_a_drop(write_run):
    # All of 5 stories of 40 lost: the bootstrap is sure of it, sign flips reach 2 / 2^5
    stories = {b: [f"s{at // 40}" for at in range(200)] for b in ("chat",)}
    base = write_run("b", {"chat": lost(0, 200)}, clusters=stories)
    tuned = write_run("t", {"chat": lost(200, 200)}, clusters=stories)
    result = gate(base, tuned, CHAT, replicates=999)
    assert result.verdict == "INCONCLUSIVE"
    (guard,) = result.guards
    assert guard.bound == -100.0  # and no -145
    assert guard.p > 0.05
    assert "5 clusters can't reach p < 0.05 (smallest possible p: 0.0625)" in guard.why


def test_reasons_say_what_the_bound_shows(write_run):
    result = gate(*runs(write_run, 284), CHAT, replicates=999)
    (guard,) = result.guards
    assert guard.why == (
        f"the lower bound, {guard.bound:.1f}, is below -5.0 (the margin), "
        "but no drop beyond the margin is shown"
    )


def test_fewer_items_must_be_allowed_by_name(write_run):
    base, _ = runs(write_run, 300)
    short = write_run("short", {"cases": scores(200), "chat": scores(300)[:350]})
    result = gate(base, short, CHAT, replicates=999)
    assert (result.verdict, result.guards[0].p) == ("INCONCLUSIVE", None)
    assert result.reasons == (
        "chat against base: chat: the tuned run has only 350 of the 400 items of base; "
        'to judge the shared ones, set allow_fewer_items = ["chat"]',
    )
    assert result.differences[0].startswith("chat: compared on the 350 items")
    allowed = policy('allow_fewer_items = ["chat"]\n[guards.chat]\nmargin = 5.0\n')
    result = gate(base, short, allowed, replicates=999)
    assert (result.verdict, result.guards[0].n) == ("PASS", 350)
    assert gate(short, base, CHAT, replicates=999).verdict == "PASS"  # the base has fewer


ARTEFACTS = policy("max_artefact_rate = 0.2\n[guards.chat]\nmargin = 5.0\n")


def test_artefacts_are_listed_beside_a_regression(write_run):
    base, _ = runs(write_run, 300)
    flags = {("chat", at): ("truncated",) for at in range(100)}
    tuned = write_run("flagged", {"chat": scores(100)}, flags=flags)
    result = gate(base, tuned, ARTEFACTS, replicates=999)
    assert result.reasons == (
        "chat against base: dropped 50.0 points, more than the margin of 5.0; "
        "25 % of the answers are artefacts (the policy allows 20 %)",
    )
    # beside another guard's regression, a supporting guard's artefacts are said as well
    rules = policy(
        "max_artefact_rate = 0.2\n[guards.cases]\nmargin = 5.0\n"
        '[guards.chat]\nmargin = 60.0\ntier = "supporting"\n'
    )
    tuned = write_run("both", {"cases": scores(50), "chat": scores(300)}, flags=flags)
    result = gate(base, tuned, rules, replicates=999)
    assert [reason[:5] for reason in result.reasons] == ["cases", "chat "]
    assert "25 % of the answers are artefacts" in result.reasons[1]


def test_artefacts_of_scores_without_answers_are_unknown_not_none(write_run, monkeypatch):
    base, tuned = runs(write_run, 300)
    assert gate(base, tuned, ARTEFACTS, replicates=999).verdict == "PASS"
    table = replace(tuned, manifest=replace(tuned.manifest, provenance="imported:csv"))
    assert gate(base, table, ARTEFACTS, replicates=999).verdict == "PASS"  # answers are there
    bare = replace(table, path=table.path / "elsewhere")
    result = gate(base, bare, ARTEFACTS, replicates=999)
    assert result.verdict == "INCONCLUSIVE"
    assert result.guards[0].why == (
        "no answers of chat were kept, so their artefacts are unknown (the policy allows 20 %)"
    )


def test_what_the_policy_leaves_out_is_named(write_run):
    assert gate(*runs(write_run, 300), CHAT, replicates=999).unguarded == ("cases", "statutes")


def test_a_benchmark_in_no_group_leaves_the_gate_open(write_run):
    base = write_run("base", {"chat": scores(300), "quiz": scores(300)})
    tuned = write_run("tuned", {"chat": scores(300), "quiz": scores(60)})
    result = gate(base, tuned, CHAT, replicates=999)
    assert (result.verdict, result.exit_code) == ("INCONCLUSIVE", 3)
    assert result.reasons[0].startswith("quiz (-60.0 points): both runs have it, but no guard")
    assert result.unjudged == {"quiz": "in no group of suite law"}
    # only the last release has it, too
    early = write_run("early", {"chat": scores(300)})
    released = gate(early, tuned, CHAT, previous=base, replicates=999)
    assert released.reasons[0] == (
        "quiz (-60.0 points): the previous and the tuned run have it, but no guard judges it, "
        "because the base lacks it; evaluate the base on it, "
        'or set unmapped = "ignore" in the policy'
    )
    assert "quiz: not compared, missing in base" in released.differences
    # and where something fell the verdict is REGRESSED, the benchmark still named first
    fell = write_run("fell", {"chat": scores(100), "quiz": scores(60)})
    result = gate(base, fell, CHAT, replicates=999)
    assert result.verdict == "REGRESSED"
    assert [reason[:4] for reason in result.reasons] == ["quiz", "chat"]


def test_retention_of_a_suite_without_other_groups_is_inconclusive(write_run):
    law = {"cases": scores(200), "statutes": scores(200)}
    base, tuned = (with_suite(write_run(name, law), groups={"law": law}) for name in "bt")
    result = gate(base, tuned, policy("[guards.retention]\nmargin = 3.0\n"), replicates=999)
    assert result.guards[0].why == "no benchmark is in a group other than the source"


def with_suite(run, *, groups):
    suite = dict(run.manifest.suite)
    suite["groups"] = {group: list(names) for group, names in groups.items()}
    kept = {b for names in groups.values() for b in names}
    suite["benchmarks"] = {b: about for b, about in suite["benchmarks"].items() if b in kept}
    return replace(run, manifest=replace(run.manifest, suite=suite))


def test_a_minimum_ti_says_which_bound_is_below_it(write_run):
    result = gate(*gained(write_run, 205), TI, replicates=999)
    (guard,) = [guard for guard in result.guards if guard.name == "TI rest"]
    bound = "minus infinity" if guard.bound is None else f"{guard.bound:.1f}"
    assert result.reasons == (f"TI rest: the lower bound, {bound}, is below 20",)


@pytest.mark.parametrize(
    ("n", "names", "said"),
    [
        (40, ("cases", "statutes", "chat"), "a group has only 40 of the required 100 items"),
        (400, ("cases", "chat"), "statutes can't be compared: missing in tuned"),
    ],
)
def test_a_minimum_ti_needs_items_and_all_benchmarks(write_run, n, names, said):
    base = write_run("b", {b: scores(n // 4, n) for b in ("cases", "statutes", "chat")})
    tuned = write_run("t", {b: scores(n, n) for b in names})
    rules = policy("[guards.chat]\nmargin = 30.0\n[min_ti]\nrest = 20.0\n")
    result = gate(base, tuned, rules, replicates=999)
    assert result.guards[-1].why == said


def test_a_minimum_ti_needs_the_items_of_the_base(write_run):
    base, tuned = gained(write_run, 320)
    tuned = write_run("cut", {b: scores(300)[:350] for b in ("cases", "statutes", "chat")})
    rules = policy(
        'allow_fewer_items = ["chat"]\n[guards.chat]\nmargin = 30.0\n[min_ti]\nrest = 0\n'
    )
    result = gate(base, tuned, rules, replicates=999)
    assert "cases: the tuned run has only 350 of the 400 items" in result.guards[-1].why


def test_a_groups_reason_names_the_benchmarks_that_fell(write_run):
    right = {"cases": scores(300), "statutes": scores(300)}
    base = write_run("base", right)
    tuned = write_run("tuned", {"cases": scores(100), "statutes": scores(304)})
    result = gate(base, tuned, policy("[guards.law]\nmargin = 5.0\n"), replicates=999)
    assert result.reasons == (
        "law against base: dropped 24.5 points (cases -50.0), more than the margin of 5.0",
    )
    members = result.to_json()["guards"][0]["members"]
    assert members == pytest.approx({"cases": -50.0, "statutes": 1.0})


@pytest.mark.parametrize("first", [0, 5000])
def test_a_run_of_something_else_is_refused(write_run, first):
    base = write_run("base", {"cases": scores(20, 40), "chat": scores(20, 40)})
    alien = write_run("alien", {"cases" if first else "statutes": scores(20, 40)}, first=first)
    with pytest.raises(InputError, match=r"alien: no benchmark can be compared with the base \("):
        gate(base, alien, CHAT, replicates=200)
    # As the last release it decides nothing, and no guard passes against it.
    (one, two) = gate(base, base, CHAT, previous=alien, replicates=200).guards
    assert (one.against, two.against, two.verdict) == ("base", "previous", "INCONCLUSIVE")


ALLOWED = 'allow_fewer_items = ["chat"]\n[guards.chat]\nmargin = 12.0\n'


@pytest.mark.parametrize("where", ["base", "tuned"])
def test_answers_that_never_came_are_in_neither_of_two_scores(write_run, where):
    """The other score holds their items, and what is left may be the easy ones."""
    base, tuned = runs(write_run, 300)
    scored = {"base": tuned, "tuned": base}[where]  # of this one only a score is known
    rest = tuple(outcome for outcome in scored.outcomes if outcome.benchmark != "chat")
    known = replace(scored, outcomes=rest, scores=(ScoreRow("chat", 0.75, n=400),))
    lost = tuple(Failure("chat", f"lost {at}", 0, "answered 500") for at in range(100))
    asked = replace({"base": base, "tuned": tuned}[where], failures=lost)
    both = (asked, known) if where == "base" else (known, asked)
    result = gate(*both, CHAT, replicates=999)
    assert (result.verdict, result.exit_code) == ("INCONCLUSIVE", 3)
    counts = f"100 of the {'base' if where == 'base' else 'tuned run'}'s 500 items"
    assert result.reasons == (
        f"chat against base: chat: requests failed for {counts} (answered 500), and can't be left "
        'out of both scores; to judge the remaining answers, set allow_fewer_items = ["chat"]',
    )
    if where == "tuned":  # as the base's second run it tells no noise either
        said = gate(known, known, policy(ALLOWED), again=asked, replicates=999).reasons[0]
        assert "its noise is unknown" in said
    assert gate(*both, policy(ALLOWED), replicates=999).verdict == "PASS"


def test_the_seed_and_the_number_of_replicates_unless_told(write_run):
    base = write_run("base", {"cases": scores(50, 100), "statutes": scores(60, 100)})
    tuned = write_run("tuned", {"cases": scores(45, 100), "statutes": scores(55, 100)})
    law = policy("[guards.law]\nmargin = 5.0\n")
    unless_told = gate(base, tuned, law).guards
    assert unless_told == gate(base, tuned, law, seed=0, replicates=10_000).guards
    assert unless_told != gate(base, tuned, law, seed=1, replicates=10_000).guards
    assert unless_told != gate(base, tuned, law, seed=0, replicates=10_001).guards


def test_just_enough_items_pass(write_run):
    # None of 100 lost: 100 (1 - 0.05^(1/100)) = 2.95 points are left open.
    (guard,) = gate(*runs(write_run, 75, n=100), CHAT, replicates=999).guards
    assert (guard.verdict, guard.n, guard.test) == ("PASS", 100, "tango")


@pytest.mark.parametrize(("right", "said"), [(300, ""), (302, ""), (298, "asked of base chat")])
def test_only_of_a_loss_is_asked_what_made_it(write_run, monkeypatch, right, said):
    def reason(*_, of, **__):
        return f"asked of {of}"

    monkeypatch.setattr("transferscope.compare.guards.reason", reason)
    (guard,) = gate(*runs(write_run, right), CHAT, replicates=999).guards
    assert guard.flagged == said
