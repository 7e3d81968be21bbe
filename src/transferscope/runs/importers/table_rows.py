"""Read a row of a plain results file; JSON lines, JSON arrays and tables have the same columns.

===========  ======================================================================
id           the item; a string or a whole number. Without it, the prompt identifies
             the item; without both, the row is a score-only row
score        0..1, or true/false. Alternatively ``percent``: 0..100
benchmark    task name; without the column, all rows belong to benchmark "results"
model        the model's name; without it the file's name
             (base/gsm8k.jsonl: of model base on benchmark gsm8k)
repeat       number of the sample drawn for the item, starting at 0
prompt       what the model was given: text, or chat messages
response     what it answered: text, messages, a server's response, or a list of
             these for repeats of the item, with the same number of scores
subset       part of the benchmark
cluster      the same for items that share a story or passage
weight       the item's relative weight in the benchmark's mean
finish       how the answer ended: stop, stop_string, length
tokens       length of the answer
n, stderr    for score-only rows: items, standard error (on the score's scale)
metric       for score-only rows: the metric's name
===========  ======================================================================

``--field NAME=COLUMN`` and a taxonomy file's ``[columns]`` rename them, and other common names are
recognised (:mod:`~transferscope.core.columns`). Other columns are ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from msgspec.structs import replace as changed

from ...core.answers import ENDS, answers_in, asked_in, failures, item_key
from ...core.artefacts import Flagged, flags_of
from ...core.columns import Names, settle
from ...core.errors import InputError
from ...core.fieldnames import KNOWN
from ...core.nearest import did_you_mean
from ...core.records import Outcome, Response, ScoreRow
from ...core.shown import name as shown
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_stem
from .foreign_run import Sample
from .naming import Place

WHOLE = ("repeat", "tokens", "n")
NUMBERS = ("weight", "stderr", "percent")
TEXTS = ("benchmark", "model", "prompt", "response", "subset", "cluster", "finish", "metric")
COLUMNS = ("id", "score", *WHOLE, *NUMBERS, *TEXTS)
UNNAMED = "results"
"""The benchmark of rows that name none, so that two files without the column can be compared."""
LATE = ("cluster", "subset", "weight", "repeat", "finish", "tokens", "stderr", "n")
"""Columns that may first appear far down, because only some benchmarks in a file have stories.
Missing them would make intervals too narrow."""
REPAIR = "repair it, or copy it again"
"""For a file that is not a file of rows; :data:`REMEDY` is for rows that can't be used."""
REMEDY = "repair it, or name its columns: --field NAME=COLUMN, or [columns] of a --map file"
UNGRADED = "grade the answers first: transferscope score GRADER FILE --out GRADED.jsonl"
_ENDS = ("stop", "stop_string", "length")
_NO_FLAGS, _CUT = Flagged((), ()), Flagged(("truncated",), ())
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(TEXTS, (str,)),
    **dict.fromkeys(WHOLE, (int,)),
    **dict.fromkeys(NUMBERS, (int, float)),
    "id": (str, int),
    "score": (bool, int, float),
}


def names_for(rows: Sequence[Mapping[str, Any]], taxonomy: Taxonomy) -> Names:
    """The names of the columns of a file with these first rows.

    Raises :class:`InputError` for an unknown name in ``[columns]``.
    """
    if unknown := sorted(set(taxonomy.columns) - set(KNOWN)):
        raise InputError(
            f"unknown column {unknown[0]!r}",
            place="[columns]",
            remedy=did_you_mean(unknown[0], sorted(KNOWN)),
        )
    names = settle(rows, taxonomy.columns, wanted=COLUMNS)
    free = [name for name in LATE if name not in {*names.column, *names.column.values()}]
    return replace(names, column={**names.column, **{name: name for name in free}})


class Unnamed(NamedTuple):
    """The benchmark and model of rows that name none; ``note`` explains where the name is from."""

    benchmark: str
    model: str
    note: str = ""


def unnamed(path: Path, names: Names, taxonomy: Taxonomy) -> Unnamed:
    """Take the model from the file's name, or (base/gsm8k.jsonl) benchmark and model from the path.

    The benchmark is taken from the name only if no column has it.
    """
    stem, folder = bare_stem(path), path.absolute().parent.name
    if "benchmark" in names.column or not folder or taxonomy.find(stem) is None:
        return Unnamed(UNNAMED, stem)
    note = f"no column names the benchmark, so it is {shown(stem)}, after the file's name"
    return Unnamed(stem, folder, note)


