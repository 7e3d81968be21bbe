"""Lines of a run folder's files: outcomes decoded fast, and what is wrong with a malformed line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from sys import intern
from typing import Any, NoReturn

from msgspec.json import Decoder, Encoder
from msgspec.json import format as format_json
from msgspec.structs import force_setattr

from ..core.errors import InputError
from ..core.files import is_file, json_lines, open_file
from ..core.records import Failure, Outcome

AGAIN = "evaluate or import again into another folder: --out DIR"
REPAIR = f"repair the line, or {AGAIN}"
_STRINGS = ("benchmark", "id", "subset", "cluster")
_OPTIONAL_STRINGS = ("finish", "message_hash", "rendered_hash")
_REQUIRED = {"benchmark", "id", "score"}
LONGEST_REASON = 1000
_FIELDS = set(Outcome.__struct_fields__)
_OF_FAILURE = {"benchmark": str, "id": str, "repeat": int, "score": type(None), "failed": str}
_DECODER, _ENCODER = Decoder(Outcome), Encoder()


def rows_of(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file's rows, none where there is no file."""
    if is_file(file):
        with open_file(file, remedy=REPAIR) as lines:
            yield from json_lines(lines, path=file, remedy=REPAIR)


def outcome_lines(file: Path, committed: int) -> Iterator[tuple[int, Outcome | Failure]]:
    """Number and record of every line among the first ``committed`` bytes."""
    if not is_file(file):
        return
    with open_file(file, remedy=REPAIR) as opened:
        content = opened.read(committed)
    known: dict[float, float] = {}
    if (written := _written(content)) is not None:
        for number, outcome in enumerate(written, start=1):
            yield number, pooled(outcome, known)
        return
    for place, row in json_lines(BytesIO(content), path=file, remedy=REPAIR):
        number = int(place.rpartition(":")[2])
        if "failed" in row:
            yield number, _failure(row, place)
        else:
            yield number, pooled(_outcome(row, place), known)


def _written(content: bytes) -> list[Outcome] | None:
    """The outcomes if ``content`` is, except for white space, what the writer writes of them.

    No line then has a key twice, an unknown field or a value of another type. ``None`` does
    not mean that the content is invalid: fields may be left out, and failures be among them.
    """
    try:
        outcomes = _DECODER.decode_lines(content)
        written = _ENCODER.encode_lines(outcomes)
        if written == content:
            return outcomes
        lines = (format_json(line, indent=-1) + b"\n" for line in BytesIO(content))
        return outcomes if written == b"".join(lines) else None
    except (ValueError, RecursionError):
        return None


def pooled(outcome: Outcome, known: dict[float, float]) -> Outcome:
    """The same outcome, with one object for equal texts of all runs and for equal numbers.

    It halves what a cohort of models takes of memory: items and their hashes are the same in all.
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
        malformed(what, place)
    for field in ("flags", "flags_inferred"):
        value = row.get(field, ())
        if value and not all(isinstance(flag, str) for flag in value):
            malformed(f"{field} is not a list of strings", place)
        row[field] = tuple(value)
    try:
        return Outcome(**row)
    except (TypeError, ValueError, OverflowError) as err:
        malformed(str(err), place)


def _failure(row: dict[str, Any], place: str) -> Failure:
    if {name: type(value) for name, value in row.items()} != _OF_FAILURE:
        malformed("a failed answer needs benchmark, id, repeat, a null score and a reason", place)
    if not row["failed"].isprintable() or len(row["failed"]) > LONGEST_REASON:
        malformed("the reason of a failed answer must be one printable line", place)
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
        ("not a number", (int, float), ("score", "weight")),  # exact types: a bool is refused
        ("neither a number nor null", (int, float, nothing), ("chance",)),
        ("not a whole number", (int,), ("repeat",)),
        ("neither a whole number nor null", (int, nothing), ("tokens",)),
        ("not a list of strings", (list,), ("flags", "flags_inferred")),
    ):
        if wrong := [name for name in names_ if name in row and row[name] not in allowed]:
            return f"{wrong[0]} is {expected}"
    return None


def malformed(what: str, place: str) -> NoReturn:
    """Raise :class:`InputError` for a line of a run folder that can't be used."""
    raise InputError(what, place=place, remedy=REPAIR) from None
