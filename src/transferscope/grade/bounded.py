"""math-verify for graders in threads: in a child process that exits after a time limit.

math-verify's own time limits are signals, which only a main thread receives. A reward that is
called in a worker thread, as verl's managers do, would wait forever for ``9^{9^{9^9}}``. The child
compares in its main thread, under the same limits as an evaluation. C code that never returns to
Python ignores those limits; faulthandler's watchdog then ends the child, since the watchdog needs
neither signals nor Python.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from .math_verify_call import equivalent_here

LIMIT = 20.0
"""Seconds for one comparison; math-verify's own limits (``SECONDS`` per step) apply first."""

_CODE = "from transferscope.grade.bounded import serve; serve()"


class Child:
    """A child process, started at the first comparison and restarted after it has ended."""

    def __init__(self, limit: float = LIMIT) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def equivalent(self, answer: str, gold: str) -> bool:
        """Whether math-verify finds both equal; ``False`` after the time limit. Threads take turns.

        Raises :class:`OSError` if the child process can't be started.
        """
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self._end()  # killed from outside, not because of this answer
            if self._process is None:
                self._start()
            verdict = self._asked(json.dumps([answer, gold, self.limit]))
            if not verdict:
                self._end()
            return verdict == "True\n"

    def end(self) -> None:
        """Kill the process if it is running."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        # Not multiprocessing, whose children run the caller's main module again.
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C reaches only the parent; the child ends with its input
        )
        # Wait for the start here, so that it does not count towards a comparison's limit.
        if not self._asked(json.dumps(["x", "x", 0.0])):
            self._end()
            raise OSError("the child process that compares LaTeX answers exited at startup")

    def _asked(self, line: str) -> str:
        """The child's answer; empty if the child has ended."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(line + "\n")
            process.stdin.flush()
        return process.stdout.readline()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(BrokenPipeError), self._process:  # closes the pipes, waits
                self._process = None


def serve() -> None:
    """Run in the child: write one verdict to stdout for every line of stdin."""
    verdicts = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # keeps a library's output apart from the verdicts
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        for line in sys.stdin:
            answer, gold, limit = json.loads(line)
            if limit:
                faulthandler.dump_traceback_later(limit, exit=True, file=nowhere)
            verdict = equivalent_here(answer, gold)
            faulthandler.cancel_dump_traceback_later()
            print(verdict, file=verdicts, flush=True)


_child = Child()
atexit.register(lambda: _child.end())  # noqa: PLW0108 - a fork has another


def _forget() -> None:
    """Give a forked process its own child: it must not write to its parent's pipes."""
    global _child  # noqa: PLW0603 - one per process
    _child = Child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def equivalent(answer: str, gold: str) -> bool:
    """:meth:`Child.equivalent`, asked of the child of this process."""
    return _child.equivalent(answer, gold)
