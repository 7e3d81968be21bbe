"""A full disk, no permission, an interrupt or a kill at every step of every writer.

What fails says so in one line with the file and what to do; what was there before is there still;
nothing passing is left by the next start; and the next start ends in what an undisturbed one gives.
"""

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.files import write_atomically
from transferscope.runs import read_run
from transferscope.runs.importers import import_results

from .bounds import EXAMPLES
from .faults import Killed, failing
from .mutants import write
from .test_inputs import SOURCES, ran

REFUSED = (errno.ENOSPC, errno.EACCES, errno.EINTR, errno.EROFS, errno.EIO)
TEXTS = {
    errno.ENOSPC: "No space left on device",
    errno.EACCES: "Permission denied",
    errno.EINTR: "Interrupted system call",
    errno.EROFS: "Read-only file system",
    errno.EIO: "Input/output error",
}
STRIDE = 1 if EXAMPLES else 7
"""Of a report's steps one in so many is tried."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with answers of two benchmarks."""
    return write(SOURCES["jsonl"], tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def good(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of an undisturbed import."""
    return import_results(source, tmp_path_factory.mktemp("good") / "run").path


def steps_of(work: Callable[[], Any]) -> int:
    """Number of steps that ``work`` takes when nothing fails."""
    with failing(-1, errno.EIO) as layer:
        work()
    return layer.steps


def trials(steps: int) -> list[tuple[int, int | None]]:
    """(step, errno or ``None`` for a kill): every step fails and is a last one."""
    kinds: list[int | None] = []
    for at in range(steps):
        kinds.append(REFUSED[at % len(REFUSED)])
    pairs = [(at, kind) for at, kind in enumerate(kinds)] + [(at, None) for at in range(steps)]
    if EXAMPLES:
        pairs += [(at, kind) for at in range(steps) for kind in REFUSED]
    return pairs


def failed(
    work: Callable[[], Any], at: int = -1, kind: int | None = 0
) -> InputError | Killed | None:
    """How ``work`` ended, with a failure at a step."""
    try:
        with failing(at, kind):
            work()
    except (InputError, Killed) as error:
        return error
    return None


def left(folder: Path) -> list[str]:
    """What a writer left of its passing files."""
    return [path.name for path in folder.rglob("*") if path.suffix in (".tmp", ".partial")]


def test_an_import_that_fails_or_dies_goes_on_where_it_stopped(
    source: Path, good: Path, tmp_path: Path
) -> None:
    expected = read_run(good)
    out = tmp_path / "run"
    steps = steps_of(lambda: import_results(source, out))
    assert steps > 15  # or the layer misses the writers
    for at, kind in trials(steps):
        shutil.rmtree(out, ignore_errors=True)
        error = failed(lambda: import_results(source, out), at, kind)
        if isinstance(error, InputError):
            assert TEXTS[kind or 0] in str(error)
            assert str(out) in str(error)
            assert error.remedy
            assert left(out) == []
        elif kind is not None:  # a step that a writer may do without
            assert read_run(out).outcomes == expected.outcomes
        if (out / "run.json").exists() and (error := failed(lambda: read_run(out))) is not None:
            assert "unfinished run" in str(error)
        import_results(source, out)
        assert read_run(out).outcomes == expected.outcomes
        for name in expected.by_benchmark:
            assert read_run(out).responses(name) == expected.responses(name)
        assert left(out) == []


def reports(good: Path, folder: Path) -> list[tuple[list[Any], list[Path]]]:
    """Commands that write files, and the files."""
    names = {kind: folder / f"r.{kind}" for kind in ("html", "md", "csv", "xml")}
    (folder / "policy.toml").write_text("[guards.math]\nmargin = 2.0\n")
    kinds = ("html", "md", "csv") if EXAMPLES else ("md", "csv")
    options = [part for kind in kinds for part in (f"--{kind}", names[kind])]
    draws = ["--replicates", "200"]
    gate = ["gate", good, good, "--policy", folder / "policy.toml", *draws]
    return [
        (["compare", good, good, *draws, *options], [names[k] for k in kinds]),
        ([*gate, "--md", names["md"], "--junit", names["xml"]], [names["md"], names["xml"]]),
    ]


@pytest.mark.parametrize("at", range(2))
def test_a_report_is_written_whole_or_the_old_one_stays(
    at: int, good: Path, tmp_path: Path
) -> None:
    argv, files = reports(good, tmp_path)[at]
    ran(*argv)
    whole = {file: file.read_bytes() for file in files}
    steps = steps_of(lambda: ran(*argv))
    assert steps >= 5 * len(files)
    for step, kind in trials(steps)[at % STRIDE :: STRIDE]:
        for file in files:
            file.write_bytes(b"old")
        try:
            with failing(step, kind):
                code, text = ran(*argv)
        except Killed:
            assert kind is None
        else:
            assert kind is not None
            if code == 2:
                assert TEXTS[kind] in text
                assert any(str(file) in text for file in files)
            assert left(tmp_path) == []
        for file in files:
            assert file.read_bytes() in (b"old", whole[file]) or b"NOT JUDGED" in file.read_bytes()
        ran(*argv)
        assert {file: file.read_bytes() for file in files} == whole
        assert left(tmp_path) == []


def test_an_export_that_fails_says_where(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "eee"
    steps = steps_of(lambda: ran("export", "eee", good, "--out", out))
    for step, kind in trials(steps)[::STRIDE]:
        try:
            with failing(step, kind):
                code, text = ran("export", "eee", good, "--out", out)
        except Killed:
            continue
        if code == 2:
            assert TEXTS[kind or 0] in text
            assert str(out) in text


def test_passing_runs_of_the_dead_are_removed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison imports into a folder of the system's; killed, it leaves it to the next one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    argv = ["compare", source, source, "--replicates", "200"]
    steps = steps_of(lambda: ran(*argv))
    assert list(tmp_path.iterdir()) == []
    for step in range(0, steps, STRIDE):
        with pytest.raises(Killed), failing(step, None):
            ran(*argv)
    assert len(list(tmp_path.iterdir())) <= 2  # both of the last
    (tmp_path / "transferscope-mine").mkdir()
    (tmp_path / "transferscope-12345678").mkdir()
    (tmp_path / "transferscope-12345678" / "mine").touch()
    ran(*argv)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"transferscope-mine", "transferscope-12345678"}


def test_a_failed_write_names_the_file_and_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_atomically(file, json.dumps({"kept": 1}))
    said = f"{file}: can't be written: No space left on device; free some space"
    for at in range(steps_of(lambda: write_atomically(tmp_path / "b.json", ["1", "2"]))):
        with pytest.raises(InputError) as caught, failing(at, errno.ENOSPC):
            write_atomically(file, ["new", "text"])
        assert str(caught.value).startswith(said)
        assert json.loads(file.read_text()) == {"kept": 1}
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]
