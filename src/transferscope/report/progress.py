"""Progress with the time left, on stderr: a bar on a terminal, an occasional line in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..core.records import Tick
from .escaping import name

QUIET_SECONDS = 30.0
"""Longest time between two lines in a log while work continues."""


def duration(seconds: float) -> str:
    """``75`` -> ``1 min 15 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@contextmanager
def progress() -> Iterator[Tick]:
    """Yield a ``tick(what, done, total)`` that shows progress while the block runs."""
    with _bar() if sys.stderr.isatty() else _lines() as tick:
        yield tick


@contextmanager
def _bar() -> Iterator[Tick]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("  {task.description}", markup=False),  # names are not markup
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )
    tasks: dict[str, TaskID] = {}
    finished: set[str] = set()

    def tick(what: str, done: int, total: int) -> None:
        what = name(what)
        if done >= total:
            if what in tasks:  # removed to make room for the next bar
                took = bar.tasks[bar.task_ids.index(tasks[what])].elapsed or 0.0
                bar.remove_task(tasks.pop(what))
                line = f"  {what}: {done}/{total} in {duration(took)}"
                bar.console.print(line, markup=False)
            finished.add(what)
            return
        if done > 0 and what in finished:
            return
        finished.discard(what)
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)

    with bar:
        yield tick


@contextmanager
def _lines() -> Iterator[Tick]:
    began: dict[str, float] = {}
    shown: dict[str, float] = {}

    def tick(what: str, done: int, total: int) -> None:
        what = name(what)
        now = time.monotonic()
        if done >= total:
            if what in began:
                line = f"  {what}: {done}/{total} in {duration(now - began.pop(what))}"
                print(line, file=sys.stderr, flush=True)
            return
        start = began.setdefault(what, now)
        if now - shown.get(what, start) < QUIET_SECONDS:
            return
        shown[what] = now
        left = f", {duration((now - start) * (total - done) / done)} left" if done else ""
        print(f"  {what}: {done}/{total}{left}", file=sys.stderr, flush=True)

    yield tick
