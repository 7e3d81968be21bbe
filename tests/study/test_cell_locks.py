"""Cells are shared between processes: busy ones come last, starts before what starts from them."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.files import holding
from transferscope.study.cell_locks import cell_lock, each_once
from transferscope.study.study_config import Cell

FIRST = Cell("a", "a", None)
CELLS = [FIRST, Cell("b", "b", None, start=FIRST), Cell("c", "c", None)]


def test_alone_in_order(tmp_path: Path) -> None:
    ran: list[str] = []
    each_once(CELLS, tmp_path, lambda cell: ran.append(cell.name))
    assert ran == ["a", "b", "c"]


def test_a_busy_cell_and_what_starts_from_it_come_last(tmp_path: Path) -> None:
    ran: list[str] = []
    with holding(cell_lock(tmp_path, "a"), wait=False) as mine:
        assert mine
        worker = threading.Thread(
            target=each_once, args=(CELLS, tmp_path, lambda cell: ran.append(cell.name))
        )
        worker.start()
        worker.join(0.5)
        assert worker.is_alive()  # it waits for a
        assert ran == ["c"]
    worker.join(20)
    assert ran == ["c", "a", "b"]


def test_no_cell_is_run_by_two_at_a_time(tmp_path: Path) -> None:
    cells = [Cell(f"cell{n}", "arm", None) for n in range(12)]
    inside, overlaps, finished = set(), [], set()

    def run(cell: Cell) -> None:
        if cell.name in inside:
            overlaps.append(cell.name)
        inside.add(cell.name)
        threading.Event().wait(0.01)
        inside.remove(cell.name)
        finished.add(cell.name)

    workers = [threading.Thread(target=each_once, args=(cells, tmp_path, run)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert not overlaps
    assert finished == {cell.name for cell in cells}


def test_a_cell_that_fails_does_not_keep_the_others_back(tmp_path: Path) -> None:
    ran: list[str] = []

    def run(cell: Cell) -> None:
        if cell.name == "a":
            raise InputError("the weights are not finite", place="model.safetensors")
        ran.append(cell.name)

    with pytest.raises(InputError) as failed:
        each_once(CELLS, tmp_path, run)
    assert ran == ["c"]  # b starts from a
    assert str(failed.value) == (
        "a: model.safetensors: the weights are not finite (1 more model failed); "
        "fix or remove the arm; use --so-far to report on the others"
    )


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path;"
        "from transferscope.core.files import holding\n"
        "from transferscope.study.cell_locks import cell_lock\n"
        "with holding(cell_lock(Path(sys.argv[1]), 'a'), wait=False):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with holding(cell_lock(tmp_path, "a"), wait=False) as mine:
            assert not mine
        other.kill()
        other.wait()
        with holding(cell_lock(tmp_path, "a"), wait=False) as mine:
            assert mine


def test_a_disk_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import filelock

    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with (
        pytest.raises(InputError, match="does not support file locks; name another --out"),
        holding(cell_lock(tmp_path, "a"), wait=False),
    ):
        pass
