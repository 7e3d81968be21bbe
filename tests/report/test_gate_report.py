"""The gate's renderings: one verdict everywhere, hostile names escaped."""

import io
from dataclasses import replace
from xml.etree import ElementTree

from rich.console import Console

from transferscope.compare.gate import GateResult, Guard
from transferscope.report.gate_report import (
    print_gate,
    render_failure_junit,
    render_failure_markdown,
    render_gate_markdown,
    render_junit,
)

EVIL = 'm<b>|"\x00[red]'
GUARDS = (
    Guard("non", "base", "critical", 4.0, "PASS", change=1.0, bound=-0.5, n=400, test="bootstrap"),
    Guard(
        "chat", "base", "supporting", 5.0, "REGRESSED", change=-12.5, bound=-15.0, n=200, p=0.001
    ),
    Guard(
        "law",
        "base",
        "critical",
        2.0,
        "INCONCLUSIVE",
        change=-1.0,
        bound=-3.0,
        n=90,
        why="90 items",
    ),
    Guard("old", "base", "advisory", 1.0, "INCONCLUSIVE", why="missing in tuned"),
)
RESULT = GateResult(EVIL, "base", "REGRESSED", 1, ("chat fell", "law: 90 items"), GUARDS)


def test_junit_counts_failures_errors_and_skips() -> None:
    suite = ElementTree.fromstring(render_junit(RESULT))
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert cases == {
        "non against base": [],
        "chat against base": ["failure"],
        "law against base": ["error"],
        "old against base": ["skipped"],
    }
    assert "\x00" not in render_junit(RESULT)


def test_an_inconclusive_guard_that_only_warns_is_skipped() -> None:
    warned = GateResult("m", "base", "INCONCLUSIVE", 0, (), GUARDS[2:3])
    (case,) = ElementTree.fromstring(render_junit(warned)).iter("testcase")
    assert [child.tag for child in case] == ["skipped"]


def test_markdown_has_a_row_a_guard_and_no_raw_html() -> None:
    text = render_gate_markdown(RESULT)
    assert text.startswith("## REGRESSED: ")
    assert "<b>" not in text
    assert text.count("\n| ") == 2 + len(GUARDS)
    assert "| chat | base | supporting | 5.0 | −12.5 | −15.0 | 200 | REGRESSED |" in text


def test_the_terminal_fits_80_columns() -> None:
    out = io.StringIO()
    print_gate(RESULT, Console(file=out, width=80))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("REGRESSED: m<b>")
    assert "INCONCLUSIVE" in out.getvalue()


OPEN = GateResult(
    "m",
    "base",
    "INCONCLUSIVE",
    3,
    ("quiz (-60.0 points): both runs have it",),
    (replace(GUARDS[0], artefacts="33 % of the answers are artefacts"),),
    unjudged={"quiz": "in no group of suite s"},
    unguarded=("sums",),
    differences=("chat: compared on the 2 items that both runs have", *"abcdef"),
)


def test_what_no_guard_judged_is_an_error_in_junit() -> None:
    suite = ElementTree.fromstring(render_junit(OPEN))
    assert (suite.get("tests"), suite.get("errors")) == ("2", "1")
    quiz, guard = suite.iter("testcase")
    assert quiz.get("name") == "quiz"
    assert quiz[0].get("message") == "not judged: in no group of suite s"
    assert list(guard) == []
    warned = replace(OPEN, exit_code=0)
    assert ElementTree.fromstring(render_junit(warned)).get("skipped") == "1"


def test_artefacts_are_in_the_message_of_a_failure() -> None:
    fell = replace(GUARDS[1], artefacts="33 % of the answers are artefacts")
    (case,) = ElementTree.fromstring(
        render_junit(GateResult("m", "b", "REGRESSED", 1, (), (fell,)))
    ).iter("failure")
    assert case.get("message") == (
        "REGRESSED: changed by −12.5 points (bound −15.0, margin 5.0, 200 items, supporting): "
        "33 % of the answers are artefacts"
    )


def test_a_message_leaves_out_numbers_that_nobody_knows() -> None:
    minimum = Guard("TI law", "base", "critical", 20.0, "REGRESSED", change=-4.0, bound=-9.0)
    result = GateResult("m", "b", "REGRESSED", 1, (), (GUARDS[3], minimum))
    said = [
        case[0].get("message")
        for case in ElementTree.fromstring(render_junit(result)).iter("testcase")
    ]
    assert said == [
        "INCONCLUSIVE (margin 1.0, advisory): missing in tuned",
        "REGRESSED: −4.0 % (bound −9.0, minimum 20.0, critical)",
    ]


def test_differences_and_what_the_policy_leaves_out_are_shown() -> None:
    out = io.StringIO()
    print_gate(OPEN, Console(file=out, width=300))
    for text in (out.getvalue(), render_gate_markdown(OPEN)):
        assert "Not like for like: chat: compared on the 2 items" in text
        assert "a; b; c; d; e; and 1 more" in text
        assert "Not guarded by the policy: sums" in text
        assert text.index("quiz") < text.index("Not like for like")


def test_a_gate_that_could_not_be_run_says_why() -> None:
    assert render_failure_markdown("p.toml: <b>bad").startswith("## NOT JUDGED")
    assert "<b>" not in render_failure_markdown("p.toml: <b>bad")
    suite = ElementTree.fromstring(render_failure_junit(f"p.toml: {EVIL}"))
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    (error,) = suite.iter("error")
    assert str(error.get("message")).startswith("p.toml: m<b>")


def test_one_minus_sign_in_each_output() -> None:
    why = "the lower bound, -3.0, is below -2.0 (the margin)"
    result = replace(RESULT, reasons=(f"law: {why}",), guards=(replace(GUARDS[2], why=why),))
    out = io.StringIO()
    print_gate(result, Console(file=out, width=300))
    for text in (out.getvalue(), render_gate_markdown(result), render_junit(result)):
        assert "the lower bound, −3.0, is below −2.0" in text
        assert "-3.0" not in text
