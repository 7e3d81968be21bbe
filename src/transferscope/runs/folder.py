"""The run folder: append-only, safe to kill at any moment, read strictly.

    run.json                    the manifest: what, how, and how far it is committed
    outcomes.jsonl              one line per benchmark, item and repeat
    scores.jsonl                benchmarks of which only the score is known (imports)
    responses/BENCHMARK.jsonl   id, repeat, prompt, response (optional; read lazily)

A benchmark is committed in this order: its responses (written aside, renamed), its outcome lines
(appended, flushed to disk), the manifest (replaced atomically) with the new length of
outcomes.jsonl. What lies beyond that length was cut off by a kill and is dropped at resume.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from ..core.errors import InputError
from ..core.files import (
    appending,
    check_folder,
    is_file,
    is_scratch,
    json_lines,
    make_folder,
    open_file,
    refusing,
    remove_left,
    write_atomically,
)
from ..core.records import Outcome, Response, ScoreRow
from .manifest import (
    MANIFEST_FILE,
    SCHEMA,
    Manifest,
    read_manifest,
    write_manifest,
)

__all__ = ["SCHEMA", "Manifest", "Run", "RunWriter", "read_run"]

OUTCOMES_FILE = "outcomes.jsonl"
SCORES_FILE = "scores.jsonl"
RESPONSES_FOLDER = "responses"
_REPAIR = "repair the line, or evaluate or import again"
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STRINGS = ("benchmark", "id", "subset", "cluster")
_OPTIONAL_STRINGS = ("finish", "message_hash", "rendered_hash")
_REQUIRED = {"benchmark", "id", "score"}
_FIELDS = {f.name for f in fields(Outcome)}


class RunWriter:
    """Writes one run folder, benchmark by benchmark. Use :meth:`open`.

    As a context manager it marks the run complete only when the block ends without an error.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest

    @classmethod
    def open(cls, path: str | Path, manifest: Manifest) -> RunWriter:
        """Create the folder, or resume it: lines beyond the last commit are dropped.

        Raises :class:`InputError` for a folder that holds something else, and for a run of
        another model, suite, decoding, seed or limit (the message names what differs).
        """
        path = Path(path)
        check_folder(path)
        if not (path / MANIFEST_FILE).is_file():
            # A kill before the first manifest leaves at most its scratch file.
            if path.is_dir() and not all(
                is_scratch(file, of=MANIFEST_FILE) for file in path.iterdir()
            ):
                raise InputError(
                    f"holds files but no {MANIFEST_FILE}",
                    place=str(path),
                    remedy="name a new or an empty folder: --out DIR",
                )
            make_folder(path)
            write_manifest(path, manifest)
            return cls(path, manifest)
        for folder in (path, path / RESPONSES_FOLDER):
            remove_left(folder)
        existing = read_manifest(path)
        _refuse_another(path, existing.identity(), manifest.identity())
        outcomes = path / OUTCOMES_FILE
        size = outcomes.stat().st_size if is_file(outcomes) else 0
        if size < existing.committed:
            raise InputError(
                f"{size} bytes, but {existing.committed} were committed",
                place=str(outcomes),
                remedy="the file was changed; evaluate again into another folder",
            )
        if size > existing.committed:
            with refusing(outcomes, "can't be written"):
                os.truncate(outcomes, existing.committed)
        return cls(path, existing)

    @property
    def finished(self) -> frozenset[str]:
        """Benchmarks already committed."""
        return frozenset(self.manifest.complete)

    def write_benchmark(
        self, name: str, outcomes: Sequence[Outcome], responses: Iterable[Response] = ()
    ) -> None:
        """Commit one benchmark, wholly or not at all.

        ``responses`` are written as they come, and ``outcomes`` looked at only after the last of
        them: an importer may fill the one while it yields the other, so that no text is kept.

        Raises ``ValueError`` for outcomes of another benchmark, duplicate (id, repeat) pairs, no
        outcomes or a benchmark that is already committed; :class:`InputError` for a name that
        can't be a file name.
        """
        if not _SAFE_NAME.fullmatch(name):
            raise InputError(
                f"benchmark name {name!r} can't be a file name",
                remedy="use letters, digits, '.', '_' and '-'",
            )
        if name in self.manifest.complete:
            raise ValueError(f"benchmark {name!r} is already committed")
        lines = (json.dumps(asdict(response), ensure_ascii=False) + "\n" for response in responses)
        if (first := next(lines, None)) is not None:
            folder = self.path / RESPONSES_FOLDER
            make_folder(folder)
            write_atomically(folder / f"{name}.jsonl", chain([first], lines))
        if not outcomes or any(outcome.benchmark != name for outcome in outcomes):
            raise ValueError(f"benchmark {name!r} needs outcomes, all of its own")
        keys = Counter(outcome.key for outcome in outcomes)
        if twice := [key for key, count in keys.items() if count > 1]:
            raise ValueError(f"duplicate answer {twice[0]}")
        with appending(self.path / OUTCOMES_FILE) as file:
            for outcome in outcomes:
                line = json.dumps(asdict(outcome), ensure_ascii=False, allow_nan=False)
                file.write(line.encode() + b"\n")
            end = file.tell()
        entry = {"outcomes_bytes": end, "n": len(outcomes)}
        complete = {**self.manifest.complete, name: entry}
        self._replace(replace(self.manifest, complete=complete, status="running"))

    def write_scores(self, rows: Sequence[ScoreRow]) -> None:
        """Commit all benchmarks of which only scores are known, at once, over earlier ones.

        Raises ``ValueError`` for a (benchmark, subset) twice or a benchmark that has outcomes.
        """
        keys = Counter((row.benchmark, row.subset) for row in rows)
        twice = [key for key, count in keys.items() if count > 1]
        both = [r.benchmark for r in rows if self.manifest.complete.get(r.benchmark, {}).get("n")]
        if twice or both:
            raise ValueError(f"a second score of {(twice or both)[0]}")
        lines = [json.dumps(asdict(row), ensure_ascii=False, allow_nan=False) for row in rows]
        write_atomically(self.path / SCORES_FILE, "".join(line + "\n" for line in lines))
        entry = {"outcomes_bytes": self.manifest.committed, "n": 0}
        complete = {**self.manifest.complete, **{row.benchmark: entry for row in rows}}
        self._replace(replace(self.manifest, complete=complete, status="running"))

    def close(self) -> None:
        """Mark the run complete."""
        if self.manifest.status != "complete":
            self._replace(replace(self.manifest, status="complete"))

    def _replace(self, manifest: Manifest) -> None:
        write_manifest(self.path, manifest)
        self.manifest = manifest

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()


