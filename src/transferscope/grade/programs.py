"""Is a program right? It runs in the sandbox on every input; its outputs are compared outside.

A verdict is one of four outcomes. A fault of the sandbox is none of them: it is tried again, and
then raised, so that it is never a score.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..core.errors import InputError
from .program_output import Same
from .sandbox import Broken, Ending, Jail, Limits, NotStarted, Program, Ran, jail, session
from .sandbox.chosen import fault

LIMITS = Limits()
KILL = 9
TRIES = 2
"""How often a program is run whose sandbox fails."""


class Outcome(StrEnum):
    """What came of a program."""

    PASSED = "passed"
    WRONG = "wrong answer"
    COMPILE = "compile error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Case:
    """A test: what the program gets, and what it must answer.

    Both are text: standard input and output, or, for a function, one JSON argument per line and its
    JSON value.
    """

    given: str
    expected: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the number of cases that passed before it, and the reason."""

    outcome: Outcome
    passed: int
    why: str = ""


def at_once() -> int:
    """How many programs to judge at a time: the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def judged(
    program: Program, cases: Callable[[], Iterable[Case]], same: Same, limits: Limits = LIMITS
) -> Verdict:
    """Run ``program`` on the cases, up to the first that fails.

    A program is wrong if it ends with an error, exceeds the memory or writes too much; a timeout
    if it exceeds the CPU or wall time. Raises :class:`InputError` if there is no sandbox, if it
    fails repeatedly, and if there are no cases.
    """
    chosen = jail()
    for attempt in range(1, TRIES + 1):
        try:
            return _judged(chosen, program, cases(), same, limits)
        except NotStarted as err:
            if attempt == TRIES:
                raise _failed(str(err)) from None
        except Broken as err:
            # If the sandbox still holds another program, this one has broken it by itself.
            if attempt == TRIES and (why := chosen.bwrap and fault(chosen)):
                raise _failed(why) from None
            broken = str(err)
    return Verdict(Outcome.WRONG, 0, f"broke its sandbox: {broken}")


def _judged(
    chosen: Jail, program: Program, cases: Iterable[Case], same: Same, limits: Limits
) -> Verdict:
    passed = 0
    with session(chosen, program, limits) as (opened, compiled):
        if compiled.ending is Ending.COMPILE:
            return Verdict(Outcome.COMPILE, 0, _last_line(compiled.errors))
        for case in cases:
            ran = opened.run(case.given.encode("utf-8", "surrogatepass"))
            if ran.ending is Ending.SIGNALLED and ran.number == KILL:
                raise Broken("killed")  # by itself, or by a machine without memory: tried again
            if ran.ending is Ending.TIMEOUT:
                return Verdict(Outcome.TIMEOUT, passed, f"case {passed + 1}: time limit exceeded")
            if why := _failure(ran) or _difference(ran, case, same):
                return Verdict(Outcome.WRONG, passed, f"case {passed + 1}: {why}")
            passed += 1
    if not passed:
        raise InputError("a program has no tests", remedy="give each problem at least one test")
    return Verdict(Outcome.PASSED, passed)


def _failure(ran: Ran) -> str:
    if ran.ending is Ending.MEMORY:
        return "memory limit exceeded"
    if ran.ending is Ending.SIGNALLED:
        return f"killed by signal {ran.number}"
    if ran.number:
        return _last_line(ran.errors) or f"exit code {ran.number}"
    return ""


def _difference(ran: Ran, case: Case, same: Same) -> str:
    output = ran.output.decode("utf-8", "replace")
    return "" if same(output, case.expected) else "another output than expected"


def _last_line(errors: str) -> str:
    lines = [line.strip() for line in errors.split("\n") if line.strip()]
    return lines[-1][:200] if lines else ""


def _failed(why: str) -> InputError:
    remedy = "free memory and processes on this machine, then start the same command again"
    return InputError(f"the sandbox fails: {why}", remedy=remedy)
