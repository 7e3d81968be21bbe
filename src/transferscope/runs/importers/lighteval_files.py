"""Find lighteval's results and details, and interpret their names.

lighteval writes ``OUT/results/MODEL/results_DATE.json`` and
``OUT/details/MODEL/DATE/details_TASK_DATE.parquet``; on the hub, ``results_DATE.json`` is next to
``DATE/details_TASK_DATE.parquet``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...core.unpacking import bare_stem
from .documents import files_named, head

_ENDINGS = (".json", ".json.gz")
_PARQUET = (".parquet", ".parquet.gz")
_HEAD = 2**20
"""Number of bytes searched for ``config_general``, which comes first or after the scores."""


def is_results(path: Path) -> bool:
    """Whether ``path`` is a results file of lighteval (or of the old Open LLM Leaderboard)."""
    return path.name.endswith(_ENDINGS) and b'"config_general"' in head(path, _HEAD)


def is_details(path: Path) -> bool:
    """Whether ``path`` is named like a file of lighteval's details."""
    return path.name.startswith("details_") and path.name.endswith(_PARQUET) and path.is_file()


def results_under(folder: Path) -> list[Path]:
    """Every results file in and below ``folder``."""
    found = files_named(folder, *(f"results_*{ending}" for ending in _ENDINGS))
    return sorted(path for path in found if is_results(path))


def details_under(folder: Path) -> list[Path]:
    """Every details file in and below ``folder``."""
    found = files_named(folder, *(f"details_*{ending}" for ending in _PARQUET))
    return sorted(path for path in found if is_details(path))


def date_of(path: Path) -> str:
    """The date in a file's name, sortable as text; empty if there is none."""
    return bare_stem(path).rpartition("_")[2]


def details_beside(results: Path) -> dict[str, Path]:
    """The details of the same date, by the task in the file's name."""
    date = date_of(results)
    found = {}
    in_same_folder = [f"details_*_{date}{ending}" for ending in _PARQUET]
    for path in files_named(results.parent, *in_same_folder, depth=0):
        found[task_of(path)] = path
    for folder in _details_folders(results, date):
        for path in details_under(folder) if folder.is_dir() else ():
            if date_of(path) == date:
                found[task_of(path)] = path
    return found


def task_of(details: Path) -> str:
    """The task as the results name it, from ``details_lighteval|gsm8k|0_DATE.parquet``."""
    return bare_stem(details).removeprefix("details_").removesuffix(f"_{date_of(details)}")


def model_of(details: Path) -> str:
    """The model in the folders' names: ``details/ORG/MODEL/DATE/``, ``details_ORG__MODEL/``."""
    parts = details.parent.parts[:-1] if details.parent.name == date_of(details) else ()
    if "details" in parts:
        return "/".join(parts[len(parts) - parts[::-1].index("details") :])
    name = parts[-1] if parts else details.parent.name
    return name.removeprefix("details_").replace("__", "/")


def bare(task: str) -> str:
    """The task's own name: without suite, number of examples and truncation.

    >>> bare("leaderboard|arc:challenge|25|0"), bare("gsm8k|5"), bare("gsm8k")
    ('arc:challenge', 'gsm8k', 'gsm8k')
    """
    parts = task.split("|")
    while len(parts) > 1 and parts[-1].strip().isdigit():
        parts.pop()
    return parts[-1]


def shots(task: str) -> int | None:
    """The number of examples in a task's name, if any."""
    numbers = [part for part in task.split("|")[1:] if part.strip().isdigit()]
    return int(numbers[0]) if numbers else None


def _details_folders(results: Path, date: str) -> Iterator[Path]:
    yield results.parent / date
    file = results.resolve()
    for parent in file.parents:
        if parent.name == "results":
            model = file.parent.relative_to(parent)
            yield parent.with_name("details") / model / date
            return
