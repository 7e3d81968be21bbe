"""Foreign results to run folders. A format is one module and one line in :data:`IMPORTERS`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from ...core.errors import InputError
from ...core.files import check_file, is_file, scratch_folder
from ...core.nearest import did_you_mean
from ...core.plugins import plugins
from ...core.records import Outcome, Response, Tick, no_tick
from ...core.taxonomy import SOURCE, Taxonomy, load_taxonomy
from ..folder import Run, RunWriter, read_run
from ..manifest import MANIFEST_FILE, Manifest
from .base import Importer, Results, Sample
from .checked import read_results

__all__ = [
    "IMPORTERS",
    "Imported",
    "Importer",
    "Results",
    "Sample",
    "find_importer",
    "import_results",
    "open_run",
]

IMPORTERS = {
    "lm-eval": "lmeval",
    "inspect": "inspect_log",
    "eee": "eee",
    "jsonl": "jsonl",
    "csv": "table",
}
"""Format name to the module here that has its ``IMPORTER``, in the order they are tried."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote, and what a user must know about it."""

    path: Path
    format: str
    unmapped: tuple[str, ...]
    notes: tuple[str, ...]


def import_results(
    path: str | Path,
    out: str | Path,
    *,
    format: str = "auto",
    mapping: Path | None = None,
    source: str | None = None,
    tick: Tick = no_tick,
) -> Imported:
    """Write the foreign results at ``path`` into the run folder ``out``, one sample at a time.

    ``mapping`` is a taxonomy file that goes before the shipped one, ``source`` the group that was
    tuned on. Raises :class:`InputError` for an unknown format and for what can't be read.
    """
    path, taxonomy = Path(path), load_taxonomy(mapping)
    name, importer = find_importer(path, format)
    results = read_results(importer, path, taxonomy)
    if not results.samples and not results.scores:
        why = f" ({results.notes[0]})" if results.notes else ""
        remedy = "name a results folder or file"
        raise InputError(f"no result that can be used in it{why}", place=str(path), remedy=remedy)
    with RunWriter.open(out, _manifest(results, taxonomy, source)) as writer:
        for at, (benchmark, read) in enumerate(results.samples.items()):
            tick("import", at, len(results.samples))
            if benchmark in writer.finished:
                continue
            outcomes: list[Outcome] = []
            try:
                writer.write_benchmark(benchmark, outcomes, _split(read(), outcomes))
            except ValueError as err:
                raise InputError(str(err), place=f"{path} ({benchmark})") from None
        if results.scores:
            try:
                writer.write_scores(results.scores)
            except ValueError as err:
                remedy = "import one of the files"
                raise InputError(str(err), place=str(path), remedy=remedy) from None
        tick("import", len(results.samples), len(results.samples))
    return Imported(Path(out), name, results.unmapped, results.notes)


def open_run(
    path: str | Path,
    stack: ExitStack,
    *,
    mapping: Path | None = None,
    source: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Run:
    """A run folder, or foreign results imported into a folder that lives as long as ``stack``.

    ``say`` gets the notes of an import, one a call.
    """
    path = Path(path)
    if not os.path.lexists(path) or is_file(path / MANIFEST_FILE):
        return read_run(path)
    scratch = stack.enter_context(scratch_folder())
    done = import_results(path, scratch / "run", mapping=mapping, source=source)
    for note in done.notes:
        say(f"{path}: {note}")
    return replace(read_run(done.path), origin=path)


def find_importer(path: Path, format_: str = "auto") -> tuple[str, Importer]:
    """The importer for ``path`` and its name; "auto" asks each of them whether it reads it.

    Raises :class:`InputError` for an unknown format, a missing path and one that nobody reads.
    """
    if format_ != "auto":
        if format_ not in IMPORTERS:
            if format_ in (outside := plugins("importers")):
                return format_, outside[format_]
            known = ", ".join(["auto", *IMPORTERS, *outside])
            raise InputError(f"unknown format {format_!r}", remedy=f"use one of {known}")
        return format_, _load(format_)
    check_file(path, remedy="name results to import", folders=True)
    for name in IMPORTERS:
        if (importer := _load(name)).accepts(path):
            return name, importer
    for name, importer in plugins("importers").items():
        if importer.accepts(path):
            return name, importer
    raise InputError(
        f"no {MANIFEST_FILE}, and no results in a format that is known",
        place=str(path),
        remedy="name a run folder, or results of another harness",
    )


def _load(name: str) -> Importer:
    importer: Importer = import_module(f".{IMPORTERS[name]}", __package__).IMPORTER
    return importer


def _manifest(results: Results, taxonomy: Taxonomy, source: str | None) -> Manifest:
    benchmarks = {*results.samples, *(row.benchmark for row in results.scores)}
    suite = taxonomy.suite(benchmarks, source=source or SOURCE)
    # A misspelt source would turn the group that was tuned on into one that must be kept.
    known = dict.fromkeys((*suite.groups, *(e.group for e in taxonomy.tasks.values())))
    if source is not None and source not in known:
        raise InputError(
            f"no benchmark is in a group {source!r}",
            place="--source",
            remedy=did_you_mean(source, known),
        )
    return Manifest(
        model=results.model,
        suite=suite.model_dump(mode="json"),
        suite_hash=suite.hash,
        engine=results.engine,
        decoding=results.decoding,
        template=results.template,
        versions=results.versions,
        provenance=results.provenance,
        seed=results.seed,
        limit=results.limit,
        metrics=results.metrics,
        left_out={taken.task: taken.left_out for taken in results.taken if taken.left_out},
    )


def _split(samples: Iterator[Sample], outcomes: list[Outcome]) -> Iterator[Response]:
    """Fills ``outcomes`` while it yields the responses."""
    for sample in samples:
        outcomes.append(sample.outcome)
        if sample.response is not None:
            yield sample.response
