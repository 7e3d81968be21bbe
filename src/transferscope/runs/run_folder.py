"""The run folder: append-only, safe to kill at any moment, read strictly.

    run.json                    the manifest: what, how, and how far it is committed
    outcomes.jsonl              one line per benchmark, item and repeat
    scores.jsonl                benchmarks of which only the score is known (imports)
    responses/BENCHMARK.jsonl   id, repeat, prompt, response (optional; read lazily)

A request that failed for good is an outcome whose score is null, with the reason in ``failed``; a
later line of the same answer replaces it. :mod:`.writer` says how a folder comes about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

from ..core.errors import InputError
from ..core.files import is_file
from ..core.frames import Records
from ..core.records import Failure, Outcome, Response, ScoreRow
from ..core.shown import name, sentence
from ..documents.run_manifest import Manifest
from .benchmark_answers import BenchmarkAnswers
from .manifest import MANIFEST_FILE, read_manifest
from .outcome_lines import AGAIN, malformed, outcome_lines, rows_of

__all__ = ["Run", "read_run"]

OUTCOMES_FILE = "outcomes.jsonl"
SCORES_FILE = "scores.jsonl"
RESPONSES_FOLDER = "responses"
SHOWN = 6
"""Benchmarks that a run's ``repr`` names."""
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, repr=False)
class Run:
    """A run as read: its manifest, every outcome in the file's order, and score-only rows.

    ``origin``: the foreign results that this run was read from; ``path`` is then a temporary folder
    of the responses alone. ``failures`` are requests without an answer; they are in no score.
    """

    path: Path
    manifest: Manifest
    outcomes: Records[Outcome]
    scores: tuple[ScoreRow, ...] = ()
    origin: Path | None = None
    failures: tuple[Failure, ...] = ()

    @property
    def place(self) -> Path:
        """The path that the user named."""
        return self.origin or self.path

    def __repr__(self) -> str:
        return "\n".join(f"{head}: {text}" for head, text in self._about())

    def _repr_html_(self) -> str:
        """What a notebook shows: which run this is."""
        rows = (
            f"<tr><th>{escape(head)}</th><td>{escape(text)}</td></tr>"
            for head, text in self._about()
        )
        return f"<table>{''.join(rows)}</table>"

    def _about(self) -> Iterator[tuple[str, str]]:
        model = self.manifest.model
        yield (
            "run of",
            name(model.name) + (f", tuned from {name(model.base)}" if model.base else ""),
        )
        yield "read from", sentence(self.place)
        yield "provenance", f"{name(self.manifest.provenance)}, {self.manifest.status}"
        benchmarks = list(dict.fromkeys((*self.by_benchmark, *(r.benchmark for r in self.scores))))
        shown = ", ".join(map(name, benchmarks[:SHOWN]))
        more = f" and {len(benchmarks) - SHOWN} more" if len(benchmarks) > SHOWN else ""
        yield f"{len(benchmarks)} benchmarks", shown + more
        yield "answers", f"{len(self.outcomes):,}, and {len(self.scores):,} scores without answers"
        if self.failures:
            yield "failed requests", f"{len(self.failures):,}"

    @cached_property
    def by_benchmark(self) -> dict[str, tuple[Outcome, ...]]:
        """Outcomes of every benchmark, in the order of their first lines."""
        grouped: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            grouped.setdefault(outcome.benchmark, []).append(outcome)
        return {name: tuple(outcomes) for name, outcomes in grouped.items()}

    def answers(self, benchmark: str) -> BenchmarkAnswers:
        """The outcomes of ``benchmark`` as sorted columns, kept; empty if the run has none."""
        if (found := self._answers.get(benchmark)) is None:
            found = BenchmarkAnswers.of(self.by_benchmark.get(benchmark, ()))
            self._answers[benchmark] = found
        return found

    @cached_property
    def _answers(self) -> dict[str, BenchmarkAnswers]:
        return {}

    @cached_property
    def failed(self) -> Mapping[str, tuple[Failure, ...]]:
        """Failures of every benchmark that has any."""
        names = dict.fromkeys(failure.benchmark for failure in self.failures)
        return {name: tuple(f for f in self.failures if f.benchmark == name) for name in names}

    def keeps_answers(self, benchmark: str) -> bool:
        """Whether artefacts of ``benchmark`` are known: its answers were kept, or an engine's word.

        A score in a table can't have been cut, and isn't known not to have been.
        """
        outcomes = self.by_benchmark.get(benchmark, ())
        if not outcomes:
            return False
        if is_file(self.path / RESPONSES_FOLDER / f"{benchmark}.jsonl"):
            return True
        told = any(o.flags or o.finish is not None for o in outcomes)
        return told or self.manifest.provenance == "evaluated"

    def responses(self, benchmark: str) -> dict[tuple[str, int], Response]:
        """Responses of ``benchmark`` by (id, repeat), read now; empty where none were kept.

        Raises :class:`InputError` naming file and line of what can't be read.
        """
        path = self.path / RESPONSES_FOLDER / f"{benchmark}.jsonl"
        if benchmark not in self.by_benchmark or not is_file(path):
            return {}
        found: dict[tuple[str, int], Response] = {}
        for place, row in rows_of(path):
            try:
                response = Response(**row)
            except TypeError as err:
                malformed(str(err), place)
            kinds = (type(response.id), type(response.prompt), type(response.response))
            if type(response.repeat) is not int or kinds != (str, str, str):
                malformed("id, prompt and response must be strings, repeat a number", place)
            found[(response.id, response.repeat)] = response
        return found


