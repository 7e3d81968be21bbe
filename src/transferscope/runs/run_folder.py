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
from functools import cached_property, lru_cache
from pathlib import Path
from sys import intern
from typing import Any, NoReturn

from msgspec import DecodeError
from msgspec.json import Decoder, encode
from msgspec.structs import force_setattr

from ..core.errors import InputError
from ..core.files import is_file, json_lines, open_file
from ..core.records import Failure, Outcome, Response, ScoreRow
from ..documents.run_manifest import Manifest
from .benchmark_answers import BenchmarkAnswers
from .manifest import MANIFEST_FILE, read_manifest

__all__ = ["Run", "read_run"]

OUTCOMES_FILE = "outcomes.jsonl"
SCORES_FILE = "scores.jsonl"
RESPONSES_FOLDER = "responses"
AGAIN = "evaluate or import again into another folder: --out DIR"
_REPAIR = f"repair the line, or {AGAIN}"
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STRINGS = ("benchmark", "id", "subset", "cluster")
_OPTIONAL_STRINGS = ("finish", "message_hash", "rendered_hash")
_REQUIRED = {"benchmark", "id", "score"}
LONGEST_REASON = 1000
_FIELDS = set(Outcome.__struct_fields__)
_OF_FAILURE = {"benchmark": str, "id": str, "repeat": int, "score": type(None), "failed": str}


@dataclass(frozen=True)
class Run:
    """A run as read: its manifest, every outcome in file order, and score-only rows.

    ``origin`` is the path of the foreign results that this run was read from, if any; ``path`` is
    then a temporary folder that holds only the responses. ``failures`` are requests without an
    answer; they don't count in a score.
    """

    path: Path
    manifest: Manifest
    outcomes: tuple[Outcome, ...]
    scores: tuple[ScoreRow, ...] = ()
    origin: Path | None = None
    failures: tuple[Failure, ...] = ()

    @property
    def place(self) -> Path:
        """The path that the user named."""
        return self.origin or self.path

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
        for place, row in _rows(path):
            try:
                response = Response(**row)
            except TypeError as err:
                _malformed(str(err), place)
            kinds = (type(response.id), type(response.prompt), type(response.response))
            if type(response.repeat) is not int or kinds != (str, str, str):
                _malformed("id, prompt and response must be strings, repeat a number", place)
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
    for number, outcome in _answers(file, manifest.committed):
        counts[outcome.benchmark] += 1
        if isinstance(outcome, Failure):
            failures[outcome.key] = outcome
            continue
        if outcome.benchmark not in safe:  # the name becomes a file name below responses/
            if not SAFE_NAME.fullmatch(outcome.benchmark):
                what = f"benchmark name {outcome.benchmark!r} can't be a file name"
                _malformed(what, f"{file}:{number}")
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
        tuple(outcomes.values()),
        _scores(path / SCORES_FILE, manifest),
        failures=tuple(failure for key, failure in failures.items() if key not in outcomes),
    )


def _scores(file: Path, manifest: Manifest) -> tuple[ScoreRow, ...]:
    """The score-only rows, without those of benchmarks that were never committed."""
    found: dict[tuple[str, str], ScoreRow] = {}
    for place, row in _rows(file):
        try:
            score = ScoreRow(**row)
            known = manifest.complete.get(score.benchmark)
        except (TypeError, ValueError) as err:
            _malformed(str(err), place)
        if not isinstance(score.benchmark, str) or not isinstance(score.subset, str):
            _malformed("benchmark and subset must be strings", place)
        if type(score.n) not in (int, type(None)):
            _malformed("n must be a whole number or null", place)
        if found.setdefault((score.benchmark, score.subset), score) is not score:
            _malformed(f"duplicate score for {score.benchmark}", place)
        if known is None or known.n:
            del found[(score.benchmark, score.subset)]
    return tuple(found.values())