def fields_in(row: Mapping[str, Any], names: Names) -> list[dict[str, Any]]:
    """The row's values under our names, once per answer; empty and ``null`` values are left out.

    The list is empty if the request failed. A row without an id has its prompt's hash as ``asked``.
    Raises ``ValueError`` naming the column of a value of the wrong type.
    """
    column = names.column
    found = {ours: row[theirs] for ours, theirs in column.items() if row.get(theirs) is not None}
    if _failed(row, found, column):
        return []
    several: list[dict[str, Any]] = [{}]
    if not isinstance(found.get("response", ""), str):
        several = _answers(found, column)
    if not isinstance(prompt := found.get("prompt", ""), str):
        found["prompt"] = _named(asked_in, prompt, column["prompt"])
    if "id" not in found and "prompt" in found:
        found["asked"] = item_key(row[column["prompt"]], row.get(names.also))
    if names.also and (more := row.get(names.also)):
        found["prompt"] = f"{found['prompt']}\n{more}"
    if isinstance(score := found.get("score"), list):
        several = _scored(several, score, column["score"])
    if "finish" in names.guessed and "finish" in found:
        found["finish"] = ENDS.get(str(found["finish"]))
    if several != [{}]:
        first = found.get("repeat", 0)
        numbered = enumerate(several, start=first if isinstance(first, int) else 0)
        every = [found | {"repeat": at} | own for at, own in numbered]
    else:
        every = [found]
    for fields in every:
        _check(fields, row, column)
    return every


class RowReader:
    """A fast :func:`fields_in` for the rows of a file, nearly all of which have the same shape.

    A shape is a row's columns and the types of its values. If the shape alone determines what is
    read (one graded answer with an id, and with or without text), values are copied unchecked.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self._picked: dict[Hashable, tuple[tuple[str, str], ...]] = {}

    def __call__(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The row's values under our names, once per answer; raises as :func:`fields_in`."""
        shape = (tuple(row), tuple(map(type, row.values())))
        if (picked := self._picked.get(shape)) is None:
            fields = fields_in(row, self.names)
            self._picked[shape] = self._pick(row, fields)
            return fields
        return (
            [{ours: row[theirs] for ours, theirs in picked}]
            if picked
            else fields_in(row, self.names)
        )

    def _pick(
        self, row: Mapping[str, Any], fields: list[dict[str, Any]]
    ) -> tuple[tuple[str, str], ...]:
        """Our names and the columns for a row of this shape; empty if the values matter."""
        column = self.names.column
        found = {o: t for o, t in column.items() if row.get(t) is not None}
        texts = all(isinstance(row[found[o]], str) for o in ("response", "prompt") if o in found)
        settled = texts and "id" in found and found.keys() & {"score", "percent"}
        guessed = self.names.also or ("finish" in self.names.guessed and "finish" in found)
        if not settled or guessed or fields != [{o: row[t] for o, t in found.items()}]:
            return ()
        return tuple(found.items())