def read_run(path: str | Path, *, allow_unfinished: bool = False) -> Run:
    """The run in folder ``path``.

    Raises :class:`InputError` for a missing folder or manifest, another schema version, an
    unfinished run (unless ``allow_unfinished``: then its committed benchmarks are read), a
    malformed line (file:line), a score outside 0..1, a duplicate (benchmark, id, repeat), and
    counts that don't match the manifest.
    """
    path = Path(path)
    manifest = read_manifest(path)
    if manifest.status != "complete" and not allow_unfinished:
        raise InputError(
            f"unfinished run ({len(manifest.complete)} benchmarks are done)",
            place=str(path),
            remedy="start the same command again: it resumes where it stopped",
        )
    file = path / OUTCOMES_FILE
    size = file.stat().st_size if is_file(file) else 0
    too_long = manifest.status == "complete" and size > manifest.committed
    if size < manifest.committed or too_long:
        raise InputError(
            f"{size} bytes, but {MANIFEST_FILE} says {manifest.committed}",
            place=str(file),
            remedy=f"the file was changed; {AGAIN}",
        )
    outcomes: dict[tuple[str, str, int], Outcome] = {}
    failures: dict[tuple[str, str, int], Failure] = {}
    counts: Counter[str] = Counter()
    safe: set[str] = set()
    for number, outcome in outcome_lines(file, manifest.committed):
        counts[outcome.benchmark] += 1
        if isinstance(outcome, Failure):
            failures[outcome.key] = outcome
            continue
        if outcome.benchmark not in safe:  # it names a file below responses/
            if not SAFE_NAME.fullmatch(outcome.benchmark):
                what = f"benchmark name {outcome.benchmark!r} can't be a file name"
                malformed(what, f"{file}:{number}")
            safe.add(outcome.benchmark)
        if outcomes.setdefault(outcome.key, outcome) is not outcome:
            key = f"benchmark {outcome.benchmark}, id {outcome.id}, repeat {outcome.repeat}"
            raise InputError(f"duplicate answer: {key}", place=f"{file}:{number}", remedy=AGAIN)
    expected = {name: entry.n for name, entry in manifest.complete.items()}
    if wrong := sorted(n for n in {*counts, *expected} if counts[n] != expected.get(n, 0)):
        name = wrong[0]
        raise InputError(
            f"{counts[name]} answers of {name}, but {MANIFEST_FILE} says {expected.get(name, 0)}",
            place=str(file),
            remedy=f"the file was changed; {AGAIN}",
        )
    return Run(
        path,
        manifest,
        Records(outcomes.values()),
        _scores(path / SCORES_FILE, manifest),
        failures=tuple(failure for key, failure in failures.items() if key not in outcomes),
    )


def _scores(file: Path, manifest: Manifest) -> tuple[ScoreRow, ...]:
    """The score-only rows; those of a benchmark that was never committed are left out."""
    found: dict[tuple[str, str], ScoreRow] = {}
    for place, row in rows_of(file):
        try:
            score = ScoreRow(**row)
            known = manifest.complete.get(score.benchmark)
        except (TypeError, ValueError) as err:
            malformed(str(err), place)
        if not isinstance(score.benchmark, str) or not isinstance(score.subset, str):
            malformed("benchmark and subset must be strings", place)
        if type(score.n) not in (int, type(None)):
            malformed("n is neither a whole number nor null", place)
        if found.setdefault((score.benchmark, score.subset), score) is not score:
            malformed(f"a second score of {score.benchmark}", place)
        if known is None or known.n:
            del found[(score.benchmark, score.subset)]
    return tuple(found.values())
