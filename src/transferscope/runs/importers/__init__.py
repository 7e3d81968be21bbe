"""Import foreign results into run folders. A format is one module and one line in `IMPORTERS`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path

from ...core.errors import InputError
from ...core.files import (
    check_file,
    files_below,
    is_file,
    read_json,
    refuse_damaged,
    scratch_folder,
)
from ...core.mistaken import plain_files, refuse_mistaken
from ...core.modelnames import chosen_model, split_model
from ...core.nearest import did_you_mean
from ...core.plugins import plugins
from ...core.records import Outcome, Response, Tick, no_tick
from ...core.taxonomy import SOURCE, Taxonomy, load_taxonomy
from ...core.unpacking import bare_suffix
from ...documents.run_manifest import Manifest
from ..manifest import MANIFEST_FILE
from ..run_folder import Run, read_run
from ..run_in_memory import RunInMemory, joined_runs
from ..writer import RunWriter, claimed
from .adding import added, are_parts, joined
from .checked import checked
from .foreign_run import Importer, Results, Sample
from .pooled import pooled

__all__ = [
    "IMPORTERS",
    "Imported",
    "Importer",
    "Results",
    "Sample",
    "find_importer",
    "import_results",
    "open_run",
    "put_together",
    "read_results",
]

Say = Callable[[Path, str], None]
_NONE = "run it again, or remove its samples to import the other benchmarks"
_ENDINGS = (".json", ".jsonl", ".csv", ".parquet", ".gz", ".eval")
LOOKED_AT = 1000
"""Number of files in a folder that are checked to explain why no importer reads it."""
IMPORTERS = {
    "lm-eval": "lmeval",
    "lighteval": "lighteval",
    "evalscope": "evalscope",
    "opencompass": "opencompass",
    "helm": "helm",
    "evalplus": "evalplus",
    "qwen-math": "qwenmath",
    "inspect": "inspect_log",
    "eee": "eee",
    "jsonl": "jsonl",
    "json": "json_rows",
    "parquet": "parquet_rows",
    "csv": "score_table",
}
"""Maps a format to the module with its ``IMPORTER``, in the order in which they are tried."""


def _unsaid(path: Path, note: str) -> None:
    """Default for callers that don't show notes."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote, and notes for the user."""

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
    columns: Mapping[str, str] | None = None,
    tick: Tick = no_tick,
) -> Imported:
    """Write the foreign results at ``path`` into the run folder ``out``, one sample at a time.

    If ``out`` already has results of the same model, those it lacks are added. ``path`` may select
    one of several models: ``PATH::MODEL``. ``mapping`` is a taxonomy file that takes precedence
    over the built-in one, and ``columns`` takes precedence over its ``[columns]``. ``source`` is
    the group that was tuned on. Raises :class:`InputError` for an unknown format and for results
    that can't be read.
    """
    path, taxonomy = Path(path), load_taxonomy(mapping, columns=columns)
    name, results, made = _found(path, taxonomy, format, source)
    with ExitStack() as stack:
        stack.enter_context(claimed(out))
        results, manifest, already = added(Path(out), results, made, source=source)
        writer = stack.enter_context(RunWriter.open(out, manifest))
        _write(results, writer, path, tick)
    notes = (*results.said(), *pooled(results.taken, taxonomy), *already)
    return Imported(Path(out), name, results.unmapped, notes)


def _found(
    path: Path, taxonomy: Taxonomy, format_: str, source: str | None
) -> tuple[str, Results, Manifest]:
    """The format's name, the results at ``path`` (at least one), and the manifest of their run."""
    name, results = read_results(path, taxonomy, format_)
    if not results.samples and not results.scores:
        why = f" ({results.notes[0]})" if results.notes else ""
        remedy = "name a results folder or file"
        raise InputError(f"contains no usable result{why}", place=str(path), remedy=remedy)
    return name, results, _manifest(results, taxonomy, source)


def _write(results: Results, writer: RunWriter | RunInMemory, path: Path, tick: Tick) -> None:
    """Write all ``results`` into the run, one benchmark after the other."""
    for at, (benchmark, read) in enumerate(results.samples.items()):
        tick("import", at, len(results.samples))
        if benchmark in writer.finished:
            continue
        outcomes: list[Outcome] = []
        try:
            texts = _split(read(), outcomes, lambda: writer.tell(results.contradictions))
            writer.write_benchmark(benchmark, outcomes, texts)
        except ValueError as err:
            if not outcomes:
                what = "no sample has a score: the run was cancelled, or every answer failed"
                raise InputError(what, place=f"{path} ({benchmark})", remedy=_NONE) from None
            raise InputError(str(err), place=f"{path} ({benchmark})") from None
    if results.scores:
        try:
            writer.write_scores(results.scores)
        except ValueError as err:
            remedy = "import one of the files"
            raise InputError(str(err), place=str(path), remedy=remedy) from None
    tick("import", len(results.samples), len(results.samples))


