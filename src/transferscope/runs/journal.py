"""A journal of answers to a benchmark that is not committed yet, one line per answer.

Answers that were paid for survive a server failure, Ctrl-C or a kill. A line that a kill truncated
is dropped. The file is removed once the benchmark is committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import appending, is_file, json_lines, read_bytes, refusing

PREFIX, SUFFIX = ".answers.", ".jsonl"

Key = tuple[str, int, int]
"""Item id, request number (each option of a multiple choice is one request), and repeat."""


class Journal:
    """Answers by key, including those from an earlier start. Open it with :func:`journal`."""

    def __init__(self, file: Any, path: Path, answers: dict[Key, Mapping[str, Any]]) -> None:
        self._file, self._path, self.answers = file, path, answers

    def add(self, key: Key, answer: Mapping[str, Any]) -> None:
        """Record ``answer`` (JSON). Raises :class:`InputError` if it can't be written."""
        line = json.dumps({"key": key, "answer": answer}, ensure_ascii=False)
        with refusing(self._path, "can't be written"):
            self._file.write(line.encode() + b"\n")
            self._file.flush()
        self.answers[key] = answer


@contextmanager
def journal(folder: Path, benchmark: str) -> Iterator[Journal]:
    """Open the journal of ``benchmark`` in ``folder``; remove it if the block succeeds."""
    path = folder / f"{PREFIX}{benchmark}{SUFFIX}"
    answers, whole = _read(path)
    with appending(path) as file:
        file.truncate(whole)
        yield Journal(file, path, answers)
    path.unlink()


def holds_answers(folder: Path) -> bool:
    """Whether ``folder`` has answers that were paid for but not committed yet."""
    files = folder.glob(f"{PREFIX}*{SUFFIX}")
    return any(is_file(file) and file.stat().st_size > 0 for file in files)


def drop_journals(folder: Path) -> None:
    """Remove the journals that another run left behind."""
    for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
        path.unlink()


def _read(path: Path) -> tuple[dict[Key, Mapping[str, Any]], int]:
    """The answers, and the length of their lines in bytes: all up to the first invalid line."""
    content = read_bytes(path, remedy="remove it") if is_file(path) else b""
    lines = content.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    found: dict[Key, Mapping[str, Any]] = {}
    whole = 0
    try:
        for (_, row), line in zip(json_lines(lines, path=path, remedy=""), lines, strict=False):
            (id_, part, repeat), answer = row["key"], row["answer"]
            found[str(id_), int(part), int(repeat)] = dict(answer)
            whole += len(line)
    except (InputError, KeyError, TypeError, ValueError):
        pass
    return found, whole
