"""Grading in threads: as in the main thread, and never for ever."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from transferscope.grade import bounded
from transferscope.grade.maths import is_correct


def in_thread(*args: str) -> bool:
    verdicts: list[bool] = []
    worker = threading.Thread(target=lambda: verdicts.append(is_correct(*args)))
    worker.start()
    worker.join()
    return verdicts[0]


@pytest.fixture
def child() -> Iterator[bounded.Child]:
    found = bounded.Child(limit=1.0)
    yield found
    found.end()


def test_a_thread_gets_the_verdicts_of_the_main_thread() -> None:
    integral = (r"\boxed{\int_0^1 x\,dx}", r"\frac{1}{2}")  # which math-verify is asked about
    for pair in (integral, (r"\boxed{\sqrt{8}}", r"2\sqrt{2}"), ("no", "x^2")):
        assert in_thread(*pair) is is_correct(*pair)


def test_a_child_that_runs_over_ends_and_the_next_one_answers(child: bounded.Child) -> None:
    assert child.equivalent("x", "x")
    process = child._process
    began = time.monotonic()
    # Its watchdog is set to less than math-verify's own limit.
    assert not child.equivalent("9^{9^{9^9}}", r"\frac{1}{3}")
    assert 0.9 < time.monotonic() - began < 4.5
    assert process.poll() is not None
    assert child._process is None
    assert child.equivalent("x", "x")
    child._process.kill()  # by whomever: a right answer stays right
    child._process.wait()
    assert child.equivalent("x", "x")


def test_threads_take_turns(child: bounded.Child) -> None:
    found: dict[int, bool] = {}

    def ask(at: int) -> None:
        found[at] = child.equivalent(f"x + {at}", f"x + {at - at % 2}")

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {at: at % 2 == 0 for at in range(8)}


def test_a_child_that_cannot_start_is_no_verdict(
    child: bounded.Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "_CODE", "raise SystemExit")
    with pytest.raises(OSError, match="exited at startup"):
        child.equivalent("x", "x")


def test_a_fork_has_a_child_of_its_own() -> None:
    assert in_thread(r"\boxed{\int_0^1 x\,dx}", r"\frac{1}{2}")
    mine = bounded._child
    bounded._forget()  # what a fork calls
    try:
        assert bounded._child is not mine
        assert in_thread(r"\boxed{\int_0^1 x\,dx}", r"\frac{1}{2}")
        assert bounded._child._process.pid != mine._process.pid
    finally:
        bounded._child.end()
        bounded._child = mine


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_child_ends_with_its_parent() -> None:
    code = (
        "import threading\nfrom transferscope.grade import bounded, maths\n"
        "t = threading.Thread(target=maths.is_correct, args=(r'\\boxed{\\sum_{k=1}^{3} k}', '6'))\n"
        "t.start(); t.join(); print(bounded._child._process.pid, flush=True)\n"
        "import os; os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    until = time.monotonic() + 10
    while (lives := alive(pid)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not lives
