"""LiveCodeBench: its rows as they are stored, and its three ways to grade, by made-up problems."""

import base64
import json
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef
from transferscope.core.suite import Suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate, evaluate_model
from transferscope.grade.programs import Case
from transferscope.grade.sandbox import chosen, jail
from transferscope.runs import read_run
from transferscope.runs.manifest import read_manifest
from transferscope.tasks import Benchmark, Item, validate
from transferscope.tasks.paper.livecodebench import NAME, PRESETS
from transferscope.tasks.paper.livecodebench_tests import StoredTests, asserted

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"


@pytest.fixture
def sandbox() -> None:
    try:
        jail()
    except InputError as err:
        pytest.skip(str(err))


def packed(text: Any) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(text))).decode()


def stored(kind: str, *pairs: tuple[str, str]) -> str:
    return json.dumps([{"input": a, "output": b, "testtype": kind} for a, b in pairs])


STDIN = {
    "question_title": "Twice",
    "question_content": "Print twice the number. Upper or lower case does not matter.",
    "platform": "codeforces",
    "question_id": "1_A",
    "contest_date": "2023-05-01T00:00:00",
    "starter_code": "",
    "difficulty": "easy",
    "public_test_cases": stored("stdin", ("3\n", "6\n")),
    "private_test_cases": packed(stored("stdin", ("4\n", "8\n"), ("0.5\n", "1.0\n"))),
    "metadata": "{}",
}
FUNCTION = {
    **STDIN,
    "question_id": "2",
    "question_content": "Return both numbers in any order.",
    "platform": "leetcode",
    "starter_code": "class Solution:\n    def both(self, a: int, b: bool) -> List[int]:\n        ",
    "public_test_cases": stored("functional", ("1\ntrue", "[1, true]")),
    "private_test_cases": stored("functional", ("5\nfalse", "[5, false]")),
    "metadata": '{"func_name": "both"}',
}
TWICE = "```python\nx = float(input())\nprint(int(2 * x) if x > 1 else 2 * x)\n```"
BOTH = "```python\nclass Solution:\n    def both(self, a, b): return (a, b)\n```"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, row in (("livecodebench_test", STDIN), ("LiveCodeBench_test2", FUNCTION)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return tmp_path


def items(benchmark: Benchmark, data: Path) -> dict[str, Item]:
    return {item.id: item for item in benchmark.items(None, seed=0, data=data)}


def test_rows_as_they_are_stored(data: Path) -> None:
    found = items(PRESETS["fixed"], data)
    assert set(found) == {"lcb-1_A", "lcb-2"}
    twice, both = found["lcb-1_A"], found["lcb-2"]
    assert twice.data.tests.private() == [Case("4\n", "8\n"), Case("0.5\n", "1.0\n")]
    assert twice.data.tests.public() == [Case("3\n", "6\n")]
    assert "standard input" in twice.text
    assert (both.data.tests.function, both.data.wording.any_order) == ("both", True)
    assert "class Solution" in both.text
    released = items(PRESETS["authors"], data)
    assert "class Solution" not in released["lcb-2"].text  # the released prompt leaves it out


def test_decoding_follows_the_paper_and_the_code() -> None:
    drawn = {name: (b.decoding.temperature, b.decoding.top_p) for name, b in PRESETS.items()}  # type: ignore[union-attr]
    assert drawn == {"paper": (0.6, 0.95), "authors": (0.7, 1.0), "fixed": (0.6, 0.95)}
    assert {b.decoding.max_tokens for b in PRESETS.values()} == {32_768}  # type: ignore[union-attr]


def test_two_parts_may_be_one_file(tmp_path: Path) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in (STDIN, FUNCTION))
    (tmp_path / "livecodebench_test.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "livecodebench_fewshot.json").write_text("[]", encoding="utf-8")
    assert len(items(PRESETS["paper"], tmp_path)) == 2
    with pytest.raises(InputError, match=r"no files livecodebench_test\*"):
        items(PRESETS["paper"], tmp_path / "none")


class Harm:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (print, ("harm",))


BROKEN = {
    "a pickle that calls": packed(Harm()),
    "a pickled list": packed(["[]"]),
    "two strings": base64.b64encode(zlib.compress(b"\x80\x04\x8c\x01a\x8c\x01b.")).decode(),
    "no base64": "%%%",
    "no zlib": base64.b64encode(b"abc").decode(),
    "cut": packed(stored("stdin", ("1", "2")))[:40],
    "no JSON": packed("[{]"),
    "no list": packed("{}{}"),
    "numbers": packed('[{"input": 1, "output": 2, "testtype": "stdin"}]'),
    "no test type": packed('[{"input": "1", "output": "2"}]'),
    "another type": packed(stored("functional", ("1", "2"))),
    "deep": packed("[" * 100_000),
}


@pytest.mark.parametrize("hidden", BROKEN.values(), ids=BROKEN.keys())
def test_undecodable_tests_never_pass(
    hidden: str, tmp_path: Path, sandbox: None, capfd: pytest.CaptureFixture[str]
) -> None:
    row = {**STDIN, "private_test_cases": hidden}
    (tmp_path / "livecodebench_test.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    for name in ("paper", "fixed", "authors"):
        (item,) = items(PRESETS[name], tmp_path).values()
        with pytest.raises(InputError, match=r"livecodebench_test.jsonl:1: the .*tests"):
            PRESETS[name].grade(item, TWICE)
    assert capfd.readouterr().out == ""


def test_arguments_must_be_json() -> None:
    for pair in (("1\nTrue", "[1]"), ("1\ntrue", "[1")):
        tests = StoredTests("f", "[]", stored("functional", pair), "a:1")
        with pytest.raises(InputError, match="a:1: the tests can't be decoded"):
            tests.private()


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("question_content", "", "no text in 'question_content'"),
        ("metadata", "{", "'metadata' is not a JSON object"),
        ("metadata", "[]", "'metadata' is not a JSON object"),
        ("metadata", '{"func_name": "f"}', "must be given together"),
        ("starter_code", "def f():", "must be given together"),
        ("private_test_cases", None, "no text in 'private_test_cases'"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, field: str, value: Any, what: str) -> None:
    file = tmp_path / "livecodebench_test.jsonl"
    file.write_text(json.dumps({**STDIN, field: value}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="livecodebench_test.jsonl:1: .*" + what):
        items(PRESETS["paper"], tmp_path)


REPLIES = {
    # reply to the stdin problem: scores by paper, fixed and authors
    "right": (TWICE, 1, 1, 1),
    "wrong on a private test": ("```python\nprint(6)\n```", 0, 0, 0),
    "rounded": (TWICE.replace("else 2 * x", "else 0.9999999"), 0, 1, 0),
    "a zero more": (TWICE.replace("else 2 * x", "else '1.00'"), 1, 1, 0),
    "buffered input": (
        "```python\nimport sys\nx = float(sys.stdin.buffer.read())\n"
        "print(int(2 * x) if x > 1 else 2 * x)\n```",
        1,
        1,
        0,
    ),
    "exit at the end": (TWICE.replace("\n```", "\nexit()\n```"), 1, 1, 0),
    "sys.exit at the end": (TWICE.replace("\n```", "\nimport sys; sys.exit()\n```"), 1, 1, 0),
    "guard in single quotes": (
        TWICE.replace("x = ", "if __name__ == '__main__':\n  x = ").replace("\nprint", "\n  print"),
        1,
        1,
        0,
    ),
    "guard in double quotes": (
        TWICE.replace("x = ", 'if __name__ == "__main__":\n  x = ').replace("\nprint", "\n  print"),
        1,
        1,
        1,
    ),
    "output by descriptor": (
        "```python\nimport os\nx = float(input())\n"
        "os.write(1, str(int(2 * x) if x > 1 else 2 * x).encode())\n```",
        1,
        1,
        0,
    ),
    "a module that is hidden": (TWICE.replace("x = ", "import resource\nx = "), 1, 1, 0),
    "a folder that is hidden": (TWICE.replace("x = ", "import os\nos.getcwd()\nx = "), 1, 1, 0),
    "no block": ("x = float(input())\nprint(int(2 * x) if x > 1 else 2 * x)", 1, 1, 0),
    "no program": ("I don't know.", 0, 0, 0),
    "nothing": ("", 0, 0, 0),
}


@pytest.mark.parametrize(("reply", "paper", "fixed", "authors"), REPLIES.values(), ids=REPLIES)
def test_grades_of_a_program(data, sandbox, reply, paper, fixed, authors):  # noqa: PLR0917
    item = items(PRESETS["fixed"], data)["lcb-1_A"]
    assert PRESETS["paper"].grade(item, reply) == paper
    assert PRESETS["fixed"].grade(item, reply) == fixed
    assert PRESETS["authors"].grade(item, reply) == authors


FUNCTIONS = {
    "a class": (BOTH, 1, 1, 0),
    "a function with a tuple": ("```python\ndef both(a, b): return (a, b)\n```", 1, 1, 0),
    "another order": ("```python\ndef both(a, b): return [b, a]\n```", 0, 1, 0),
    "names without imports": (
        "```python\ndef both(a: int, b) -> List[int]: return list(deque([a, b]))\n```",
        1,
        1,
        0,
    ),
    "wrong": ("```python\ndef both(a, b): return [a, a]\n```", 0, 0, 0),
    "one that knows the released arguments": (
        "```python\ndef both(a, b): return [a, {'true': True, 'false': False}.get(b, b)]\n```",
        1,
        1,
        1,
    ),
}


@pytest.mark.parametrize(("reply", "paper", "fixed", "authors"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_grades_of_a_function(data, sandbox, reply, paper, fixed, authors):  # noqa: PLR0917
    item = items(PRESETS["fixed"], data)["lcb-2"]
    assert PRESETS["paper"].grade(item, reply) == paper
    assert PRESETS["fixed"].grade(item, reply) == fixed
    assert PRESETS["authors"].grade(item, reply) == authors


def suite_of(pack: str) -> Suite:
    own = {"pack": pack, "chance": 0.0, "metric": "pass@1", "repeats": 2}
    return Suite.model_validate(
        {
            "name": "code",
            "source": "code",
            "scale": "unit",
            "groups": {"code": [NAME]},
            "benchmarks": {NAME: own},
        }
    )


def test_a_run_grades_in_order_and_records_the_twin(
    data: Path, sandbox: None, tmp_path: Path
) -> None:
    engine = FakeEngine(answers=lambda prompt: BOTH if "class Solution" in prompt else TWICE)
    out = evaluate(engine, suite_of("fixed"), tmp_path / "run", model_ref=ModelRef("x"), data=data)
    run = read_run(out)
    scores = [(o.id, o.repeat, o.score) for o in run.by_benchmark[NAME]]
    assert len(scores) == 4
    assert {score for *_, score in scores} == {1.0}
    assert read_manifest(out).metrics == {NAME: {"score": 1.0, "released": 0.5}}


def test_a_missing_sandbox_is_told_before_the_model_is_loaded(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen, "_choice", chosen._Choice())
    monkeypatch.setattr(chosen, "candidates", lambda: iter(()))
    with pytest.raises(InputError, match="no sandbox for model-written programs"):
        evaluate_model("smollm2-135m", suite_of("fixed"), tmp_path / "run", data=data)
    assert not (tmp_path / "run").exists()


def test_the_check_grades_wrong_programs(data: Path, sandbox: None) -> None:
    found = validate(PRESETS["fixed"], list(items(PRESETS["fixed"], data).values()))
    assert (found.items, found.golds, found.wrong, found.n_faults) == (2, 0, 4, 0)


CONTEST = {
    "task_id": "weekly-contest-1-twice",
    "prompt": '"""\nReturn k * s.\n"""\nclass Solution:\n'
    "    def rep(self, s: str, k: int) -> str:\n",
    "test": "\nmy_solution = Solution()\n\n"
    'test_input = { "k": 2, "s": "ab" }\nassert my_solution.rep(**test_input) == "abab"\n\n'
    'test_input = { "k": 0, "s": "ab" }\nassert my_solution.rep(**test_input) == ""\n',
}


def test_contest_files_replace_it(tmp_path: Path, sandbox: None) -> None:
    file = tmp_path / "leetcode_contest_mine.jsonl"
    file.write_text(json.dumps(CONTEST) + "\n", encoding="utf-8")
    (item,) = items(PRESETS["fixed"], tmp_path).values()
    assert item.data.tests.private() == [Case('"ab"\n2', '"abab"'), Case('"ab"\n0', '""')]
    reply = "```python\nclass Solution:\n    def rep(self, s, k): return s * k\n```"
    assert PRESETS["fixed"].grade(item, reply) == 1.0
    assert PRESETS["fixed"].grade(item, reply.replace("* k", "* 2")) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "my_solution.f(1)",
        "x = 1\ntest_input = {'a': print('harm')}\nassert my_solution.f(**test_input) == 1",
        "x = 1\ntest_input = {'a': 1}\nassert my_solution.f(**test_input) != 1",
        "x = 1\ntest_input = {'a': 1}\nassert my_solution.f(**test_input)",
        "x = 1\ntest_input = {'a': 1}\nassert my_solution.f(**test_input) == 1\ntest_input = {}",
        "my_solution.f(",
    ],
)
def test_asserts_are_read_and_never_run(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    tests = asserted(text, "def f(self, a: int)", "a:1")
    if text == "my_solution.f(1)":
        assert tests.private() == []
        return
    with pytest.raises(InputError, match="a:1: 'test' isn't pairs of arguments and asserts"):
        tests.private()
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(not DATA.is_dir(), reason="shared/data/bench isn't there")
def test_every_real_item_is_read() -> None:
    found = items(PRESETS["fixed"], DATA)
    assert len(found) == 85
    for item in found.values():
        cases = item.data.tests.private()
        assert len(cases) == 100
        assert item.data.tests.function in item.text
        assert len(cases[0].given.split("\n")) == len(item.data.tests.parameters)


SOLUTIONS = {
    "weekly-contest-381-minimum-number-of-pushes-to-type-word-i": (
        "minimumPushes",
        "def f(self, word): return sum(i // 8 + 1 for i in range(len(word)))",
    ),
    "weekly-contest-380-count-elements-with-maximum-frequency": (
        "maxFrequencyElements",
        "def f(self, a): c = Counter(a).values(); return sum(v for v in c if v == max(c))",
    ),
    "weekly-contest-378-check-if-bitwise-or-has-trailing-zeros": (
        "hasTrailingZeros",
        "def f(self, a): return sum(x % 2 == 0 for x in a) > 1",
    ),
    "biweekly-contest-118-find-words-containing-character": (  # in any order, says the problem
        "findWordsContaining",
        "def f(self, words, x): return [i for i, w in enumerate(words) if x in w][::-1]",
    ),
}


@pytest.mark.skipif(not DATA.is_dir(), reason="shared/data/bench isn't there")
def test_right_programs_pass_real_tests(sandbox: None) -> None:
    found = items(PRESETS["fixed"], DATA)
    for id_, (function, code) in SOLUTIONS.items():
        reply = f"```python\nclass Solution:\n  {code.replace('def f(', f'def {function}(')}\n```"
        assert PRESETS["fixed"].grade(found[id_], reply) == 1.0
        assert PRESETS["fixed"].grade(found[id_], reply.replace("return ", "return 1 or ")) == 0.0
        assert PRESETS["paper"].grade(found[id_], reply) == float("[::-1]" not in code)
        assert PRESETS["authors"].grade(found[id_], reply) == 0.0  # a class is never right there
