"""The run folder: append-only, safe to kill at any moment, read strictly.

    run.json                    the manifest: model, suite, settings, and committed lengths
    outcomes.jsonl              one line per benchmark, item and repeat
    scores.jsonl                benchmarks with a score but no answers (imports)
    responses/BENCHMARK.jsonl   id, repeat, prompt, response (optional; read lazily)

A request that failed permanently is a line with a null score and the reason in ``failed``; a later
line for the same answer replaces it. :mod:`.writer` describes how a folder is written.
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
    """A run as read: its manifest, every outcome in file order, and score-only rows.

    ``origin`` is the path of the foreign results that this run was read from, if any; ``path`` is
    then a temporary folder that holds only the responses. ``failures`` are requests without an
    answer; they don't count in a score.
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
        """The outcomes of every benchmark, in the order of their first lines."""
        grouped: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            grouped.setdefault(outcome.benchmark, []).append(outcome)
        return {name: tuple(outcomes) for name, outcomes in grouped.items()}

    def answers(self, benchmark: str) -> BenchmarkAnswers:
        """The outcomes of ``benchmark`` as sorted columns (cached); empty if the run has none."""
        if (found := self._answers.get(benchmark)) is None:
            found = BenchmarkAnswers.of(self.by_benchmark.get(benchmark, ()))
            self._answers[benchmark] = found
        return found

    @cached_property
    def _answers(self) -> dict[str, BenchmarkAnswers]:
        return {}

    @cached_property
    def failed(self) -> Mapping[str, tuple[Failure, ...]]:
        """The failures, by benchmark."""
        names = dict.fromkeys(failure.benchmark for failure in self.failures)
        return {name: tuple(f for f in self.failures if f.benchmark == name) for name in names}

    def keeps_answers(self, benchmark: str) -> bool:
        """Whether artefacts (truncation, extraction) of ``benchmark`` are known.

        They are if the answers were kept, or if an engine reported how they ended. For a score
        from a table, it is unknown whether answers were truncated.
        """
        outcomes = self.by_benchmark.get(benchmark, ())
        if not outcomes:
            return False
        if is_file(self.path / RESPONSES_FOLDER / f"{benchmark}.jsonl"):
            return True
        told = any(o.flags or o.finish is not None for o in outcomes)
        return told or self.manifest.provenance == "evaluated"

    def responses(self, benchmark: str) -> dict[tuple[str, int], Response]:
        """Read the responses of ``benchmark`` by (id, repeat); empty if none were kept.

        Raises :class:`InputError` with file and line for a line that can't be read.
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
    """Read the run in folder ``path``.

    With ``allow_unfinished``, the committed benchmarks of an unfinished run are read. Raises
    :class:`InputError` for a missing folder or manifest, another schema version, an unfinished
    run, a malformed line (file:line), a score outside 0..1, a duplicate (benchmark, id, repeat),
    and counts that don't match the manifest.
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
            f"has {size} bytes, but {MANIFEST_FILE} says {manifest.committed}",
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
        if outcome.benchmark not in safe:  # the name becomes a file name below responses/
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
            f"has {counts[name]} answers to {name}, but {MANIFEST_FILE} says "
            f"{expected.get(name, 0)}",
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
    """The score-only rows, without those of benchmarks that were never committed."""
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
            malformed("n must be a whole number or null", place)
        if found.setdefault((score.benchmark, score.subset), score) is not score:
            malformed(f"duplicate score for {score.benchmark}", place)
        if known is None or known.n:
            del found[(score.benchmark, score.subset)]
    return tuple(found.values())