@dataclass(frozen=True)
class Run:
    """A run as read: its manifest, every outcome in the file's order, and score-only rows.

    ``origin``: the foreign results it was imported from, where the folder is a passing one.
    """

    path: Path
    manifest: Manifest
    outcomes: tuple[Outcome, ...]
    scores: tuple[ScoreRow, ...] = ()
    origin: Path | None = None

    @property
    def place(self) -> Path:
        """What the user named."""
        return self.origin or self.path

    @cached_property
    def by_benchmark(self) -> dict[str, tuple[Outcome, ...]]:
        """Outcomes of every benchmark, in the order of their first lines."""
        grouped: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            grouped.setdefault(outcome.benchmark, []).append(outcome)
        return {name: tuple(outcomes) for name, outcomes in grouped.items()}

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
            remedy="start the same command again, it goes on where it stopped",
        )
    file = path / OUTCOMES_FILE
    size = file.stat().st_size if is_file(file) else 0
    too_long = manifest.status == "complete" and size > manifest.committed
    if size < manifest.committed or too_long:
        raise InputError(
            f"{size} bytes, but {MANIFEST_FILE} says {manifest.committed}",
            place=str(file),
            remedy="the file was changed; evaluate or import again",
        )
    outcomes: dict[tuple[str, str, int], Outcome] = {}
    safe: set[str] = set()
    for place, row in _rows(file, manifest.committed):
        outcome = _outcome(row, place)
        if outcome.benchmark not in safe:  # it names a file below responses/
            if not _SAFE_NAME.fullmatch(outcome.benchmark):
                _malformed(f"benchmark name {outcome.benchmark!r} can't be a file name", place)
            safe.add(outcome.benchmark)
        if outcomes.setdefault(outcome.key, outcome) is not outcome:
            key = f"benchmark {outcome.benchmark}, id {outcome.id}, repeat {outcome.repeat}"
            raise InputError(
                f"duplicate answer: {key}", place=place, remedy="evaluate or import again"
            )
    counts = Counter(outcome.benchmark for outcome in outcomes.values())
    expected = {name: entry["n"] for name, entry in manifest.complete.items()}
    if wrong := sorted(n for n in {*counts, *expected} if counts[n] != expected.get(n, 0)):
        name = wrong[0]
        raise InputError(
            f"{counts[name]} answers of {name}, but {MANIFEST_FILE} says {expected.get(name, 0)}",
            place=str(file),
            remedy="the file was changed; evaluate or import again",
        )
    return Run(path, manifest, tuple(outcomes.values()), _scores(path / SCORES_FILE, manifest))


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


def _rows(file: Path, committed: int | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file's rows, none where there is no file; the first ``committed`` bytes where given."""
    if not is_file(file):
        return
    with open_file(file, remedy=_REPAIR) as lines:
        if committed is None:
            yield from json_lines(lines, path=file, remedy=_REPAIR)
            return
        content = lines.read(committed)
    yield from json_lines(content.split(b"\n"), path=file, remedy=_REPAIR)


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
        ("not a whole number", (int,), ("repeat",)),  # a bool is no int here
        ("neither a whole number nor null", (int, nothing), ("tokens",)),
        ("not a list of strings", (list,), ("flags", "flags_inferred")),
    ):
        if wrong := [name for name in names_ if name in row and row[name] not in allowed]:
            return f"{wrong[0]} is {expected}"
    return None


def _malformed(what: str, place: str) -> NoReturn:
    raise InputError(what, place=place, remedy=_REPAIR) from None


def _refuse_another(path: Path, mine: dict[str, Any], asked: dict[str, Any]) -> None:
    for name, value in mine.items():
        if value == asked[name]:
            continue
        shown = f": {value} there, {asked[name]} asked for" if name != "decoding" else ""
        raise InputError(
            f"holds a run with another {name}{shown}",
            place=str(path),
            remedy="name another folder: --out DIR",
        )
