"""The folder of a trace: one training's steps, cut back to the step that it resumes from."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from .trace_rows import FILE, PREFIX, Row, read_rows, write_rows

_STEP_RUN = re.compile(r"step-(\d+)")
_REMEDY = "choose another out, or remove this one"


def check_unused(out: Path) -> None:
    """Raise :class:`InputError` if ``out`` holds measured steps; a base run is allowed."""
    if (out / FILE).exists() or step_runs(out):
        raise InputError("holds the steps of another training", place=str(out), remedy=_REMEDY)


def cut_back(out: Path, step: int, logged: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of ``out`` up to ``step``, and remove later rows and answers.

    ``logged`` is the resumed training's own log (``TrainerState.log_history``). A row that isn't in
    it belongs to another training: raises :class:`InputError` before anything is removed.
    """
    file = out / FILE
    rows = [row for row in (read_rows(file) if file.is_file() else []) if row.step <= step]
    known = {
        entry["step"]: {name: value for name, value in entry.items() if name.startswith(PREFIX)}
        for entry in logged
        if any(name.startswith(PREFIX) for name in entry)
    }
    for row in rows:
        if known.get(row.step) != row.metrics():
            what = f"step {row.step} was measured in a training other than the resumed one"
            raise InputError(what, place=str(file), remedy=_REMEDY)
    for number, run in step_runs(out).items():
        if number > step:
            shutil.rmtree(run)
    if rows:
        write_rows(file, rows)
    else:
        file.unlink(missing_ok=True)
    return rows


def step_runs(out: Path) -> dict[int, Path]:
    """Return the run folder of every measured step."""
    runs = out / "runs"
    names = sorted(runs.iterdir()) if runs.is_dir() else []
    return {int(match[1]): path for path in names if (match := _STEP_RUN.fullmatch(path.name))}
