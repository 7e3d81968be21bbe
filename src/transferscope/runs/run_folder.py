"""The run folder: append-only, safe to kill at any moment, read strictly.

    run.json                    the manifest: what, how, and how far it is committed
    outcomes.jsonl              one line per benchmark, item and repeat
    scores.jsonl                benchmarks of which only the score is known (imports)
    responses/BENCHMARK.jsonl   id, repeat, prompt, response (optional; read lazily)

A request that failed for good is an outcome whose score is null, with the reason in ``failed``; a
later line of the same answer replaces it. :mod:`.writer` says how a folder is written.

An outcomes.jsonl that is, but for blanks, what msgspec writes of the outcomes in it needs no further
check: every line has every field once and nothing else. Any other file is read line by line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from ..core.errors import InputError
from ..core.files import is_file, json_lines, open_file
from ..core.records import Failure, Outcome, Response, ScoreRow
from .manifest import MANIFEST_FILE, Manifest, read_manifest
from .outcome_columns import OutcomeColumns, columns_of

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
_DECODE = msgspec.json.Decoder(Outcome).decode_lines
_ENCODE = msgspec.json.Encoder().encode_lines
_OF_FAILURE = {"benchmark": str, "id": str, "repeat": int, "score": type(None), "failed": str}


Texts = Callable[[], Iterable[Response]]


@dataclass(frozen=True)
class Run:
    """A run as read: its manifest, the outcomes of every benchmark, and score-only rows.

    ``by_benchmark`` is in the order of the benchmarks' first lines. ``texts``: for foreign results,
    which ``path`` names, how the answers of a benchmark that kept any are read again; ``None`` for
    a run folder. ``failures``: answers that never came; they are in no score.
    """

    path: Path
    manifest: Manifest
    by_benchmark: Mapping[str, OutcomeColumns]
    scores: tuple[ScoreRow, ...] = ()
    texts: Mapping[str, Texts] | None = field(default=None, repr=False)
    failures: tuple[Failure, ...] = ()

    @property
    def place(self) -> Path:
        """What the user named."""
        return self.path

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """All outcomes, benchmark by benchmark; made anew at every call."""
        return tuple(outcome for rows in self.by_benchmark.values() for outcome in rows)

    @cached_property
    def failed(self) -> Mapping[str, tuple[Failure, ...]]:
        """Failures of every benchmark that has any."""
        names = dict.fromkeys(failure.benchmark for failure in self.failures)
        return {name: tuple(f for f in self.failures if f.benchmark == name) for name in names}

    def keeps_answers(self, benchmark: str) -> bool:
        """Whether artefacts of ``benchmark`` are known, from its answers or from the engine.

        Nobody knows whether an answer was cut of which only a table's score was kept.
        """
        outcomes = self.by_benchmark.get(benchmark)
        if outcomes is None:
            return False
        if self.texts is not None:
            kept = benchmark in self.texts
        else:
            kept = is_file(self.path / RESPONSES_FOLDER / f"{benchmark}.jsonl")
        told = any(outcomes.column("flags")) or any(outcomes.column("finish"))
        return kept or told or self.manifest.provenance == "evaluated"

    def responses(self, benchmark: str) -> dict[tuple[str, int], Response]:
        """Responses of ``benchmark`` by (id, repeat), read now; empty where none were kept.

        Raises :class:`InputError` naming file and line of what can't be read.
        """
        if self.texts is not None:
            found = self.texts[benchmark]() if benchmark in self.texts else ()
            return {(response.id, response.repeat): response for response in found}
        path = self.path / RESPONSES_FOLDER / f"{benchmark}.jsonl"
        if benchmark not in self.by_benchmark or not is_file(path):
            return {}
        kept: dict[tuple[str, int], Response] = {}
        for place, row in _rows(path):
            if missing := [name for name in Response.__struct_fields__ if name not in row]:
                _malformed(f"missing {missing[0]!r}", place)
            try:
                response = Response(**row)
            except TypeError as err:
                _malformed(str(err), place)
            kinds = (type(response.id), type(response.prompt), type(response.response))
            if type(response.repeat) is not int or kinds != (str, str, str):
                _malformed("id, prompt and response must be strings, repeat a number", place)
            kept[(response.id, response.repeat)] = response
        return kept


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
    content = _committed(file, manifest)
    failures: tuple[Failure, ...] = ()
    if (columns := _written(content)) is not None:
        counts = Counter({name: len(rows) for name, rows in columns.items()})
    else:
        columns, failures, counts = _read_strictly(content, file)
    expected = {name: entry["n"] for name, entry in manifest.complete.items()}
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
        columns,
        _scores(path / SCORES_FILE, manifest),
        failures=failures,
    )


def _written(content: bytes) -> dict[str, OutcomeColumns] | None:
    """The outcomes where ``content`` is what this program writes, else ``None``."""
    try:
        outcomes = _DECODE(content)
        written = _ENCODE(outcomes)
        if written != content and written != _without_blanks(content):
            return None
    except (ValueError, RecursionError):
        return None
    columns = columns_of(outcomes)
    whole = all(SAFE_NAME.fullmatch(name) and rows.unique for name, rows in columns.items())
    return columns if whole else None


def _without_blanks(content: bytes) -> bytes:
    """The lines of JSON without blanks between their tokens. Raises ``ValueError`` for others."""
    return b"".join(msgspec.json.format(line, indent=-1) + b"\n" for line in BytesIO(content))


def _read_strictly(
    content: bytes, file: Path
) -> tuple[dict[str, OutcomeColumns], tuple[Failure, ...], Counter[str]]:
    """Outcomes and failures of the lines, and how many lines each benchmark has."""
    outcomes: dict[tuple[str, str, int], Outcome] = {}
    failures: dict[tuple[str, str, int], Failure] = {}
    counts: Counter[str] = Counter()
    for place, row in json_lines(BytesIO(content), path=file, remedy=_REPAIR):
        if "failed" in row:
            failure = _failure(row, place)
            failures[failure.key] = failure
            counts[failure.benchmark] += 1
            continue
        outcome = _outcome(row, place)
        name = outcome.benchmark
        if not SAFE_NAME.fullmatch(name):  # it names a file below responses/
            _malformed(f"benchmark name {name!r} can't be a file name", place)
        counts[name] += 1
        if outcomes.setdefault(outcome.key, outcome) is not outcome:
            key = f"benchmark {name}, id {outcome.id}, repeat {outcome.repeat}"
            raise InputError(f"duplicate answer: {key}", place=place, remedy=AGAIN)
    lost = tuple(failure for key, failure in failures.items() if key not in outcomes)
    return columns_of(outcomes.values()), lost, counts


def _committed(file: Path, manifest: Manifest) -> bytes:
    """The bytes of outcomes.jsonl that count; none where there is no file."""
    if not is_file(file):
        return b""
    with open_file(file, remedy=_REPAIR) as content:
        return content.read(manifest.committed)


def _scores(file: Path, manifest: Manifest) -> tuple[ScoreRow, ...]:
    """The score-only rows; those of a benchmark that was never committed are left out."""
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
            _malformed("n is neither a whole number nor null", place)
        if found.setdefault((score.benchmark, score.subset), score) is not score:
            _malformed(f"a second score of {score.benchmark}", place)
        if known is None or known["n"]:
            del found[(score.benchmark, score.subset)]
    return tuple(found.values())


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file's rows, none where there is no file."""
    if is_file(file):
        with open_file(file, remedy=_REPAIR) as lines:
            yield from json_lines(lines, path=file, remedy=_REPAIR)


