"""Foreign results as runs in memory: nothing is written, and texts are read again when needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from ...core.files import is_file
from ...core.modelnames import chosen_model, split_model
from ...core.records import Outcome, Response
from ...core.taxonomy import load_taxonomy
from ..manifest import MANIFEST_FILE, Manifest
from ..outcome_columns import OutcomeColumns
from ..run_folder import Run, Texts, read_run
from ..writer import check_answers, check_name, check_scores
from .adding import are_parts, joined
from .foreign_run import Results, Sample
from .into_folder import manifest_of, unusable, usable_results
from .pooled import pooled

Say = Callable[[Path, str], None]
_SETTINGS = ("engine", "decoding", "versions", "metrics")


def _unsaid(path: Path, note: str) -> None:
    """For callers that show no notes."""


def open_run(
    path: str | Path,
    *,
    mapping: Path | None = None,
    source: str | None = None,
    columns: Mapping[str, str] | None = None,
    say: Say = _unsaid,
) -> Run:
    """The run folder at ``path``, or foreign results as a run in memory.

    ``path`` may name one of several models: ``PATH::MODEL``. ``mapping``, ``source`` and
    ``columns`` are those of :func:`.into_folder.import_results`. ``say`` is called with every note
    on foreign results and the path that it is about. Raises :class:`InputError` for what can't be
    read.
    """
    path = Path(path)
    file, model = split_model(path)
    if not os.path.lexists(file) or is_file(file / MANIFEST_FILE):
        return _run_of(read_run(file), model, path)
    taxonomy = load_taxonomy(mapping, columns=columns)
    _, results = usable_results(path, taxonomy)
    run = _foreign(path, results, manifest_of(results, taxonomy, source))
    for note in (*results.said(), *pooled(results.taken, taxonomy)):
        say(path, note)
    return run


def put_together(
    runs: Sequence[Run], *, source: str | None = None, say: Say = _unsaid
) -> list[Run]:
    """``runs``, of which foreign results of one model that share no benchmark become one run.

    People evaluate task by task, into a file each. ``say`` is called with what was put together.
    """
    kept: list[Run] = []
    for run in runs:
        at = next((at for at, other in enumerate(kept) if are_parts(other, run)), None)
        if at is None:
            kept.append(run)
            continue
        first = kept[at]
        kept[at] = _both(first, run, source)
        model = run.manifest.model.name
        say(run.path, f"put together with {first.path}, of the same model {model}")
    return kept


def _run_of(run: Run, model: str | None, path: Path) -> Run:
    """The run, which must be of ``model`` where one is named."""
    if model is not None:
        chosen_model({run.manifest.model.name: str(path)}, model, split_model(path)[0])
    return run


def _foreign(path: Path, results: Results, manifest: Manifest) -> Run:
    """The run of these results; a benchmark's outcomes are read into columns, its texts dropped."""
    columns: dict[str, OutcomeColumns] = {}
    texts: dict[str, Texts] = {}
    for benchmark, read in results.samples.items():
        check_name(benchmark)
        outcomes: list[Outcome] = []
        kept = False
        with unusable(path, benchmark, outcomes):
            for sample in read():
                outcomes.append(sample.outcome)
                kept = kept or sample.response is not None
            check_answers(benchmark, outcomes)
        columns[benchmark] = OutcomeColumns(outcomes)
        if kept:
            texts[benchmark] = results.texts.get(benchmark, partial(_texts, read))
    counts = {name: {"outcomes_bytes": 0, "n": len(rows)} for name, rows in columns.items()}
    with unusable(path):
        check_scores(results.scores, counts)
    counts |= {row.benchmark: {"outcomes_bytes": 0, "n": 0} for row in results.scores}
    # As a manifest that was written and read: lists for tuples, or they would differ from a list.
    settings = {name: getattr(manifest, name) for name in _SETTINGS}
    whole = replace(
        manifest,
        **msgspec.json.decode(msgspec.json.encode(settings)),
        contradictions=dict(results.contradictions),
        complete=counts,
        status="complete",
    )
    return Run(path, whole, columns, results.scores, texts)


def _texts(read: Callable[[], Iterator[Sample]]) -> Iterator[Response]:
    return (sample.response for sample in read() if sample.response is not None)


def _both(first: Run, second: Run, source: str | None) -> Run:
    """Two parts of one model's results as one run, named by the first."""
    parts = (first, second)
    complete = {name: n for part in parts for name, n in part.manifest.complete.items()}
    manifest = joined(
        first.manifest,
        second.manifest,
        list(second.manifest.complete),
        first.path,
        source=source,
    )
    return Run(
        first.path,
        replace(
            manifest,
            complete=complete,
            contradictions={**second.manifest.contradictions, **first.manifest.contradictions},
            status="complete",
        ),
        {name: rows for part in parts for name, rows in part.by_benchmark.items()},
        (*first.scores, *second.scores),
        {name: read for part in parts for name, read in (part.texts or {}).items()},
    )
