"""Build a run in memory from foreign results that are compared but not kept.

Outcomes are never written to disk. Responses are kept in one temporary file per benchmark, so that
memory does not depend on the length of the texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from msgspec.json import encode

from ..core.files import make_folder, write_temporary
from ..core.frames import Records
from ..core.records import Outcome, Response, ScoreRow
from ..documents.run_manifest import Committed, Manifest
from .outcome_lines import pooled
from .run_folder import RESPONSES_FOLDER, Run
from .writer import check_name, check_records, check_scores


class RunInMemory:
    """Collects benchmarks and scores like :class:`.writer.RunWriter`; :meth:`run` returns the run.

    ``folder`` is a temporary folder that must exist as long as the run is used.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self._outcomes: list[Outcome] = []
        self._scores: tuple[ScoreRow, ...] = ()
        self._known: dict[float, float] = {}

    @property
    def finished(self) -> frozenset[str]:
        """The benchmarks added so far."""
        return frozenset(self.manifest.complete)

    def write_benchmark(
        self, name: str, outcomes: Sequence[Outcome], responses: Iterable[Response] = ()
    ) -> None:
        """Add one benchmark. ``outcomes`` is read only after the last of the ``responses``.

        Raises as :meth:`.writer.RunWriter.write_benchmark` does.
        """
        check_name(name)
        if (first := next(texts := iter(responses), None)) is not None:
            make_folder(self.folder / RESPONSES_FOLDER)
            lines = (encode(response) + b"\n" for response in chain([first], texts))
            write_temporary(self.folder / RESPONSES_FOLDER / f"{name}.jsonl", lines)
        check_records(name, outcomes)
        self._outcomes += [pooled(outcome, self._known) for outcome in outcomes]
        self._complete({name: len(outcomes)})

    def write_scores(self, rows: Sequence[ScoreRow]) -> None:
        """Set all benchmarks that have a score but no answers, replacing earlier ones.

        Raises ``ValueError`` as :meth:`.writer.RunWriter.write_scores` does.
        """
        check_scores(rows, self.manifest)
        self._scores = tuple(rows)
        self._complete({row.benchmark: 0 for row in rows})

    def tell(self, contradictions: Mapping[str, str]) -> None:
        """Record how the samples of benchmarks contradict their reported results."""
        told = {**self.manifest.contradictions, **contradictions}
        self.manifest = replace(self.manifest, contradictions=told)

    def run(self, origin: Path) -> Run:
        """The finished run, read from the foreign results at ``origin``."""
        manifest = replace(self.manifest, status="complete")
        return Run(self.folder, manifest, Records(self._outcomes), self._scores, origin=origin)

    def _complete(self, counts: Mapping[str, int]) -> None:
        entries = {name: Committed(outcomes_bytes=0, n=n) for name, n in counts.items()}
        complete = {**self.manifest.complete, **entries}
        self.manifest = replace(self.manifest, complete=complete)


def joined_runs(first: Run, second: Run, manifest: Manifest) -> Run:
    """Join two runs of one model on different benchmarks; ``manifest`` is that of the joined run.

    The responses of ``second`` move into the folder of ``first``.
    """
    source = second.path / RESPONSES_FOLDER
    if source.is_dir():
        make_folder(first.path / RESPONSES_FOLDER)
        for file in source.iterdir():
            file.rename(first.path / RESPONSES_FOLDER / file.name)
    complete = {**first.manifest.complete, **second.manifest.complete}
    wrong = {**first.manifest.contradictions, **second.manifest.contradictions}
    return Run(
        first.path,
        replace(manifest, complete=complete, contradictions=wrong, status="complete"),
        Records((*first.outcomes, *second.outcomes)),
        (*first.scores, *second.scores),
        origin=first.origin,
        failures=(*first.failures, *second.failures),
    )
