"""A gate's result for people and for CI: terminal output, Markdown comment, JUnit XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from . import words
from .differences import together
from .escaping import markdown_cell, minus, name, sentence
from .escaping import markdown_line as cell_text
from .markdown import table

if TYPE_CHECKING:
    from rich.console import Console

    from ..documents.gate_result import GateResult, Guard

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DIFFERENCES_SHOWN = 6
HEAD = ("guard", "against", "tier", "margin", "change", "bound", "n", "verdict")
MEANING = {
    "PASS": "every critical guard is shown to hold",
    "REGRESSED": "a drop beyond its margin is established",
    "INCONCLUSIVE": "no drop beyond a margin is shown, and not every guard is shown to hold",
}
"""What each verdict means."""


def print_gate(result: GateResult, console: Console) -> None:
    """Print the verdict, its reasons, and a table with one row per guard."""
    from rich.text import Text

    from .fitted_table import plain_table

    style = {"PASS": "bold green", "REGRESSED": "bold red"}.get(result.verdict, "bold yellow")
    console.print(Text(_headline(result), style=style))
    for reason in result.reasons:
        console.print(Text(f"- {minus(sentence(reason))}"))
    for note in _notes(result):
        console.print(Text(sentence(note)))
    grid = plain_table("Guards: change and one-sided 95 % bound in points")
    for at, head in enumerate(HEAD):
        left = at in (0, 1, 2, len(HEAD) - 1)
        grid.add_column(
            Text(head),
            justify="left" if left else "right",
            no_wrap=not left,
            overflow="fold" if left else "ellipsis",
        )
    for guard in result.guards:
        grid.add_row(*(Text(cell) for cell in _cells(guard)))
    console.print()
    console.print(grid)


def render_gate_markdown(result: GateResult) -> str:
    """Markdown comment for a pull request."""
    rows = [[markdown_cell(cell) for cell in _cells(guard)] for guard in result.guards]
    reasons = [f"- {minus(cell_text(reason))}" for reason in result.reasons]
    parts = [f"## {cell_text(_headline(result))}", "\n".join(reasons)]
    parts += [cell_text(note) for note in _notes(result)]
    parts.append(table(HEAD, rows))
    return "\n\n".join(part for part in parts if part) + "\n"


def render_failure_markdown(reason: str) -> str:
    """Markdown comment for a pull request whose gate could not be run (exit code 2)."""
    return f"## NOT JUDGED: the gate could not be run\n\n- {cell_text(reason)}\n"


def render_failure_junit(reason: str) -> str:
    """JUnit XML for a gate that could not be run: one test case with an error."""
    said = quoteattr(_xml(reason))
    case = f'<testcase classname="transferscope" name="gate"><error message={said}/></testcase>'
    return _suite([f"  {case}"], "NOT JUDGED: the gate could not be run", errors=1)


def render_junit(result: GateResult) -> str:
    """JUnit XML with a test case per guard; a guard that makes the verdict REGRESSED is a failure.

    An inconclusive guard, or a benchmark that no guard could judge, is an error if the policy fails
    on it, and skipped otherwise.
    """
    kinds = []
    cases = []
    for label, said, guard in _cases(result):
        kind = ""
        if guard is not None and guard.verdict == "REGRESSED" and guard.tier != "advisory":
            kind = "failure"
        elif guard is None or guard.verdict != "PASS":
            critical = guard is None or guard.tier == "critical"
            kind = "error" if critical and result.exit_code else "skipped"
        kinds.append(kind)
        head = f"<testcase classname={quoteattr(_xml(result.model))} name={quoteattr(_xml(label))}"
        inner = f"<{kind} message={quoteattr(_xml(said))}/>"
        cases.append(f"  {head}>{inner}</testcase>" if kind else f"  {head}/>")
    return _suite(
        cases,
        _headline(result),
        failures=kinds.count("failure"),
        errors=kinds.count("error"),
        skipped=kinds.count("skipped"),
    )


def _cases(result: GateResult) -> list[tuple[str, str, Guard | None]]:
    """Name, message and guard of every test case; ``None`` for a benchmark without a guard."""
    cases: list[tuple[str, str, Guard | None]] = [
        (benchmark, f"not judged: {why}", None) for benchmark, why in result.unjudged.items()
    ]
    for guard in result.guards:
        told = (guard.why, guard.artefacts, guard.flagged)
        beside = minus("; ".join(dict.fromkeys(text for text in told if text)))
        said = _in_numbers(guard) + (f": {beside}" if beside else "")
        cases.append((f"{guard.name} against {guard.against}", said, guard))
    return cases


def _in_numbers(guard: Guard) -> str:
    """``REGRESSED: changed by −13.8 points (bound −18.6, margin 4.0, 375 items, critical)``.

    The reason of an undecided guard already contains the bound.
    """
    of_ti = guard.name.startswith("TI ")
    said = [] if guard.bound is None or guard.why else [f"bound {words.signed(guard.bound)}"]
    said.append(f"{'minimum' if of_ti else 'margin'} {words.number(guard.margin)}")
    said += [f"{guard.n} items"] if guard.n else []
    changed = ""
    if guard.change is not None:
        points = f"changed by {words.signed(guard.change)} points"
        changed = f": {words.number(guard.change)} %" if of_ti else f": {points}"
    return f"{guard.verdict}{changed} ({', '.join([*said, guard.tier])})"


def _suite(
    cases: list[str], headline: str, *, failures: int = 0, errors: int = 0, skipped: int = 0
) -> str:
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines += [f'<testsuite name="transferscope gate" {counts}>', *cases]
    lines += [f"  <system-out>{escape(_xml(headline))}</system-out>", "</testsuite>"]
    return "\n".join(lines) + "\n"


def _notes(result: GateResult) -> list[str]:
    """Notes beside the verdict: differences, and benchmarks that the policy does not cover."""
    notes = []
    if differences := together(result.differences):
        shown = "; ".join(differences[:DIFFERENCES_SHOWN])
        left = len(differences) - DIFFERENCES_SHOWN
        more = f"; and {left} more" if left > 0 else ""
        notes.append(f"Not like for like: {shown}{more}")
    if result.unguarded:
        notes.append(f"Not guarded by the policy: {', '.join(result.unguarded)}")
    return notes


def _headline(result: GateResult) -> str:
    return f"{result.verdict}: {name(result.model)}: {MEANING[result.verdict]}"


def _cells(guard: Guard) -> tuple[str, ...]:
    return (
        name(guard.name),
        guard.against,
        guard.tier,
        words.number(guard.margin),
        words.signed(guard.change),
        words.signed(guard.bound),
        str(guard.n) if guard.n else "",
        guard.verdict,
    )


def _xml(text: str) -> str:
    """``text`` without characters that XML 1.0 does not allow."""
    return _NOT_XML.sub("\ufffd", text)
