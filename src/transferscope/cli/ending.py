"""How a command ends on system errors and signals: full disk, no permission, SIGTERM.

Plugin warnings become lines on stderr here, too.
"""

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
    """One line for a system error, with place and remedy; ``None`` for any other exception."""
    if isinstance(err, MemoryError):
        return str(
            InputError(
                "not enough memory", remedy="use smaller files or a machine with more memory"
            )
        )
    if not isinstance(err, OSError) or err.errno is None:
        return None
    place = err.filename
    if place is None:
        if err.errno not in FULL:
            return None
        place = "standard output"
        with suppress(OSError, ValueError):  # Python's last flush would fail as well
            mute(sys.stdout)
    what = err.strerror or errno.errorcode.get(err.errno) or "system error"
    shown = place.decode(errors="replace") if isinstance(place, bytes) else str(place)
    return str(InputError(what, place=shown, remedy=remedy_of(err)))


@contextmanager
def ended_cleanly() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that temporary files are removed.

    The exit code is 128 plus the signal's number. A handler that is already installed is kept.
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
    """Print each :class:`PluginWarning` as one line on stderr; other warnings are unaffected."""
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
