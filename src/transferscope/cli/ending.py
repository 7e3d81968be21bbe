"""What a command does about events outside it: system errors, requests to stop, plugin warnings."""

from __future__ import annotations

import errno
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from ..core.errors import InputError
from ..core.files import FULL, remedy_of
from ..core.plugins import PluginWarning
from .shared import mute, say

_SIGNALS = ("SIGTERM", "SIGHUP")


def refusal(err: Exception) -> str | None:
    """The line for what the system refused, with the place and the remedy; ``None`` for others."""
    if isinstance(err, MemoryError):
        return str(InputError("not enough memory", remedy="name smaller files"))
    if not isinstance(err, OSError) or err.errno is None:
        return None
    place = err.filename
    if place is None:
        if err.errno not in FULL:
            return None
        place = "the standard output"
        with suppress(OSError, ValueError):  # or Python's own last flush would fail, too
            mute(sys.stdout)
    what = f"not possible: {err.strerror or errno.errorcode.get(err.errno)}"
    shown = place.decode(errors="replace") if isinstance(place, bytes) else str(place)
    return str(InputError(what, place=shown, remedy=remedy_of(err)))


@contextmanager
def ended_cleanly() -> Iterator[None]:
    """Inside, a request to stop (SIGTERM, SIGHUP) ends blocks in order: nothing passing is left.

    The exit code is that of the signal, 128 and its number. A handler that is there already stays.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
            if signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def plugin_warnings_as_lines() -> Iterator[None]:
    """Inside, a :class:`PluginWarning` is one line on stderr; other warnings look as before."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", PluginWarning)
        before = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, PluginWarning):
                say(f"transferscope: {message}")
            else:
                before(message, category, *place, **more)

        warnings.showwarning = show
        yield


def _stop(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
