"""The runs of one comparison, opened together: run folders, foreign results, or runs at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ...core.errors import InputError
from ...core.files import read_text
from ...core.nearest import did_you_mean, nearest
from ...core.taxonomy import load_taxonomy, parse_taxonomy
from ..run_folder import Run
from . import open_run, put_together


def open_runs(
    inputs: Sequence[str | Path | Run],
    stack: ExitStack,
    *,
    mapping: Path | None = None,
    source: str | None = None,
    columns: Mapping[str, str] | None = None,
    tuned: bool = False,
    say: Callable[[str], None],
) -> list[Run]:
    """Open ``inputs``, base first; temporary files of foreign results live as long as ``stack``.

    ``mapping`` and ``columns`` are as for :func:`~transferscope.runs.importers.import_results`.
    ``source`` must be a group of the base and replaces the suite's own source group. ``tuned``: the
    inputs after the first are tuned models, and several files of one model are joined into one run.
    ``say`` gets one line per note; a note about several inputs is given once. Runs of one model get
    their folder's name appended. Raises :class:`InputError` for input that can't be read.
    """
    notes: dict[str, list[str]] = {}

    def note(path: Path, text: str) -> None:
        notes.setdefault(text, []).append(str(path))

    if mapping is not None:
        for line in _new_groups(mapping):
            say(line)
    try:
        runs = [
            one
            if isinstance(one, Run)
            else open_run(one, stack, mapping=mapping, source=source, columns=columns, say=note)
            for one in inputs
        ]
        if tuned:
            runs = [runs[0], *put_together(runs[1:], source=source, say=note)]
    finally:
        for text, places in notes.items():
            say(f"{', '.join(dict.fromkeys(places))}: {text}")
    return _told_apart(_with_source(runs, source))


def _with_source(runs: Sequence[Run], source: str | None) -> list[Run]:
    """The runs with ``source`` as their source group, which a folder's own suite may not have."""
    if source is None:
        return list(runs)
    groups = list(runs[0].manifest.suite["groups"])
    if source not in groups:
        raise InputError(
            f"no benchmark of the base is in a group {source!r}",
            place="--source",
            remedy=did_you_mean(source, groups),
        )
    changed = [{**run.manifest.suite, "source": source} for run in runs]
    return [
        replace(run, manifest=replace(run.manifest, suite=suite))
        for run, suite in zip(runs, changed, strict=True)
    ]


def _new_groups(mapping: Path) -> list[str]:
    """Notes about groups of a mapping that are new and close to a known one: maybe misspelt."""
    own = parse_taxonomy(read_text(mapping, remedy="name a TOML file"), place=str(mapping))
    known = dict.fromkeys(entry.group for entry in load_taxonomy().tasks.values())
    return [
        f"{mapping}: group {group!r} is new; if it is misspelt, write {near[0]!r}"
        for group in dict.fromkeys(entry.group for entry in own.tasks.values())
        if group not in known and (near := nearest(group, known, n=1))
    ]


def _told_apart(runs: Sequence[Run]) -> list[Run]:
    """Runs of one model, or of checkpoints with one name, with their folder's name appended."""
    names = [run.manifest.model.name for run in runs]
    return [
        run if names.count(name) == 1 or at == names.index(name) else _named(run, name, run.place)
        for at, (run, name) in enumerate(zip(runs, names, strict=True))
    ]


def _named(run: Run, name: str, path: Path) -> Run:
    model = replace(run.manifest.model, name=f"{name} ({path.resolve().name})")
    return replace(run, manifest=replace(run.manifest, model=model))
