"""The harness outside: launch a sandbox, feed it inputs, read outputs within bounds.

One launch serves all inputs of a program. Everything that comes out of the sandbox is checked: a
program may have taken it over.
"""

from __future__ import annotations

import marshal
import os
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

from . import inside
from .jail import Jail, launch
from .limits import Limits

START_SECONDS = 30.0
GRACE_SECONDS = 10.0
"""How much longer than a run's longest wall time its reply may take."""


@cache
def _first_process() -> tuple[str, bytes]:
    """Python that reads the first process's bytecode from its input, and that bytecode."""
    text = Path(inside.__file__).read_text(encoding="utf-8")
    code = marshal.dumps(compile(text, "sandbox.py", "exec"))
    load = (
        f"import marshal, os\nx = b''\nwhile len(x) < {len(code)}: "
        f"x += os.read(0, {len(code)} - len(x))\nexec(marshal.loads(x))"
    )
    return load, code


class Ending(Enum):
    """How a program's run has ended."""

    READY = inside.READY
    EXITED = inside.EXITED
    SIGNALLED = inside.SIGNALLED
    COMPILE = inside.COMPILE
    TIMEOUT = inside.TIMEOUT
    MEMORY = inside.MEMORY


class Broken(Exception):
    """The sandbox has ended, or replied nonsense, while it had a program to run."""


class NotStarted(Exception):
    """The sandbox has ended before it had read its program."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Python program; with a ``function``, the lines of an input are its arguments as JSON.

    ``prelude`` lets it use common names of the standard library without importing them.
    """

    code: str
    function: str = ""
    prelude: bool = True


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of a run. ``number`` is the exit code or signal, ``seconds`` is CPU time.

    ``errors`` is the end of standard error.
    """

    ending: Ending
    number: int
    seconds: float
    output: bytes
    errors: str


class Session:
    """A running sandbox with its program. Use :func:`session` to open one."""

    def __init__(self, process: Popen[bytes], limits: Limits) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._limits = process, limits
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        for pipe in (self._in, self._out):
            os.set_blocking(pipe, False)

    def start(self, job: bytes) -> Ran:
        """Send the program, which is compiled, and return how that has ended.

        Raises :class:`NotStarted` before the sandbox has read it, else :class:`Broken`.
        """
        try:
            self._asked(job, START_SECONDS, _first_process()[1])
        except Broken:
            raise NotStarted(self._complaint()) from None
        return self._reply(time.monotonic() + self._longest)

    def run(self, data: bytes) -> Ran:
        """Run the program on one input. Raises :class:`Broken`."""
        return self._asked(data, self._longest)

    @property
    def _longest(self) -> float:
        """Seconds after which the sandbox itself must be at fault."""
        return self._limits.wall * inside.STARVED + GRACE_SECONDS

    def _asked(self, data: bytes, seconds: float, first: bytes = b"") -> Ran:
        deadline = time.monotonic() + seconds
        view = memoryview(first + len(data).to_bytes(8, "big") + data)
        while view:
            self._wait(self._in, select.POLLOUT, deadline)
            try:
                view = view[os.write(self._in, view) :]
            except BrokenPipeError:
                raise Broken("it has closed its input") from None
        return self._reply(deadline)

    def _reply(self, deadline: float) -> Ran:
        header = self._read(sum(inside.HEADER), deadline)
        numbers: list[int] = []
        for size in inside.HEADER:
            numbers.append(int.from_bytes(header[:size], "big"))
            header = header[size:]
        status, number, milliseconds, output, errors = numbers
        if output > self._limits.output or errors > inside.ERRORS_KEPT:
            raise Broken("its reply is too long")
        if status not in _ENDINGS:
            raise Broken("its reply has an unknown status")
        return Ran(
            _ENDINGS[status],
            number,
            milliseconds / 1000,
            self._read(output, deadline),
            self._read(errors, deadline).decode("utf-8", "replace"),
        )

    def _read(self, size: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while size:
            self._wait(self._out, select.POLLIN, deadline)
            part = os.read(self._out, min(size, 1 << 20))
            if not part:
                raise Broken("it has ended")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, file: int, event: int, deadline: float) -> None:
        events = select.poll()
        events.register(file, event)
        if not events.poll(max(0.0, 1000 * (deadline - time.monotonic()))):
            raise Broken("it does not reply")

    def _complaint(self) -> str:
        """The last line that a sandbox which has not started wrote to standard error."""
        self._process.kill()
        assert self._process.stderr is not None
        lines = self._process.stderr.read(1 << 16).decode("utf-8", "replace").split("\n")
        return next(
            (line.strip() for line in reversed(lines) if line.strip()), "it gives no reason"
        )


_ENDINGS = {ending.value: ending for ending in Ending}


@contextmanager
def session(jail: Jail, program: Program, limits: Limits) -> Iterator[tuple[Session, Ran]]:
    """Launch ``jail`` with ``program``: the session, and how compiling the program has ended.

    All processes end with the context. Raises :class:`NotStarted` if the sandbox doesn't start.
    """
    with ExitStack() as stack:
        folder = jail.folder or stack.enter_context(TemporaryDirectory(prefix="transferscope-"))
        job = {
            "code": program.code,
            "function": program.function,
            "prelude": program.prelude,
            "folder": folder,
            "user": jail.user,
            "cpu": limits.cpu,
            "wall": limits.wall,
            "memory": limits.memory,
            "output": limits.output,
            "files": limits.files,
            # Without a jail, the kernel would count all processes of the user.
            "processes": limits.processes if jail.bwrap else None,
        }
        try:
            process = launch(
                jail, _first_process()[0], limits, folder if jail.bwrap is None else "/"
            )
        except OSError as err:
            raise NotStarted(str(err)) from None
        with process:
            try:
                opened = Session(process, limits)
                yield opened, opened.start(marshal.dumps(job))
            finally:
                process.kill()
                with suppress(OSError):
                    process.communicate()
