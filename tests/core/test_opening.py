"""The one door to files: only regular files are opened, and what can't be read is named."""

import ast
import os
import socket
import threading
from pathlib import Path

import pytest

from transferscope.core import opening
from transferscope.core.errors import InputError
from transferscope.core.opening import check_file, files_below, is_file, lines_of, open_file

SRC = Path(opening.__file__).parents[1]
REMEDY = "name another"


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # an absolute one may be too long


def nothing(path: Path) -> None:
    path.symlink_to("nowhere")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def pipe_behind_a_link(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


KINDS = [
    (fifo, "is a pipe, not a file"),
    (loop, "not readable: Too many levels of symbolic links"),
    (listening, "is a socket, not a file"),
    (nothing, "is a broken symbolic link"),
    (device, "is a device, not a file"),
    (pipe_behind_a_link, "is a pipe, not a file"),
]


@pytest.mark.parametrize(("make", "said"), KINDS)
def test_what_is_no_file_is_refused_without_waiting(make, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results_x.json"
    make(path)
    for refused in (
        lambda: open_file(path, remedy=REMEDY).__enter__(),
        lambda: check_file(path, remedy=REMEDY),
        lambda: is_file(path),
        lambda: list(files_below(tmp_path, lambda name: name.endswith(".json"))),
    ):
        with pytest.raises(InputError) as caught:
            refused()
        assert f"results_x.json: {said}; " in str(caught.value)


def test_a_pipe_that_takes_a_files_place_is_not_waited_for(tmp_path, monkeypatch):
    """Between the look and the opening: with a writer at its other end, or none."""
    path = tmp_path / "a"
    fifo(path)
    monkeypatch.setattr(opening, "check_file", lambda *_, **__: None)
    for writer in (None, threading.Thread(target=lambda: path.open("wb").close(), daemon=True)):
        if writer is not None:
            writer.start()
        with pytest.raises(InputError, match="is a pipe"), open_file(path, remedy=REMEDY):
            raise AssertionError


def test_files_below_are_found_in_order_and_once(tmp_path):
    for name in ("b/2.json", "a/1.json", "a/x/0.json", "3.json", "3.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "again").symlink_to("../b")
    os.mkfifo(tmp_path / "a" / "pipe")  # a name that nobody asked for

    def found(**options):
        every = files_below(tmp_path, lambda name: name.endswith(".json"), **options)
        return [path.relative_to(tmp_path).as_posix() for path in every]

    assert found() == ["3.json", "a/1.json", "a/x/0.json", "b/2.json"]
    assert found(depth=1) == ["3.json", "a/1.json", "b/2.json"]
    assert found(depth=0) == ["3.json"]


def test_a_folder_behind_a_link_is_read(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "1.json").touch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to("../far")
    every = list(files_below(tmp_path / "in", lambda _: True))
    assert every == [tmp_path / "in" / "link" / "1.json"]


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_a_link_back_to_a_folder_above_it_is_named(target, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "back").symlink_to(target)
    with pytest.raises(
        InputError, match="b/back: is a symbolic link to a folder that contains it; remove"
    ):
        list(files_below(tmp_path, lambda _: True))


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "ok").mkdir()
    (tmp_path / "shut").mkdir()
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == "shut":  # root may read everything
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InputError, match="shut: not readable: Permission denied; make it readable"):
        list(files_below(tmp_path, lambda _: True))


def test_no_line_and_no_text_is_read_beyond_its_bound(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"12345\n1234567890")
    monkeypatch.setattr(opening, "MAX_LINE", 6)
    with open_file(path, remedy=REMEDY) as file:
        lines = lines_of(file, path=path, remedy=REMEDY)
        assert next(lines) == b"12345\n"
        with pytest.raises(InputError, match=r"a\.jsonl: a line is longer than 0 MiB"):
            next(lines)
    with pytest.raises(InputError, match="files above 0 MiB are refused"):
        opening.read_bytes(path, remedy=REMEDY, limit=15)
    assert opening.read_bytes(path, remedy=REMEDY, limit=16).endswith(b"0")


def test_a_huge_file_of_holes_is_refused_by_its_size(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="1,048,576 MiB; files above 1,024 MiB are refused"):
        opening.read_bytes(path, remedy=REMEDY)


DOORS = {
    "core/opening.py",  # the door itself
    "core/files.py",  # its writers
    "core/scratch.py",
    "grade/bounded.py",  # the null device
    "grade/sandbox/inside.py",  # runs in the sandbox, without the package
    "grade/sandbox/jail.py",  # a file of the kernel
    "grade/sandbox/session.py",  # the text of inside.py
    "assets.py",  # members of a wheel whose sha256 is known
    # What the package itself carries:
    "core/suite.py",
    "core/taxonomy.py",
    "published/cohort.py",
    "report/html.py",
    "study/study_config.py",
}
OPENERS = {"open", "read_text", "read_bytes", "write_text", "write_bytes"}
WALKS = {"glob", "rglob", "iterdir", "walk", "scandir", "listdir"}
# Of a method: an engine's, a run writer's, a zip's, of the null device; else the door's function.
OURS = {"chosen.open", "RunWriter.open", "archive.open", "os.open", "read_text", "read_bytes"}


def calls(file: Path, names: set[str]) -> set[str]:
    """What is called by one of ``names``: "path.open"."""
    nodes = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    return {
        ast.unparse(node.func)
        for node in nodes
        if getattr(node.func, "attr", getattr(node.func, "id", "")) in names
    }


def test_files_are_opened_through_the_door_only():
    strange = {
        (place, call)
        for file in SRC.rglob("*.py")
        if (place := file.relative_to(SRC).as_posix()) not in DOORS
        for call in calls(file, OPENERS) - OURS
    }
    assert strange == set()


def test_importers_walk_folders_through_the_door_only():
    importers = (SRC / "runs" / "importers").glob("*.py")
    assert [file.name for file in importers if calls(file, WALKS)] == []
