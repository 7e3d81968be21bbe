"""Right and wrong programs: the four outcomes, what programs may use, and saved responses."""

import json
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.grade.code_responses import read_tests
from transferscope.grade.program_output import same_lines, same_value
from transferscope.grade.programs import Case, Outcome, Verdict, judged
from transferscope.grade.sandbox import Limits, Program, jail
from transferscope.grade.score import score

DOUBLE = [Case("3\n", "6\n"), Case("4\n", "8")]


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> None:
    try:
        jail()
    except InputError as err:
        pytest.skip(str(err))


def run(code: str, cases: list[Case], function: str = "", **limits: Any) -> Verdict:
    same = same_value if function else same_lines
    return judged(Program(code, function), lambda: cases, same, Limits(**limits))


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("print(int(input()) * 2)", Verdict(Outcome.PASSED, 2)),
        ("print(6)", Verdict(Outcome.WRONG, 1, "case 2: another output than expected")),
        ("print(6", Verdict(Outcome.COMPILE, 0, "SyntaxError: '(' was never closed")),
        (
            "print(6)\n1 / 0",
            Verdict(Outcome.WRONG, 0, "case 1: ZeroDivisionError: division by zero"),
        ),
        ("print(6); import sys; sys.exit(3)", Verdict(Outcome.WRONG, 0, "case 1: exit code 3")),
        (
            "import os; os.kill(os.getpid(), 11)",
            Verdict(Outcome.WRONG, 0, "case 1: killed by signal 11"),
        ),
        (
            "import os; os.kill(os.getpid(), 9)",
            Verdict(Outcome.WRONG, 0, "broke its sandbox: killed"),
        ),
        ("import time; time.sleep(9)", Verdict(Outcome.TIMEOUT, 0, "case 1: time limit exceeded")),
    ],
)
def test_outcomes(code: str, verdict: Verdict) -> None:
    assert run(code, DOUBLE, wall=1.5) == verdict


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nprint(int(sys.stdin.buffer.read()) * 2)",
        "print(int(open(0).read()) * 2)",
        "print(int(open('/dev/stdin').readline()) * 2)",
        "def main():\n    print(int(input()) * 2)\nif __name__ == '__main__':\n    main()",
        "print(int(input()) * 2)\nexit()",
        "import sys\nsys.stdout.write(str(int(input()) * 2))\nsys.exit(0)",
        "import os\nos.write(1, str(int(input()) * 2).encode())\nos._exit(0)",
        "import threading\nthreading.stack_size(1 << 26)\n"
        "threading.Thread(target=lambda: print(int(input()) * 2)).start()",
        "from dataclasses import dataclass\n@dataclass\nclass N:\n    x: int\n"
        "print(N(int(input())).x * 2)",
        "print(reduce(lambda a, b: a + b, [int(input())] * 2))",
        "d = deque([int(input())]); heappush(h := [], d[0])\n"
        "print(floor(math.sqrt((2 * h[0]) ** 2)))",
        "def f(n): return 0 if n == 0 else 1 + f(n - 1)\nprint(f(20_000) * 0 + int(input()) * 2)",
        "import subprocess, sys\nprint(int(input()) * 2)",
        "import atexit\natexit.register(lambda: print(int(input()) * 2))",
        "import io, sys\nreal, sys.stdout = sys.stdout, io.StringIO()\nprint(int(input()) * 2)\n"
        "real.write(sys.stdout.getvalue())",
        "import os\nfile = os.fdopen(1, 'w')\nfile.write(str(int(input()) * 2))",
        "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer)\nprint(int(input()) * 2)",
        "class A:\n    def __del__(self): print(int(input()) * 2)\na = A()",
    ],
)
def test_what_a_program_may_do(code: str) -> None:
    assert run(code, DOUBLE) == Verdict(Outcome.PASSED, 2)


def test_functions() -> None:
    cases = [Case('[3, 1, 2]\n"x"', '[[1, "x"], [2, "x"], [3, "x"]]')]
    code = "class Solution:\n    def pair(self, xs: List[int], s: str):\n        print('noise')\n"
    code += "        return [(x, s) for x in sorted(xs)]"
    assert run(code, cases, "pair") == Verdict(Outcome.PASSED, 1)
    plain = "def pair(xs, s):\n    return [[x, s] for x in sorted(xs)]"
    assert run(plain, cases, "pair") == Verdict(Outcome.PASSED, 1)
    # The state of one call is not seen by the next.
    state = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)"
    assert run(state, [Case("1", "1"), Case("2", "1")], "f") == Verdict(Outcome.PASSED, 2)
    missing = run(plain, cases, "other")
    assert missing.why == "case 1: AttributeError: module '__main__' has no attribute 'other'"
    unreadable = run("def f(x):\n    return {1, 2}", [Case("1", "1")], "f")
    assert unreadable.why == "case 1: TypeError: Object of type set is not JSON serializable"


