"""Verdicts of the gate on runs whose changes are known."""

import pytest

from transferscope.compare.gate import gate
from transferscope.compare.guards import _clusters
from transferscope.compare.policy import parse_policy
from transferscope.core.errors import InputError
from transferscope.runs import pair

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


def test_a_missing_benchmark_is_inconclusive(write_run):
    base, _ = runs(write_run, 300)
    tuned = write_run("short", {"cases": scores(200), "statutes": scores(200)})
    result = gate(base, tuned, CHAT, replicates=999)
    assert result.verdict == "INCONCLUSIVE"
    assert result.reasons == ("chat against base: chat can't be compared: missing in tuned",)


def test_too_few_items_decide_nothing(write_run):
    result = gate(*runs(write_run, 30, n=40), CHAT, replicates=999)
    assert result.verdict == "INCONCLUSIVE"
    assert "40 items, the policy asks for 100" in result.reasons[0]


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
    assert "differs from itself by 6.0 points" in result.reasons[0]


def test_a_guard_of_nothing_is_refused(write_run):
    with pytest.raises(InputError, match="guard 'chess' is neither a group nor a benchmark"):
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
    (guard,) = [guard for guard in result.guards if guard.name == "TI rest"]
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
    assert result.guards[0].why == "25 % of the answers are artefacts, the policy allows 20 %"


def test_a_margin_relative_to_a_base_of_nothing_cant_be_judged(write_run):
    nothing = {"cases": scores(200), "statutes": scores(200), "chat": scores(0)}
    rules = policy("[guards.chat]\nmargin = 5.0\nrelative = 0.1\n")
    runs_ = write_run("b", nothing), write_run("t", nothing)
    result = gate(*runs_, rules, replicates=999)
    assert result.guards[0].why == "the base scores 0"


def test_clusters_of_a_mixed_group_are_those_of_its_weakest_member(write_run):
    # cases: 40 stories of 10; statutes: 400 single items: 1 / (1/4 / 40 + 1/4 / 400) = 145.45
    stories = {
        "cases": [f"s{at // 10}" for at in range(N)],
        "statutes": [""] * N,
        "chat": [""] * N,
    }
    right = {name: scores(200) for name in stories}
    pairing = pair(write_run("b", right, clusters=stories), write_run("t", right, clusters=stories))
    assert _clusters([("cases", "statutes")], pairing) == pytest.approx(1600 / 11)
    # retention over two groups: shares 1/4, 1/4 and 1/2
    groups = [("cases", "statutes"), ("chat",)]
    share = 1 / 16 / 40 + 1 / 16 / 400 + 1 / 4 / 400
    assert _clusters(groups, pairing) == pytest.approx(1 / share)
