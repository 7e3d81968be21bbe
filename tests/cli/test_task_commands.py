"""The commands on benchmarks: tables within 80 columns, JSON, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from transferscope.cli import main

BROKEN = """
from transferscope.core.records import Decoding
from transferscope.tasks import Benchmark, Item

PACK = {
    "broken": Benchmark(
        about="all is right",
        items=lambda n, *, seed, data: [Item("1", "?", gold="yes"), Item("2", "?", gold="yes")][:n],
        grade=lambda item, reply: 1.0,
        decoding=Decoding(),
        wrong=lambda item: ["no\\x1b[31m"],
    )
}
"""


def test_the_list_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    main(["tasks"])
    out, err = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[1].split()[:2] == ["mini", "word_problems"]
    assert "transferscope eval MODEL --tasks NAME,NAME --out RUN" in err
    main(["tasks", "--json"])
    rows = {(row["pack"], row["benchmark"]): row for row in json.loads(capsys.readouterr().out)}
    assert rows["mini", "chains"] == {
        "pack": "mini",
        "benchmark": "chains",
        "about": "a sum of three numbers",
        "method": "generate_until",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 96,
        "stop": [],
    }
    assert rows["authors", "HeadQA"]["method"] == "multiple_choice"


def test_the_check_of_mini_passes(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("lm_eval")
    main(["tasks", "check", "--limit", "5", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 12
    assert all(row["passed"] and row["items"] == row["golds"] == 5 for row in rows)


def test_a_wrong_grader_is_told_and_ends_with_1(
    install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    install("benchmarks", "bad", "my_bad:PACK", my_bad=BROKEN)
    with pytest.raises(SystemExit) as stop:
        main(["tasks", "check", "bad"])
    out, err = capsys.readouterr()
    assert stop.value.code == 1
    assert out.splitlines()[1].split() == ["bad", "broken", "2", "2", "2", "2"]
    assert err.count("broken: ") == 2
    assert "broken: 1: the wrong answer" in err
    assert "\x1b" not in out + err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["tasks", "check", "minni"], "no suite 'minni'; did you mean 'mini'?"),
        (["tasks", "check", "real"], "no files gsm8k* for benchmark GSM8K; see what"),
        (["tasks", "check", "theirs.toml"], "suite theirs.toml: contains only lm-eval tasks"),
        (["eval", "m", "--out", "r", "--tasks", ","], "--tasks: names no task"),
        (
            ["eval", "m", "--out", "r", "--tasks", "a", "--suite", "mini"],
            "can't be combined with --suite",
        ),
        (
            ["eval", "m", "--out", "r", "--include-path", "."],
            "--include-path: only applies to lm-eval tasks",
        ),
        (["eval", "m", "--out", "r", "--tasks", "a", "--include-path", "x"], "x: no such folder"),
    ],
)
def test_what_is_refused(
    arguments: list[str],
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRANSFERSCOPE_CACHE", str(tmp_path))
    Path("theirs.toml").write_text(
        'name = "t"\nsource = "g"\n[groups]\ng = ["gsm8k"]\n[benchmarks.gsm8k]\npack = "lm-eval"\n'
    )
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert what in capsys.readouterr().err
    assert not Path("r").exists()