def test_own_names_go_before_the_standard_ones() -> None:
    code = "def gcd(a, b):\n    return 7\nprint(gcd(4, 6), Counter is not None)"
    assert run(code, [Case("", "7 True")]) == Verdict(Outcome.PASSED, 1)
    without = judged(Program("print(Counter)", prelude=False), lambda: DOUBLE, same_lines)
    assert without.why == "case 1: NameError: name 'Counter' is not defined"


def test_large_inputs_and_outputs() -> None:
    text = "\n".join(str(n) for n in range(200_000))
    assert run("import sys\nprint(sys.stdin.read())", [Case(text, text)]).outcome is Outcome.PASSED


@pytest.mark.parametrize("code", ["x = \0", "x = '\ud800'", "  x = 1", "return 1"])
def test_what_does_not_compile(code: str) -> None:
    assert run(code, DOUBLE).outcome is Outcome.COMPILE


def test_a_program_without_tests_is_refused() -> None:
    with pytest.raises(InputError, match="a program has no tests; give each problem"):
        run("print()", [])


def rows(path: Path, *found: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return path


ADD = {"fn_name": "add", "inputs": [[2, 3], [-1, 1]], "outputs": [5, 0]}
SUM = [{"input": "2 3\n", "output": "5\n"}]


def test_score_code(tmp_path: Path) -> None:
    program = "Here:\n```python\nprint(sum(map(int, input().split())))\n```"
    file = rows(
        tmp_path / "responses.jsonl",
        {"id": "a", "response": program, "gold": SUM, "label": True},
        {"id": "b", "response": program.replace("sum", "max"), "gold": SUM, "label": False},
        {"id": "c", "response": "```python\ndef add(a, b): return a + b\n```", "gold": ADD},
        {"id": "d", "response": "```python\nprint(\n```", "gold": json.dumps(ADD)},
        {"id": "e", "response": "I can't."},
    )
    out = tmp_path / "graded.jsonl"
    found = score("code", file, out=out)
    shares = {"wrong_answer": 0.25, "compile_error": 0.25, "timeout": 0.0}
    assert found.metrics == {"accuracy": 0.5, **shares}
    assert found.unmatched == ("e",)
    assert found.label_agreement == 1.0
    graded = [json.loads(line)["score"] for line in out.read_text(encoding="utf-8").split("\n")[:4]]
    assert graded == [1, 0, 1, 0]


def test_score_code_with_a_gold_file(tmp_path: Path) -> None:
    answer = {"response": "```python\nprint(5)\n```"}
    file = rows(tmp_path / "r.jsonl", {"id": 1, **answer}, {"id": 2, **answer})
    gold = rows(tmp_path / "gold.jsonl", {"id": 1, "gold": SUM}, {"id": 3, "gold": SUM})
    found = score("code", file, gold)
    assert found.metrics["accuracy"] == 1.0
    assert found.unmatched == ("2",)
    twice = rows(tmp_path / "twice.jsonl", {"id": 1, "gold": SUM}, {"id": 1, "gold": SUM})
    with pytest.raises(InputError, match=r"twice.jsonl:2: id 1 is not unique"):
        score("code", file, twice)
    with pytest.raises(InputError, match="has no 'id' or no 'gold'"):
        score("code", file, rows(tmp_path / "none.jsonl", {"id": 1}))


@pytest.mark.parametrize(
    "gold",
    [
        "5",
        "not JSON",
        5,
        [5],
        [{"input": 5, "output": "5"}],
        {"inputs": ["1"], "outputs": []},
        {"fn_name": "f", "inputs": ["1"], "outputs": [1]},
        {"fn_name": 1, "inputs": [[1]], "outputs": [1]},
        "[" * 100_000,
    ],
)
def test_malformed_tests_are_named(gold: Any) -> None:
    with pytest.raises(InputError, match=r"a\.jsonl:3: 'gold' is not a list of tests; give"):
        read_tests(gold, "a.jsonl:3")


def test_a_gold_without_tests_is_refused() -> None:
    with pytest.raises(InputError, match="'gold' has no tests"):
        read_tests([], "a.jsonl:3")
