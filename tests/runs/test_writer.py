"""One writer at a time, answers that failed, further items."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import Failure, ModelRef, Outcome, Response
from transferscope.runs import RunWriter, read_run
from transferscope.runs.writer import claimed

from .test_run_folder import COLOURS, SAID, SUMS, manifest, write

FAILED = Failure("sums", "c", 0, "answered 500")


def test_a_second_writer_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    with claimed(tmp_path / "run"):
        told = f"run: process {os.getpid()} on .* is writing to it; wait for it to finish, or name"
        with pytest.raises(InputError, match=told), claimed(tmp_path / "run"):
            raise AssertionError
        write(tmp_path / "run")
    with claimed(tmp_path / "run"):
        pass
    assert sorted(p.name for p in (tmp_path / "run").iterdir() if p.is_file()) == [
        ".run.lock",
        "outcomes.jsonl",
        "run.json",
    ]


def test_a_lock_of_a_dead_process_is_none(tmp_path: Path) -> None:
    script = (
        "import os, sys, signal\n"
        "from transferscope.runs.writer import claimed\n"
        "with claimed(sys.argv[1]):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "run")], check=False)
    assert done.returncode == -9
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [".run.lock", ".run.writer"]
    with claimed(tmp_path / "run"):
        assert f"process {os.getpid()} " in (tmp_path / "run" / ".run.writer").read_text()
        write(tmp_path / "run")
    assert read_run(tmp_path / "run").manifest.status == "complete"


def test_a_claim_that_came_to_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), claimed(tmp_path / "run"):
        raise KeyError
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "mine.tex").touch()
    with (
        pytest.raises(InputError, match=r"contains files but no run\.json"),
        claimed(tmp_path / "thesis"),
    ):
        raise AssertionError
    assert [p.name for p in tmp_path.rglob("*")] == ["thesis", "mine.tex"]


def test_an_answer_that_failed_is_an_outcome_without_a_score(tmp_path: Path) -> None:
    with RunWriter.open(tmp_path, manifest()) as writer:
        writer.write_benchmark("sums", SUMS, SAID, [FAILED])
    lines = (tmp_path / "outcomes.jsonl").read_text().splitlines()
    assert json.loads(lines[2]) == {
        "benchmark": "sums",
        "id": "c",
        "repeat": 0,
        "score": None,
        "failed": "answered 500",
    }
    run = read_run(tmp_path)
    assert (run.outcomes, run.failures, run.manifest.failed) == (tuple(SUMS), (FAILED,), 1)
    assert run.failed == {"sums": (FAILED,)}
    assert run.manifest.complete["sums"].n == 3


def test_what_a_benchmark_lacked_is_added(tmp_path: Path) -> None:
    with RunWriter.open(tmp_path, manifest()) as writer:
        writer.write_benchmark("sums", SUMS, SAID, [FAILED])
        writer.write_benchmark("colours", COLOURS)
    late, more = Outcome("sums", "c", 1.0), Failure("sums", "d", 0, "no content")
    with RunWriter.open(tmp_path, manifest(limit=4)) as writer:
        writer.add("sums", [late], [Response("c", 0, "3+3?", "6")], [more])
    run = read_run(tmp_path)
    assert run.outcomes == (*SUMS, *COLOURS, late)
    assert (run.failures, run.manifest.failed, run.manifest.limit) == ((more,), 1, 4)
    assert [r.response for r in run.responses("sums").values()] == [
        *(r.response for r in SAID),
        "6",
    ]
    with RunWriter.open(tmp_path, manifest(limit=4)) as writer:
        writer.add("sums", [Outcome("sums", "d", 0.0)], [], [])
    assert read_run(tmp_path).manifest.failed == 0


def test_killed_while_more_is_added(tmp_path: Path) -> None:
    """The run was complete before: what a kill leaves is unfinished, not changed by somebody."""
    write(tmp_path)
    writer = RunWriter.open(tmp_path, manifest())
    with pytest.raises(
        ValueError, match="those of another benchmark"
    ):  # after the status, before any line
        writer.add("sums", COLOURS, [], [])
    with (tmp_path / "outcomes.jsonl").open("ab") as file:
        file.write(b'{"benchmark": "su')
    with pytest.raises(InputError, match=r"unfinished run .*start the same command again"):
        read_run(tmp_path)
    with RunWriter.open(tmp_path, manifest()):
        pass
    assert read_run(tmp_path).outcomes == (*SUMS, *COLOURS)


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "responses" / ".sums.jsonl.0a1b2c3d.tmp").write_text("half")
    (tmp_path / ".run.json.0a1b2c3d.tmp").write_text("half")
    (tmp_path / ".answers.sums.jsonl").write_text("")
    with RunWriter.open(tmp_path, manifest()):
        pass
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == [
        "outcomes.jsonl",
        "run.json",
        "sums.jsonl",
    ]


def test_a_run_with_answers_but_no_benchmark_does_not(tmp_path: Path) -> None:
    """They were paid for: another run would drop them without a word."""
    RunWriter.open(tmp_path, manifest())
    kept = tmp_path / ".answers.sums.jsonl"
    kept.write_text('{"key": ["a", 0, 0], "answer": {"text": "2"}}\n')
    with pytest.raises(
        InputError, match="a different seed: it has 1, requested 2; name another folder"
    ):
        RunWriter.open(tmp_path, manifest(seed=2))
    RunWriter.open(tmp_path, manifest())
    assert kept.stat().st_size > 0


def test_a_run_of_nothing_gives_way(tmp_path: Path) -> None:
    """A model's name was misspelt: nothing was measured, so nothing is kept from the right one."""
    RunWriter.open(tmp_path, manifest(model=ModelRef("mm")))
    (tmp_path / ".answers.sums.jsonl").touch()
    with RunWriter.open(tmp_path, manifest()) as writer:
        assert not (tmp_path / ".answers.sums.jsonl").exists()
        writer.write_benchmark("sums", SUMS)
    assert read_run(tmp_path).manifest.model.name == "m"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ({"failed": 3}, "a failed answer needs benchmark, id, repeat, a null score and a reason"),
        ({"score": 0.5}, "a failed answer needs"),
        ({"tokens": 3}, "a failed answer needs"),
        ({"failed": "a\n\x1b[31mb"}, "the reason of a failed answer must be one printable line"),
        ({"failed": "x" * 1001}, "the reason of a failed answer must be one printable line"),
    ],
)
def test_failed_lines_that_are_refused(tmp_path: Path, line: dict, what: str) -> None:
    with RunWriter.open(tmp_path, manifest()) as writer:
        writer.write_benchmark("sums", [], [], [FAILED])
    good = {"benchmark": "sums", "id": "c", "repeat": 0, "score": None, "failed": "why"}
    text = json.dumps(good | line) + "\n"
    (tmp_path / "outcomes.jsonl").write_text(text)
    raw = json.loads((tmp_path / "run.json").read_text())
    raw["complete"]["sums"]["outcomes_bytes"] = len(text)
    (tmp_path / "run.json").write_text(json.dumps(raw))
    with pytest.raises(InputError, match=what) as error:
        read_run(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'outcomes.jsonl'}:1: ")
