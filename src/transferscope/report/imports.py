"""Shows in the terminal how the tasks of an import are read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from .escaping import name, sentence

if TYPE_CHECKING:
    from rich.console import Console

    from ..runs.importers.explain import Explained, Explanation

FOLDED = 4
"""At least this many tasks of one benchmark that are read alike share a row."""


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Print unmapped tasks with the lines that would map them, then a table of all tasks.

    Everything fits 80 columns.
    """
    from rich.text import Text

    from .fitted_table import plain_table

    def say(line: str) -> None:
        console.print(Text(line), highlight=False, soft_wrap=False)

    say(f"{sentence(explanation.path)} ({explanation.format}), model {name(explanation.model)}")
    if lacking := explanation.unmapped:
        for line in _unmapped(lacking, len(explanation.tasks)):
            say(line)
    files = list(dict.fromkeys(task.taken.file for task in explanation.tasks))
    table = plain_table("How the tasks are read")
    for head in ("task", "benchmark", "group", "metric (not used)"):
        table.add_column(head, overflow="fold")
    for head in ("n", "chance"):
        table.add_column(head, justify="right", no_wrap=True)
    apart = 1 < len(files) < len(explanation.tasks)  # not one file per task
    for file in files:
        if apart:
            table.add_row(Text(f"in {name(Path(file).name)}"), "", "", "", "", "")
        for cells in _rows([task for task in explanation.tasks if task.taken.file == file]):
            table.add_row(*map(Text, cells))
    console.print(table)
    if len(files) > 1 and not apart:
        say(f"from {len(files)} files, one per task; --json lists them")
    say(
        "chance: the score of guessing, ? if it is unknown. Higher is better in every imported "
        "score; metrics for which lower is better are left out."
    )
    left_out = [task.taken for task in explanation.tasks if task.taken.left_out]
    for taken in left_out:
        say(f"{name(taken.task)}: left out, {sentence(taken.left_out)}")
    known = {f"{taken.task}: left out, {taken.left_out}" for taken in left_out}
    for note in explanation.notes:
        if note not in known:
            say(sentence(note))


def _unmapped(tasks: Iterable[Explained], total: int) -> list[str]:
    tasks = list(tasks)
    out = [f"{len(tasks)} of {total} tasks are in no group and will not be judged:"]
    tables: dict[str, list[str]] = {}
    for task in tasks:
        near = ", ".join(map(name, task.nearest))
        nearest = f"nearest: {near}" if near else "no similar name is known"
        out.append(f"  {name(task.taken.task)}: {nearest}")
        head, line = task.map_lines()
        tables.setdefault(head, []).append(line)
    out.append("To map them, put lines such as these in a file for --map (docs/importing.md):")
    for head, lines in sorted(tables.items()):
        out += [f"  {head}", *(f"  {sentence(line)}" for line in lines)]
    if "[tasks]" in tables:
        out.append("where GROUP is math, other (other reasoning) or non (non-reasoning)")
    return out


def _rows(tasks: list[Explained]) -> list[list[str]]:
    """Cells of the table; many similar tasks of one benchmark (MMLU's subjects) share a row."""
    rows = []
    for _, members in groupby(tasks, key=_alike):
        alike = list(members)
        if alike[0].mapped and len(alike) >= FOLDED:
            rows.append(_cells(alike, f"{name(alike[0].taken.task)} and {len(alike) - 1} more"))
        else:
            rows += [_cells([task], name(task.taken.task)) for task in alike]
    return rows


def _alike(task: Explained) -> tuple[object, ...]:
    taken = task.taken
    return taken.benchmark, task.mapped, taken.metric, taken.others, bool(taken.left_out)


def _cells(tasks: list[Explained], label: str) -> list[str]:
    task, taken = tasks[0], tasks[0].taken
    counts = [one.taken.n for one in tasks]
    n = None if None in counts else sum(count for count in counts if count is not None)
    others = f" ({', '.join(map(name, taken.others))})" if taken.others else ""
    chance = "?" if task.chance is None else f"{100 * task.chance:.3g} %"
    return [
        label,
        name(taken.benchmark) if task.mapped else "unmapped",
        name(task.group or "-"),
        "left out" + others if taken.left_out else name(taken.metric) + others,
        "?" if n is None else f"{n:,}",
        "-" if taken.left_out else chance,
    ]
