"""Write a run folder: one writer at a time, append-only, safe to kill at any moment.

A benchmark is committed in this order: its responses (written to a temporary file, then renamed),
its outcome lines (appended, flushed to disk), and the manifest (replaced atomically) with the new
length of outcomes.jsonl. Lines beyond that length come from a killed writer and are dropped when
the run is resumed.

    .run.lock               locked while a command writes here; released when its process exits
    .run.writer             which process that is
    .answers.BENCHMARK.jsonl  answers to a benchmark that is not committed yet: see journal.py
    .shards/                parts that other machines have finished, before they are joined
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

from msgspec.json import encode

from ..core.errors import InputError
from ..core.files import (
    appending,
    check_folder,
    holding,
    is_file,
    is_scratch,
    make_folder,
    open_file,
    read_head,
    refusing,
    remove_left,
    write_atomically,
)
from ..core.records import Failure, Outcome, Response, ScoreRow
from ..documents.run_manifest import Committed, Manifest
from .journal import drop_journals, holds_answers
from .manifest import MANIFEST_FILE, read_manifest, refuse_another, write_manifest
from .outcome_lines import AGAIN
from .run_folder import OUTCOMES_FILE, RESPONSES_FOLDER, SAFE_NAME, SCORES_FILE

LOCK_FILE = ".run.lock"
WRITER_FILE = ".run.writer"
SHARDS_FOLDER = ".shards"
"""Finished parts of an evaluation over several machines, until they are joined."""


@contextmanager
def claimed(path: str | Path) -> Iterator[None]:
    """Lock the run folder ``path`` for this process while the block runs; create it if missing.

    The lock is released when the process exits, even if it is killed. Raises :class:`InputError`
    for a folder that another process is writing (naming the process) and for one that holds
    anything but a run.
    """
    path = Path(path)
    refuse_foreign(path)
    is_new = not path.exists()
    with holding(path / LOCK_FILE, wait=False) as alone:
        writer = path / WRITER_FILE
        if not alone:
            remedy = "wait for it to finish, or name another folder: --out DIR"
            raise InputError(f"{_who(writer)} is writing to it", place=str(path), remedy=remedy)
        with suppress(InputError):  # the file only serves the message above
            write_atomically(writer, f"process {os.getpid()} on {socket.gethostname()}")
        try:
            yield
        finally:
            with suppress(OSError):
                writer.unlink()
            if is_new and [file.name for file in path.iterdir()] == [LOCK_FILE]:
                (path / LOCK_FILE).unlink()
                path.rmdir()


def _who(writer: Path) -> str:
    told = read_head(writer, size=200)  # empty if the writer has only just started
    return told if told.startswith("process ") and told.isprintable() else "another process"


def is_unwritten(path: Path) -> bool:
    """Whether ``path`` is missing, empty, or was left without content by a killed writer."""
    if not path.is_dir():
        return True
    # A kill before the first manifest leaves at most these files and their scratch files.
    return all(
        file.name in (LOCK_FILE, WRITER_FILE, SHARDS_FOLDER)
        or any(is_scratch(file, of=name) for name in (WRITER_FILE, MANIFEST_FILE))
        for file in path.iterdir()
    )


def refuse_foreign(path: Path) -> None:
    """Raise :class:`InputError` for a file, and for a folder that holds anything but a run."""
    check_folder(path)
    if not (path / MANIFEST_FILE).is_file() and not is_unwritten(path):
        raise InputError(
            f"contains files but no {MANIFEST_FILE}",
            place=str(path),
            remedy="name a new or an empty folder: --out DIR",
        )


def resumable(path: Path, manifest: Manifest) -> Manifest | None:
    """The manifest of the run in ``path`` that ``manifest`` would resume; changes nothing.

    ``None`` if there is no run yet, or a different one without any answer. Raises the same errors
    as :meth:`RunWriter.open`.
    """
    refuse_foreign(path)
    if not (path / MANIFEST_FILE).is_file():
        return None
    existing = read_manifest(path)
    if not (existing.complete or holds_answers(path)):
        return existing if existing.identity() == manifest.identity() else None
    refuse_another(path, existing, manifest)
    outcomes = path / OUTCOMES_FILE
    size = outcomes.stat().st_size if is_file(outcomes) else 0
    if size < existing.committed:
        raise InputError(
            f"has {size} bytes, but {existing.committed} were committed",
            place=str(outcomes),
            remedy=f"the file was changed; {AGAIN}",
        )
    return existing


class RunWriter:
    """Writes one run folder, benchmark by benchmark. Use :meth:`open` inside :func:`claimed`.

    As a context manager, it marks the run complete only if the block ends without an error.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest

    @classmethod
    def open(cls, path: str | Path, manifest: Manifest) -> RunWriter:
        """Create the folder, or resume its run and drop lines beyond the last commit.

        A different run without any answer is replaced. Raises :class:`InputError` for a folder
        that holds anything but a run, and for a run with another model, suite, decoding or seed,
        or with more items (the message names the difference).
        """
        path = Path(path)
        existing = resumable(path, manifest)
        for folder in (path, path / RESPONSES_FOLDER):
            remove_left(folder)
        if existing is None:
            make_folder(path)
            drop_journals(path)
            write_manifest(path, manifest)
        outcomes = path / OUTCOMES_FILE
        committed = 0 if existing is None else existing.committed
        if outcomes.is_file() and outcomes.stat().st_size > committed:
            with refusing(outcomes, "can't be written"):
                os.truncate(outcomes, committed)
        if existing is None:
            return cls(path, manifest)
        if existing.limit != manifest.limit:  # more items: stored when the first one is committed
            existing = replace(existing, limit=manifest.limit, status="running")
        return cls(path, existing)

    @property
    def finished(self) -> frozenset[str]:
        """The benchmarks already committed."""
        return frozenset(self.manifest.complete)

    def write_benchmark(
        self,
        name: str,
        outcomes: Sequence[Outcome],
        responses: Iterable[Response] = (),
        failures: Sequence[Failure] = (),
    ) -> None:
        """Commit one benchmark atomically.

        ``responses`` are written as they are produced, and ``outcomes`` is read only after the last
        response. So an importer can fill ``outcomes`` while it yields responses, without keeping
        the texts in memory.

        Raises ``ValueError`` for outcomes of another benchmark, duplicate (id, repeat) pairs, no
        outcomes, or a benchmark that is already committed; :class:`InputError` for a name that
        can't be a file name.
        """
        check_name(name)
        if name in self.manifest.complete:
            raise ValueError(f"benchmark {name!r} is already committed")
        self._commit(name, outcomes, map(_line, responses), failures)

    def add(
        self,
        name: str,
        outcomes: Sequence[Outcome],
        responses: Sequence[Response],
        failures: Sequence[Failure],
    ) -> None:
        """Add to a committed benchmark: further items, or answers to requests that had failed.

        ``failures`` must list every answer that is still missing.
        """
        if self.manifest.status != "running":  # else a kill would look like a changed file
            self._replace(replace(self.manifest, status="running"))
        new = {(response.id, response.repeat) for response in responses}
        kept = self._kept_responses(name, without=new)
        self._commit(name, outcomes, chain(kept, map(_line, responses)), failures)

    def _kept_responses(self, name: str, *, without: set[tuple[str, int]]) -> Iterator[bytes]:
        file = self.path / RESPONSES_FOLDER / f"{name}.jsonl"
        if not is_file(file):
            return
        with open_file(file, remedy=AGAIN) as lines:
            for line in lines:
                row = json.loads(line)
                if (row["id"], row["repeat"]) not in without:
                    yield line

    def _commit(
        self,
        name: str,
        outcomes: Sequence[Outcome],
        responses: Iterator[bytes],
        failures: Sequence[Failure],
    ) -> None:
        if (first := next(responses, None)) is not None:
            folder = self.path / RESPONSES_FOLDER
            make_folder(folder)
            write_atomically(folder / f"{name}.jsonl", chain([first], responses))
        records: list[Outcome | Failure] = [*outcomes, *failures]
        check_records(name, records)
        with appending(self.path / OUTCOMES_FILE) as file:
            for record in chain(outcomes, map(_failed, failures)):
                file.write(encode(record) + b"\n")
            end = file.tell()
        there = self.manifest.complete.get(name)
        count = len(records) + (there.n if there else 0)
        entry = Committed(outcomes_bytes=end, n=count, failed=len(failures))
        complete = {**self.manifest.complete, name: entry}
        self._replace(replace(self.manifest, complete=complete, status="running"))

    def write_scores(self, rows: Sequence[ScoreRow]) -> None:
        """Commit all benchmarks that have a score but no answers at once, replacing earlier ones.

        Raises ``ValueError`` for a duplicate (benchmark, subset) and a benchmark with outcomes.
        """
        check_scores(rows, self.manifest)
        write_atomically(self.path / SCORES_FILE, b"".join(encode(row) + b"\n" for row in rows))
        entry = Committed(outcomes_bytes=self.manifest.committed, n=0)
        complete = {**self.manifest.complete, **{row.benchmark: entry for row in rows}}
        self._replace(replace(self.manifest, complete=complete, status="running"))

    def tell(self, contradictions: Mapping[str, str]) -> None:
        """Record how samples contradict the reported results; the next commit writes it."""
        told = {**self.manifest.contradictions, **contradictions}
        self.manifest = replace(self.manifest, contradictions=told)

    def measured(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Record what other graders give for committed benchmarks (scores in 0..1)."""
        self._replace(replace(self.manifest, metrics={**self.manifest.metrics, **metrics}))

    def close(self) -> None:
        """Mark the run complete."""
        drop_journals(self.path)  # a kill between commit and removal may have left one
        shutil.rmtree(self.path / SHARDS_FOLDER, ignore_errors=True)
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


def check_name(benchmark: str) -> None:
    """Raise :class:`InputError` for a benchmark whose name can't be a file name."""
    if not SAFE_NAME.fullmatch(benchmark):
        raise InputError(
            f"benchmark name {benchmark!r} can't be a file name",
            remedy="use letters, digits, '.', '_' and '-'",
        )


def check_records(benchmark: str, records: Sequence[Outcome | Failure]) -> None:
    """Raise ``ValueError`` for no records, another benchmark's records, and duplicate keys."""
    if not records or any(record.benchmark != benchmark for record in records):
        raise ValueError(f"benchmark {benchmark!r} has no outcomes, or those of another benchmark")
    if len({(record.id, record.repeat) for record in records}) < len(records):
        keys = Counter(record.key for record in records)
        raise ValueError(f"duplicate answer {next(key for key, n in keys.items() if n > 1)}")


def check_scores(rows: Sequence[ScoreRow], manifest: Manifest) -> None:
    """Raise ``ValueError`` for a duplicate (benchmark, subset) and a benchmark with outcomes."""
    keys = Counter((row.benchmark, row.subset) for row in rows)
    twice = [key for key, count in keys.items() if count > 1]
    answered = {name for name, entry in manifest.complete.items() if entry.n}
    both = [row.benchmark for row in rows if row.benchmark in answered]
    if twice or both:
        raise ValueError(f"duplicate score for {(twice or both)[0]}")


def _line(response: Response) -> bytes:
    return encode(response) + b"\n"


def _failed(failure: Failure) -> dict[str, Any]:
    return {
        "benchmark": failure.benchmark,
        "id": failure.id,
        "repeat": failure.repeat,
        "score": None,
        "failed": failure.why,
    }