def _outcome(row: dict[str, Any], place: str) -> Outcome:
    try:
        return msgspec.convert(row, Outcome)
    except ValueError:
        pass  # what is wrong is said below
    if what := _complaint(tuple(row), tuple(map(type, row.values()))):
        _malformed(what, place)
    for name in ("flags", "flags_inferred"):
        value = row.get(name, ())
        if value and not all(isinstance(flag, str) for flag in value):
            _malformed(f"{name} is not a list of strings", place)
        row[name] = tuple(value)
    try:
        return Outcome(**row)
    except ValueError as err:
        _malformed(str(err), place)


def _failure(row: dict[str, Any], place: str) -> Failure:
    if {name: type(value) for name, value in row.items()} != _OF_FAILURE:
        _malformed("a failed answer has benchmark, id, repeat, a null score and a reason", place)
    if not row["failed"].isprintable() or len(row["failed"]) > LONGEST_REASON:
        _malformed("the reason of a failed answer is not one line", place)
    return Failure(row["benchmark"], row["id"], row["repeat"], row["failed"])


@lru_cache(maxsize=256)
def _complaint(names: tuple[str, ...], kinds: tuple[type, ...]) -> str | None:
    """What is wrong with a row of these fields and types; nearly all rows of a file are alike."""
    row = dict(zip(names, kinds, strict=True))
    if missing := sorted(_REQUIRED - set(row)):
        return f"missing {missing[0]!r}"
    if unknown := sorted(set(row) - _FIELDS):
        return f"unknown field {unknown[0]!r}"
    nothing = type(None)
    for expected, allowed, names_ in (
        ("not a string", (str,), _STRINGS),
        ("neither a string nor null", (str, nothing), _OPTIONAL_STRINGS),
        ("not a number", (int, float, bool), ("score", "weight")),
        ("neither a number nor null", (int, float, bool, nothing), ("chance",)),
        ("not a whole number", (int,), ("repeat",)),  # a bool is no int here
        ("neither a whole number nor null", (int, nothing), ("tokens",)),
        ("not a list of strings", (list,), ("flags", "flags_inferred")),
    ):
        if wrong := [name for name in names_ if name in row and row[name] not in allowed]:
            return f"{wrong[0]} is {expected}"
    return None


def _malformed(what: str, place: str) -> NoReturn:
    raise InputError(what, place=place, remedy=_REPAIR) from None