class Numbered:
    """Gives rows without an id the prompt's hash as id, and numbers their repeats from 0."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()

    def __call__(self, fields: dict[str, Any]) -> dict[str, Any]:
        """``fields`` with an id, if they have a prompt but no id."""
        if "id" in fields or "asked" not in fields:
            return fields
        key = (fields.get("benchmark", UNNAMED), fields["asked"])
        found = fields | {"id": fields["asked"]}
        if "repeat" not in fields or fields["repeat"] < self.seen[key]:
            found["repeat"] = self.seen[key]
        self.seen[key] += 1
        return found

    @property
    def repeated(self) -> int:
        """The number of prompts that were asked more than once."""
        return sum(count > 1 for count in self.seen.values())


def notes_of(
    names: Names, default: Unnamed, numbered: Numbered | None, failed: int
) -> tuple[str, ...]:
    """Notes on recognised columns, on how items are identified, and on failed requests."""
    notes = [note for note in (names.said, default.note) if note]
    if numbered is not None and numbered.seen:
        again = f", {numbered.repeated} of them asked more than once" if numbered.repeated else ""
        notes.append(f"no id: {len(numbered.seen)} items are identified by their prompts{again}")
    if failed:
        notes.append(failures(failed))
    return tuple(notes)


def none_answered(path: Path) -> InputError:
    """The error for a file in which every request failed."""
    what = "contains no answer: every request failed"
    return InputError(what, place=str(path), remedy="ask the model again")


def refuse(what: str, place: str) -> NoReturn:
    """Raise :class:`InputError` with the remedy for plain files of results."""
    raise InputError(what, place=place, remedy=REMEDY) from None


def _answers(found: Mapping[str, Any], column: Mapping[str, str]) -> list[dict[str, Any]]:
    several = []
    for answer in _named(answers_in, found["response"], column["response"]):
        if answer.text is not None:
            ended = {"finish": answer.finish} if answer.finish and "finish" not in found else {}
            several.append({"response": answer.text} | ended)
    return several


def _failed(row: Mapping[str, Any], found: Mapping[str, Any], column: Mapping[str, str]) -> bool:
    """Whether a row without a score is a failed request: it has an error, or no answer."""
    if found.keys() & {"score", "percent", "response"}:
        return False
    return bool(row.get("error")) or row.get(column.get("response", ""), "") is None


def _named(read: Any, value: Any, column: str) -> Any:
    try:
        return read(value)
    except ValueError as err:
        what = str(err) if isinstance(value, list | dict) else f"holds {str(value)[:40]!r}, not str"
        raise ValueError(f"column {column!r} {what}") from None


def _scored(several: list[dict[str, Any]], scores: list[Any], column: str) -> list[dict[str, Any]]:
    """Assign a list of scores to the same number of answers, or to repeats without text."""
    if several == [{}]:
        several = [{} for _ in scores]
    if len(several) != len(scores):
        raise ValueError(f"column {column!r} has {len(scores)} scores for {len(several)} answers")
    return [own | {"score": score} for own, score in zip(several, scores, strict=True)]


def _check(fields: dict[str, Any], row: Mapping[str, Any], column: Mapping[str, str]) -> None:
    for name, value in fields.items():
        allowed = _KINDS.get(name)
        if allowed is None or (value.__class__ in allowed):
            continue
        # isinstance accepts a bool as an int.
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            kinds = " or ".join(
                {"int": "whole number"}.get(t.__name__, t.__name__) for t in allowed
            )
            called = column.get(name, name)
            raise ValueError(f"column {called!r} holds {str(value)[:40]!r}, not {kinds}")
    if "score" in fields and "percent" in fields:
        raise ValueError(f"has both {column['score']!r} and {column['percent']!r}")
    if "score" not in fields and "percent" not in fields:
        here = ", ".join(map(shown, list(row)[:12]))
        score, percent = column.get("score", "score"), column.get("percent", "percent")
        ungraded = f"; {UNGRADED}" if "response" in fields else ""
        if score in row or percent in row:
            raise ValueError(f"column {(score if score in row else percent)!r} is empty{ungraded}")
        raise ValueError(f"has no {score!r} (0..1) or {percent!r}, only {here}{ungraded}")


def sample_of(fields: Mapping[str, Any], place: Place) -> Sample:
    """The graded answer of a row with an id. Raises ``ValueError`` for values out of range."""
    finish = fields.get("finish")
    if finish is not None and finish not in _ENDS:
        raise ValueError(f"finish {finish!r} is not one of {', '.join(_ENDS)}")
    if fields.get("repeat", 0) < 0 or fields.get("tokens", 0) < 0:
        raise ValueError("repeat or tokens is below 0")
    response = fields.get("response")
    if response is not None:
        flagged = flags_of(response, finish=finish, prompt=fields.get("prompt"))
    else:  # a missing text is not an empty answer
        flagged = _CUT if finish == "length" else _NO_FLAGS
    outcome = Outcome(
        benchmark=place.benchmark,
        id=f"{place.prefix}{fields['id']}",
        score=_score(fields),
        repeat=fields.get("repeat", 0),
        subset=fields.get("subset", place.subset),
        cluster=fields.get("cluster", ""),
        weight=float(fields.get("weight", 1.0)),
        chance=place.chance,
        flags=flagged.flags,
        flags_inferred=flagged.inferred,
        tokens=fields.get("tokens"),
        finish=finish,
    )
    if response is None:
        return Sample(outcome, None)
    prompt = fields.get("prompt", "")
    return Sample(outcome, Response(outcome.id, outcome.repeat, prompt, response))


def sample_at(
    fields: Mapping[str, Any], place: Place, *, where: str, remedy: str, **hashed: str | None
) -> Sample:
    """:func:`sample_of`, plus hashes of what was asked, given by their field of the outcome.

    Raises :class:`InputError` naming ``where`` for values out of range.
    """
    try:
        sample = sample_of(fields, place)
    except (ValueError, OverflowError) as err:
        raise InputError(str(err), place=where, remedy=remedy) from None
    return sample._replace(outcome=changed(sample.outcome, **hashed))


def score_row_of(fields: Mapping[str, Any], place: Place) -> ScoreRow:
    """The score-only row of a row without id. Raises ``ValueError`` for values out of range."""
    stderr = fields.get("stderr")
    return ScoreRow(
        benchmark=place.benchmark,
        score=_score(fields),
        subset=fields.get("subset", place.subset),
        stderr=None if stderr is None else stderr / (100.0 if "percent" in fields else 1.0),
        n=fields.get("n"),
        # The scores of an unknown task are assumed to be proportions of n right answers.
        proportion=place.proportion is not False,
        chance=place.chance,
    )


def _score(fields: Mapping[str, Any]) -> float:
    if "percent" not in fields:
        score = float(fields["score"])
        if 1.0 < score <= 100.0:
            what = f"score {score:g} is not within 0..1"
            raise ValueError(f"{what}; if it is a percentage, use --field percent=COLUMN")
        return score
    percent = float(fields["percent"])
    if not 0.0 <= percent <= 100.0:
        raise ValueError(f"percent {percent:g} is not within 0..100")
    return percent / 100.0
