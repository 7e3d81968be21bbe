"""``score code`` and ``eval`` by the command line, with a sandbox, without one, and unconfined."""

import json
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.grade.sandbox import chosen, jail

from .test_cli import run

ROWS = [
    {"id": "a", "response": "```python\nprint(int(input()) + 1)\n```"},
    {"id": "b", "response": "```python\nprint(int(input()) + 2)\n```"},
]
TESTS = [{"input": "1", "output": "2"}]
WARNING = "warning: programs that a model wrote can read, change and send your files"


@pytest.fixture
def responses(tmp_path: Path) -> Path:
    file = tmp_path / "responses.jsonl"
    file.write_text("".join(json.dumps({**row, "gold": TESTS}) + "\n" for row in ROWS))
    return file


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen, "_choice", chosen._Choice())
    monkeypatch.setattr(chosen, "candidates", lambda: iter(()))


def test_programs_are_scored(capsys: pytest.CaptureFixture[str], responses: Path) -> None:
    try:
        jail()
    except InputError as err:
        pytest.skip(str(err))
    code, text, err = run(capsys, "score", "code", str(responses))
    assert (code, err) == (0, "")
    assert text.split("\n")[:4] == [
        "code: 2 graded lines",
        "  accuracy             50.0 %",
        "  wrong_answer         50.0 %",
        "  compile_error         0.0 %",
    ]


def test_without_a_sandbox_one_line_says_so(
    capsys: pytest.CaptureFixture[str], responses: Path, tmp_path: Path, no_sandbox: None
) -> None:
    said = "no sandbox for model-written programs: bubblewrap is not installed; install bubblewrap"
    code, text, err = run(capsys, "score", "code", str(responses))
    assert (code, text, err.count("\n")) == (2, "", 1)
    assert said in err
    suite = tmp_path / "code.toml"
    suite.write_text(
        'name = "code"\nsource = "code"\nscale = "unit"\n[groups]\ncode = ["LiveCodeBench-v2"]\n'
        '[benchmarks.LiveCodeBench-v2]\npack = "fixed"\nchance = 0.0\n'
    )
    for part in ("test", "test2"):
        (tmp_path / f"livecodebench_{part}.jsonl").write_text("{}\n")
    out = tmp_path / "run"
    code, _, err = run(
        capsys,
        "eval",
        "smollm2-135m",
        "--suite",
        str(suite),
        "--data",
        str(tmp_path),
        "--out",
        str(out),
    )
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert not out.exists()


def test_only_the_flag_runs_programs_unconfined(
    capsys: pytest.CaptureFixture[str], responses: Path, no_sandbox: None
) -> None:
    code, text, err = run(capsys, "score", "code", str(responses), "--unsafe-no-sandbox", "--json")
    assert (code, err.strip()) == (0, WARNING)
    assert json.loads(text)["metrics"]["accuracy"] == 0.5
