"""LiveCodeBench as the paper's released code checked it, with that checker's faults.

The released folder holds evalchemy's benchmark (its source: ``livecodebench_utils.py`` at commit
894919a of mlfoundations/evalchemy). Read from it, and reproduced here in the sandbox:

- A functional problem's prompt doesn't show the starter code, and the checker calls the name before
  the first "(" of the code. A ``class Solution`` therefore fails, and so does a program that
  defines a helper first or that uses ``List`` without importing it.
- Arguments aren't read as JSON: ``true`` stays a text, and a text with "=" is taken apart.
- A tuple isn't the list that it equals.
- Output must equal the expected text exactly, up to white space at both ends: "1.50" isn't "1.5",
  and a space at the end of an inner line is wrong. The expected text loses a "-" at its end.
- ``sys.stdin.buffer`` doesn't exist, ``exit()`` is ``None``, and ``sys.exit()`` ends the checker's
  process, so that all later tests fail. Code under ``if __name__ == '__main__'`` runs only if the
  name is in double quotes.
- Functions such as ``os.getcwd`` and modules such as ``resource`` are ``None``, and what a program
  writes to the file descriptor of standard output isn't seen.
- Only private tests are run. There is no limit on one test, only on all tests together; here each
  test has :data:`SECONDS`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ...grade.programs import Case, Outcome, judged
from ...grade.sandbox import Limits, Program
from ..definition import Item
from .livecodebench_tests import Problem

SECONDS = 10
STDIN_PROMPT = (
    "Generate an executable Python function generated from the given prompt. The function should "
    "take stdin as input and print the output. Simply call the function after the definition."
)
FUNCTION_PROMPT = (
    "Generate an executable Python function generated from the given prompt. Return the function "
    "body without invoking it at the final solution."
)
_BLOCK = re.compile(r"```(?:[a-zA-Z]*)\n(.*?)```", re.DOTALL)
_GUARD = """
import builtins, io, json, os, shutil, subprocess, sys
code = {code!r}
given, written, real = sys.stdin.read(), io.StringIO(), os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
sys.stdout, subprocess.Popen = written, None
for home, names in (
    (builtins, "exit quit"),
    (shutil, "rmtree move chown"),
    (
        os,
        "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename "
        "renames truncate replace unlink fchmod fchown chmod chown chroot lchown getcwd chdir",
    ),
):
    for name in names.split():
        setattr(home, name, None)
sys.modules.update(dict.fromkeys(("ipdb", "joblib", "resource", "psutil", "tkinter")))
"""
_PROGRAM = (
    _GUARD
    + """
sys.stdin = io.StringIO(given)
if '__name__ == "__main__"' in code:
    code = '__name__ = "__main__"\\n' + code
try:
    exec(code, {{}})
except SystemExit:
    raise RuntimeError("the checker's process ends") from None
real.write(written.getvalue())
"""
)
_FUNCTION = (
    _GUARD
    + """
def told(value):
    if isinstance(value, tuple):
        return {{"tuple": [told(one) for one in value]}}
    return [told(one) for one in value] if isinstance(value, list) else value
namespace = {{}}
exec(code, namespace)
result = namespace[code.split("(")[0].split()[-1]](*json.loads(given))
real.write(json.dumps(told(result)))
"""
)


def released_score(item: Item, reply: str) -> float:
    """The released checker's verdict on ``reply``: 1.0 or 0.0."""
    problem: Problem = item.data
    blocks = _BLOCK.findall(reply)
    if not blocks:
        return 0.0
    code = blocks[-1].split("</code>")[0].replace("<code>", "")
    tests = problem.tests
    template, prepared, same = _PROGRAM, _text_case, _same_text
    if tests.function:
        template, prepared, same = _FUNCTION, _value_case, _same_value
    try:
        cases = [prepared(case) for case in tests.private()]
    except (
        ValueError,
        RecursionError,
    ):  # the released checker catches its own mistakes as the program's
        return 0.0
    program = Program(template.format(code=code), prelude=False)
    verdict = judged(program, lambda: cases, same, Limits(cpu=SECONDS, wall=2.0 * SECONDS))
    return float(verdict.outcome is Outcome.PASSED)


def _text_case(case: Case) -> Case:
    expected = case.expected.strip()
    return Case(case.given, expected[:-1].rstrip() if expected.endswith("-") else expected)


def _value_case(case: Case) -> Case:
    text = case.expected.strip()
    try:
        expected = json.loads(text)
    except ValueError:
        expected = text
    return Case(json.dumps(_arguments(case.given)), json.dumps(expected))


def _arguments(given: str) -> list[Any]:
    """The arguments as the released code read them. Raises :class:`ValueError` where it failed."""
    if "=" in given:
        parts = (part.split("=") for part in given.split(","))
        return [_number(value.strip(), quoted=True) for _, value in parts]
    found: list[Any] = []
    for line in filter(None, (line.strip() for line in given.split("\n"))):
        if line.startswith('"') and line.endswith('"'):
            found.append(line.strip('"'))
        elif line.startswith("[") and line.endswith("]"):
            found.append(json.loads(line))
        else:
            found.append(_number(line, quoted=False))
    return found


def _number(text: str, *, quoted: bool) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip('"') if quoted else text


def _same_text(output: str, expected: str) -> bool:
    return output.strip() == expected


def _same_value(output: str, expected: str) -> bool:
    try:
        return bool(json.loads(output) == json.loads(expected))
    except (ValueError, RecursionError):
        return False
