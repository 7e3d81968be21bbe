"""Foreign results into a run folder, one sample at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InputError
from ...core.nearest import did_you_mean
from ...core.records import Outcome, Response, Tick, no_tick
from ...core.taxonomy import SOURCE, Taxonomy, load_taxonomy
from ..manifest import Manifest
from ..writer import RunWriter, claimed
from .adding import added
from .detection import read_results
from .foreign_run import Results, Sample
from .pooled import pooled

_NONE = "run it again, or remove its samples to import what else there is"


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
    columns: Mapping[str, str] | None = None,
    tick: Tick = no_tick,
) -> Imported:
    """Write the foreign results at ``path`` into the run folder ``out``, one sample at a time.

    A run folder of the same model gets what it lacks. ``path`` may name one of several models:
    ``PATH::MODEL``. ``mapping`` is a taxonomy file that goes before the shipped one, ``columns``
    goes before its ``[columns]``; ``source`` is the group that was tuned on. Raises
    :class:`InputError` for an unknown format and for what can't be read.
    """
    path, taxonomy = Path(path), load_taxonomy(mapping, columns=columns)
    name, results = usable_results(path, taxonomy, format)
    made = manifest_of(results, taxonomy, source)
    with ExitStack() as stack:
        stack.enter_context(claimed(out))
        results, manifest, already = added(Path(out), results, made, source=source)
        writer = stack.enter_context(RunWriter.open(out, manifest))
        for at, (benchmark, read) in enumerate(results.samples.items()):
            tick("import", at, len(results.samples))
            if benchmark in writer.finished:
                continue
            outcomes: list[Outcome] = []
            with unusable(path, benchmark, outcomes):
                texts = _split(read(), outcomes, lambda: writer.tell(results.contradictions))
                writer.write_benchmark(benchmark, outcomes, texts)
        if results.scores:
            with unusable(path):
                writer.write_scores(results.scores)
        tick("import", len(results.samples), len(results.samples))
    notes = (*results.said(), *pooled(results.taken, taxonomy), *already)
    return Imported(Path(out), name, results.unmapped, notes)


def usable_results(path: Path, taxonomy: Taxonomy, format_: str = "auto") -> tuple[str, Results]:
    """:func:`.detection.read_results`; raises :class:`InputError` where no result can be used."""
    name, results = read_results(path, taxonomy, format_)
    if not results.samples and not results.scores:
        why = f" ({results.notes[0]})" if results.notes else ""
        remedy = "name a results folder or file"
        raise InputError(f"no result that can be used in it{why}", place=str(path), remedy=remedy)
    return name, results


@contextmanager
def unusable(
    path: Path, benchmark: str | None = None, outcomes: Sequence[Outcome] = ()
) -> Iterator[None]:
    """Inside, what is wrong with the ``outcomes`` of ``benchmark`` is an :class:`InputError`.

    So is what is wrong with the scores at ``path`` where no benchmark is named.
    """
    try:
        yield
    except ValueError as err:
        if benchmark is None:
            remedy = "import one of the files"
            raise InputError(str(err), place=str(path), remedy=remedy) from None
        if not outcomes:
            what = "no sample has a score: it was cancelled, or every answer failed"
            raise InputError(what, place=f"{path} ({benchmark})", remedy=_NONE) from None
        raise InputError(str(err), place=f"{path} ({benchmark})") from None


def manifest_of(results: Results, taxonomy: Taxonomy, source: str | None) -> Manifest:
    """The manifest of a run with these results; ``source`` is the group that was tuned on.

    Raises :class:`InputError` for a source that is no group.
    """
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


def _split(
    samples: Iterator[Sample], outcomes: list[Outcome], done: Callable[[], None]
) -> Iterator[Response]:
    """Fills ``outcomes`` while it yields the responses; ``done`` is called after the last."""
    for sample in samples:
        outcomes.append(sample.outcome)
        if sample.response is not None:
            yield sample.response
    done()
