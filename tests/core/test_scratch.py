"""What a killed writer leaves is told from what is being written, and removed by the next one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from transferscope.core.files import write_atomically, write_json
from transferscope.core.scratch import is_scratch, remove_left, scratch_folder

DYING = """
import os, sys
from pathlib import Path
from transferscope.core.files import write_atomically
from transferscope.core.scratch import scratch_folder
def pieces():
    yield "half"
    print("writing", flush=True)
    if sys.argv[2] == "wait":
        sys.stdin.read()
    os.kill(os.getpid(), 9)
with scratch_folder(Path(sys.argv[1]).parent) as folder:
    (folder / "run").mkdir()
    (folder / "run" / "run.json").touch()
    write_atomically(Path(sys.argv[1]), pieces())
"""


def started(file: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DYING, str(file), how]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def test_a_living_writers_files_stay_and_a_killed_ones_go(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    process = started(file, "wait")
    write_json(file, {"mine": 1})
    with scratch_folder(tmp_path):
        pass
    there = sorted(path.name for path in tmp_path.iterdir())
    assert len(there) == 3  # its scratch file, its folder, and what was written meanwhile
    assert is_scratch(Path(there[0]), of="a.json")
    assert there[2].startswith("transferscope-")
    process.communicate("")  # it kills itself
    assert sorted(path.name for path in tmp_path.iterdir()) == there
    write_json(file, {"mine": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == there[1:]
    with scratch_folder(tmp_path) as mine:
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.json", mine.name])
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_only_scratch_files_of_that_name_are_removed(tmp_path: Path) -> None:
    names = [".a.json.0123abcd.tmp", ".b.json.0123abcd.tmp", ".a.json.tmp", "a.json.0123abcd.tmp"]
    for name in names:
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / ".a.json.89abcdef.tmp")
    remove_left(tmp_path, of="a.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names[1:]])
    remove_left(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names[2:])


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    for name in ("x" * 255, "é" * 127):
        write_atomically(tmp_path / name, "text")
        assert (tmp_path / name).read_text() == "text"
    assert len(list(tmp_path.iterdir())) == 2


STOPPED = """
import sys, time
from pathlib import Path
from transferscope.cli.ending import ended_cleanly
from transferscope.core.scratch import scratch_folder
with ended_cleanly(), scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "part").touch()
    print("there", flush=True)
    time.sleep(60)
"""


def test_a_request_to_stop_leaves_no_passing_folder(tmp_path: Path) -> None:
    """SIGTERM, while a command uses a temporary folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    assert len(list(tmp_path.glob("*/part"))) == 1
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert err == b""
    assert list(tmp_path.iterdir()) == []