def open_run(
    path: str | Path,
    stack: ExitStack,
    *,
    mapping: Path | None = None,
    source: str | None = None,
    columns: Mapping[str, str] | None = None,
    say: Say = _unsaid,
) -> Run:
    """Read a run from a run folder, or from foreign results, which are read into memory.

    Responses of foreign results are kept in a temporary folder, which is removed with ``stack``.
    ``say`` is called for each note of the import with the path that it is about.
    """
    path = Path(path)
    file, model = split_model(path)
    if not os.path.lexists(file) or is_file(file / MANIFEST_FILE):
        return _run_of(read_run(file), model, path)
    taxonomy = load_taxonomy(mapping, columns=columns)
    _, results, manifest = _found(path, taxonomy, "auto", source)
    taken = RunInMemory(stack.enter_context(scratch_folder()), manifest)
    _write(results, taken, path, no_tick)
    for note in (*results.said(), *pooled(results.taken, taxonomy)):
        say(path, note)
    return taken.run(path)


def put_together(
    runs: Sequence[Run], *, source: str | None = None, say: Say = _unsaid
) -> list[Run]:
    """Join foreign results of one model that share no benchmark into one run.

    Results are often evaluated task by task, into one file each. ``say`` gets a note for each join.
    """
    kept: list[Run] = []
    for run in runs:
        at = next((at for at, other in enumerate(kept) if are_parts(other, run)), None)
        if at is None or run.origin is None:
            kept.append(run)
            continue
        first = kept[at]
        manifest = joined(first.manifest, run.manifest, str(first.place), source=source)
        kept[at] = joined_runs(first, run, manifest)
        model = run.manifest.model.name
        say(run.origin, f"joined with {first.origin}, which is of the same model {model}")
    return kept


def _run_of(run: Run, model: str | None, path: Path) -> Run:
    """The run; raises if a ``model`` is given and the run is of another one."""
    if model is not None:
        chosen_model({run.manifest.model.name: str(path)}, model, split_model(path)[0])
    return run


def read_results(path: Path, taxonomy: Taxonomy, format_: str = "auto") -> tuple[str, Results]:
    """The format's name, and the results at ``path`` (or ``PATH::MODEL`` to select one model).

    Raises :class:`InputError` for results that can't be read, and for a model that isn't in them.
    """
    file, model = split_model(path)
    name, importer = find_importer(file, format_)
    if (read_model := importer.read_model) is not None:
        return name, checked(lambda: read_model(file, taxonomy, model), file)
    results = checked(lambda: importer.read(file, taxonomy), file)
    if model is not None:
        chosen_model({results.model.name: str(file)}, model, file)
    return name, results


def find_importer(path: Path, format_: str = "auto") -> tuple[str, Importer]:
    """The importer for ``path`` and its name; "auto" selects the first one that accepts the path.

    Raises :class:`InputError` for an unknown format, a missing path, and one that no importer
    accepts.
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
    inside = files_below(path, lambda name: name.endswith(_ENDINGS)) if path.is_dir() else [path]
    for file in islice(inside, LOOKED_AT):
        refuse_damaged(file)
        if bare_suffix(file) == ".json":
            read_json(file)
    refuse_mistaken(path)
    raise InputError(
        f"no {MANIFEST_FILE}, and no results in a known format",
        place=str(path),
        remedy=plain_files(path) or "name a run folder, or results of a supported harness",
    )


def _load(name: str) -> Importer:
    importer: Importer = import_module(f".{IMPORTERS[name]}", __package__).IMPORTER
    return importer


def _manifest(results: Results, taxonomy: Taxonomy, source: str | None) -> Manifest:
    benchmarks = {*results.samples, *(row.benchmark for row in results.scores)}
    suite = taxonomy.suite(benchmarks, source=source or SOURCE)
    # With a misspelt source, the group that was tuned on would count as one to be retained.
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


def _split(
    samples: Iterator[Sample], outcomes: list[Outcome], done: Callable[[], None]
) -> Iterator[Response]:
    """Fill ``outcomes`` while yielding the responses; call ``done`` after the last one."""
    for sample in samples:
        outcomes.append(sample.outcome)
        if sample.response is not None:
            yield sample.response
    done()
