"""A file layer that fails, or dies, at its k-th step.

Steps are what a writer asks of the system: to open a file for writing, to write, to flush, to sync,
to rename, to make a folder, to cut a file off. The layer lies below Python's own functions, so that
whatever writes goes through it.
"""

import builtins
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


class Killed(BaseException):
    """The process is dead: nobody catches this, and nothing can be done after it."""


class Layer:
    """Counts steps; the ``at``-th raises ``OSError(errno)``, or kills where ``errno`` is ``None``.

    A write that fails has written its first half.
    """

    def __init__(self, at: int, errno: int | None) -> None:
        self.at, self.errno, self.steps, self.dead = at, errno, 0, False
        self.files: list[_File] = []

    def step(self, name: str | None, half: Callable[[], Any] = lambda: None) -> None:
        if self.dead:
            raise Killed
        self.steps += 1
        if self.steps - 1 != self.at:
            return
        half()
        if self.errno is None:
            self.dead = True
            for file in self.files:
                file.abandon()
            raise Killed
        raise OSError(self.errno, os.strerror(self.errno), name)

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.step(str(args[0]) if isinstance(args[0], str | os.PathLike) else None)
            # The disk itself is not waited for: nobody pulls the plug here.
            return None if function is _sync else function(*args, **kwargs)

        return call

    def open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not set(mode) & set("wax+") or isinstance(file, int) or str(file) == os.devnull:
            return _open(file, mode, *args, **kwargs)
        self.step(str(file))
        opened = _File(_open(file, mode, *args, **kwargs), self)
        self.files.append(opened)
        return opened


class _File:
    """A file for writing: its steps are counted."""

    def __init__(self, file: Any, layer: Layer) -> None:
        self._file, self._layer = file, layer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._layer.dead:
            self._file.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def write(self, data: Any) -> int:
        self._layer.step(self._file.name, lambda: self._file.write(data[: len(data) // 2]))
        return int(self._file.write(data))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._layer.step(self._file.name)
        self._file.flush()

    def abandon(self) -> None:
        """As the system does for the dead: closed, unlocked, without what was not yet flushed."""
        if not self._file.closed:
            raw = self._file.detach()
            (raw.detach() if isinstance(raw, io.BufferedWriter) else raw).close()


_open, _sync = io.open, os.fsync
_STEPS = ("fsync", "replace", "rename", "mkdir", "truncate", "unlink", "rmdir")


@contextmanager
def failing(at: int, errno: int | None) -> Iterator[Layer]:
    """Inside, the ``at``-th step of a writer fails (or, without ``errno``, is its last)."""
    layer = Layer(at, errno)
    with mock.patch.object(io, "open", layer.open), mock.patch.object(builtins, "open", layer.open):
        patches = [mock.patch.object(os, name, layer.counted(getattr(os, name))) for name in _STEPS]
        for patch in patches:
            patch.start()
        try:
            yield layer
        finally:
            for patch in patches:
                patch.stop()
