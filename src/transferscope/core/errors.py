"""The package's exceptions and the form of their messages.

    TransferscopeError
    +-- InputError      bad input: names the place and the remedy; exit code 2
    +-- MissingExtra    an optional dependency is not installed; exit code 2

A message is one line: what is wrong, where, and what to do about it. It may contain names from a
third-party file, so it is made safe to display.
"""

from __future__ import annotations

from importlib.util import find_spec

from .shown import sentence

WHAT_LIMIT = 600
"""Maximum number of characters shown of each part of a message."""
_NULL, _SHOWN = "\0", "\\0"


class TransferscopeError(Exception):
    """Base class of every error that this package raises deliberately."""


class InputError(TransferscopeError):
    """The user's input can't be used as it is.

    ``place`` names the file (and the line, column or key); ``remedy`` says what to do.
    """

    def __init__(self, what: str, *, place: str | None = None, remedy: str | None = None) -> None:
        self.what, self.place, self.remedy = what, place, remedy
        where = f"{sentence(place.replace(_NULL, _SHOWN))}: " if place else ""
        parts = [where + sentence(what, WHAT_LIMIT)]
        if remedy:
            parts.append(sentence(remedy, WHAT_LIMIT))
        super().__init__("; ".join(parts))


class MissingExtra(TransferscopeError):
    """A command needs packages from an extra that is not installed."""

    def __init__(self, extra: str, *, needed_for: str) -> None:
        self.extra = extra
        what = f"{needed_for} needs packages that are not installed"
        super().__init__(f"{what}; run: {_installer()} 'transferscope[{extra}]'")


def has_pip() -> bool:
    """Whether this Python has pip; environments created by uv don't."""
    return find_spec("pip") is not None


def _installer() -> str:
    return "pip install" if has_pip() else "uv pip install"
