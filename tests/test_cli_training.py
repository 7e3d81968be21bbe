"""The commands that train and distill leave out what the evaluation asks, and say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from transferscope.evaluate.suite_prompts import suite_prompts

from .test_cli import run

SUITE = """
name = "small"
source = "math"
[groups]
math = ["chains"]
[benchmarks.chains]
pack = "mini"
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture
def queries(tmp_path: Path, suite: Path) -> Path:
    from transferscope.core.suite import load_suite

    path = tmp_path / "q.jsonl"
    prompts = [suite_prompts(load_suite(str(suite)), n=2)[1]]
    prompts += [f"How much is {n} and {n}, say?" for n in range(72)]
    rows = [{"prompt": prompt, "gold": "1"} for prompt in prompts]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_train_leaves_out_what_the_suite_asks(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_model: Path,
    queries: Path,
    suite: Path,
) -> None:
    out = tmp_path / "arm"
    argv = ["train", "on-policy-sft", "--model", str(tiny_model), "--steps", "1"]
    argv += ["--queries", str(queries), "--suite", str(suite), "--out", str(out)]
    said = f"{queries}: 1 of 73 queries overlap with suite {suite}, removed"
    for _ in range(2):  # the second time it is found finished
        code, _, err = run(capsys, *argv)
        assert (code, err.count(said)) == (0, 1)
    record = json.loads((out / "arm.json").read_text())
    left = Path(record["config"]["queries_from"])
    assert len(left.read_text().splitlines()) == 72


def test_train_says_how_many_queries_its_teacher_leaves_unanswered(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_model: Path,
    queries: Path,
    suite: Path,
) -> None:
    teacher = tmp_path / "t.jsonl"
    prompts = [json.loads(line)["prompt"] for line in queries.read_text().splitlines()]
    rows = [{"prompt": prompt, "response": "It is 1."} for prompt in prompts[:9]]
    teacher.write_text("".join(json.dumps(row) + "\n" for row in rows))
    argv = ["train", "classic-sft", "--model", str(tiny_model), "--steps", "1"]
    argv += ["--queries", str(queries), "--teacher", str(teacher), "--suite", str(suite)]
    code, _, err = run(capsys, *argv, "--out", str(tmp_path / "arm"))
    assert code == 0
    said = f"{queries}: 1 of 73 queries overlap with suite {suite}, removed; 64 without a teacher's"
    assert said in err


def test_train_takes_every_setting_from_a_file_and_options_win(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_model: Path
) -> None:
    file = tmp_path / "arm.toml"
    settings = {"model": str(tiny_model), "steps": 2, "queries_per_step": 1, "rollouts": 2}
    settings |= {"max_tokens": 3, "beta": 0.05, "precision": "fp32", "rows_per_forward": 1}
    settings |= {"refresh_every": 2, "save_every": 2, "seed": 4}
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))
    argv = ["train", "on-policy-rl", "--config", str(file)]
    code, _, err = run(capsys, *argv, "--steps", "1", "--out", str(tmp_path / "arm"))
    assert code == 0, err
    written = json.loads((tmp_path / "arm" / "arm.json").read_text())["config"]
    assert {key: written[key] for key in settings} == settings | {"steps": 1}
    file.write_text("max_token = 3\n")
    code, _, err = run(capsys, *argv, "--out", str(tmp_path / "wrong"))
    said = f"{file}: an arm has no setting 'max_token'; did you mean 'max_tokens'?"
    assert (code, err.count("\n"), said in err) == (2, 1, True)
    file.write_text("max_tokens = 0\n")
    code, _, err = run(capsys, *argv, "--out", str(tmp_path / "wrong"))
    assert code == 2
    assert f"options and {file}: max_tokens: Input should be greater" in err
    assert not (tmp_path / "wrong").exists()


def test_distill_asks_a_teacher_nothing_that_the_suite_asks(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_model: Path,
    queries: Path,
    suite: Path,
) -> None:
    out = tmp_path / "t.jsonl"
    argv = ["distill", str(tiny_model), "--queries", str(queries), "--suite", str(suite)]
    argv += ["--count", "2", "--samples", "1", "--max-tokens", "2", "--out", str(out), "--json"]
    code, text, err = run(capsys, *argv)
    assert (code, json.loads(text)["queries"]) == (0, 2)
    assert f"{queries}: 1 of 73 queries overlap with suite {suite}, removed\n" in err
    asked = [json.loads(line)["prompt"] for line in out.read_text().splitlines()]
    assert asked == ["How much is 0 and 0, say?", "How much is 1 and 1, say?"]


@pytest.mark.parametrize(
    "argv",
    [
        ["train", "on-policy-sft"],
        ["distill", "TINY"],
        ["export", "verl", "org/model"],
        ["export", "llamafactory", "org/model", "--teacher", "t.jsonl"],
    ],
)
def test_nothing_left_is_one_line(
    argv: list[str],
    capsys: pytest.CaptureFixture[str],
    tiny_model: Path,
    queries: Path,
    suite: Path,
) -> None:
    argv = [str(tiny_model) if word == "TINY" else word for word in argv]
    new = queries.parent / "new"
    queries.write_text(queries.read_text().splitlines()[0] + "\n")
    options = ["--queries", str(queries), "--suite", str(suite), "--out", str(new)]
    code, _, err = run(capsys, *argv, *options)
    assert code == 2
    left = f"{queries}: every query (1) overlaps with the evaluation; use other queries or"
    assert left in err
    assert err.count("\n") == 1
    assert not new.exists()


STUDY = """
name = "s"
base = "{base}"
suite = "{suite}"
items = 2
[probe]
items = 3
[arms.on-policy-sft]
steps = 1
"""


def test_a_study_says_where_it_cannot_write_before_its_plan(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_model: Path,
    suite: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(STUDY.format(base=tiny_model, suite=suite))
    Path("dangling").symlink_to("/nonexistent/x")
    for out, said in {
        "/proc/nothing": "can't be created: No such file or directory; name another folder",
        "dangling": "dangling: is a broken symbolic link",
        "x" * 300: "File name too long",
        "a\0b": r"a\0b: can't be a folder: the name contains a null character",
        "study.toml/below": "study.toml: is a file, not a folder; name another --out",
    }.items():
        code, _, err = run(capsys, "study", "study.toml", "--out", out)
        assert (code, err.count("\n")) == (2, 1)
        assert said in err