def _rows(file: Path, committed: int | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of the file, limited to its first ``committed`` bytes; none if it doesn't exist."""
    if not is_file(file):
        return
    with open_file(file, remedy=_REPAIR) as lines:
        if committed is None:
            yield from json_lines(lines, path=file, remedy=_REPAIR)
            return
        content = lines.read(committed)
    yield from json_lines(content.split(b"\n"), path=file, remedy=_REPAIR)


def _answers(file: Path, committed: int) -> Iterator[tuple[int, Outcome | Failure]]:
    """The line number and record of every line in the first ``committed`` bytes."""
    if not is_file(file):
        return
    with open_file(file, remedy=_REPAIR) as opened:
        content = opened.read(committed)
    known: dict[float, float] = {}
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            outcome = _DECODER.decode(line)
        except (DecodeError, UnicodeDecodeError, RecursionError):
            outcome = None
        # A line that encodes back to the same bytes has no duplicate key and no unknown field.
        if outcome is None or encode(outcome) != line:
            for place, row in json_lines([line], path=file, remedy=_REPAIR, first=number):
                if "failed" in row:
                    yield number, _failure(row, place)
                else:
                    yield number, pooled(_outcome(row, place), known)
            continue
        yield number, pooled(outcome, known)


_DECODER = Decoder(Outcome)


def pooled(outcome: Outcome, known: dict[float, float]) -> Outcome:
    """The same outcome, with equal strings and numbers replaced by one shared object.

    This halves the memory of a cohort of models, whose items and hashes are the same in every run.
    """
    force_setattr(outcome, "benchmark", intern(outcome.benchmark))
    force_setattr(outcome, "id", intern(outcome.id))
    if outcome.message_hash is not None:
        force_setattr(outcome, "message_hash", intern(outcome.message_hash))
    if outcome.rendered_hash is not None:
        force_setattr(outcome, "rendered_hash", intern(outcome.rendered_hash))
    force_setattr(outcome, "score", known.setdefault(outcome.score, outcome.score))
    force_setattr(outcome, "weight", known.setdefault(outcome.weight, outcome.weight))
    if outcome.chance is not None:
        force_setattr(outcome, "chance", known.setdefault(outcome.chance, outcome.chance))
    return outcome


def _outcome(row: dict[str, Any], place: str) -> Outcome:
    if what := _complaint(tuple(row), tuple(map(type, row.values()))):
        _malformed(what, place)
    for name in ("flags", "flags_inferred"):
        value = row.get(name, ())
        if value and not all(isinstance(flag, str) for flag in value):
            _malformed(f"{name} is not a list of strings", place)
        row[name] = tuple(value)
    try:
        return Outcome(**row)
    except (TypeError, ValueError, OverflowError) as err:
        _malformed(str(err), place)


def _failure(row: dict[str, Any], place: str) -> Failure:
    if {name: type(value) for name, value in row.items()} != _OF_FAILURE:
        _malformed("a failed answer needs benchmark, id, repeat, a null score and a reason", place)
    if not row["failed"].isprintable() or len(row["failed"]) > LONGEST_REASON:
        _malformed("the reason of a failed answer must be one printable line", place)
    return Failure(row["benchmark"], row["id"], row["repeat"], row["failed"])


@lru_cache(maxsize=256)
def _complaint(names: tuple[str, ...], kinds: tuple[type, ...]) -> str | None:
    """What is wrong with a row of these fields and types. Cached: rows of a file look alike."""
    row = dict(zip(names, kinds, strict=True))
    if missing := sorted(_REQUIRED - set(row)):
        return f"missing {missing[0]!r}"
    if unknown := sorted(set(row) - _FIELDS):
        return f"unknown field {unknown[0]!r}"
    nothing = type(None)
    for expected, allowed, names_ in (
        ("not a string", (str,), _STRINGS),
        ("neither a string nor null", (str, nothing), _OPTIONAL_STRINGS),
        ("not a number", (int, float), ("score", "weight")),  # exact types: a bool is refused
        ("neither a number nor null", (int, float, nothing), ("chance",)),
        ("not a whole number", (int,), ("repeat",)),
        ("neither a whole number nor null", (int, nothing), ("tokens",)),
        ("not a list of strings", (list,), ("flags", "flags_inferred")),
    ):
        if wrong := [name for name in names_ if name in row and row[name] not in allowed]:
            return f"{wrong[0]} is {expected}"
    return None


def _malformed(what: str, place: str) -> NoReturn:
    raise InputError(what, place=place, remedy=_REPAIR) from None
