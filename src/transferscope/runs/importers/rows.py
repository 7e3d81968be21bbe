"""A row of a plain table of results, from JSON lines or CSV: the columns are the same.

===========  ======================================================================
id           the item; a string or a whole number. Without it: a score-only row
score        0..1, or true/false. ``percent``, in its place: 0..100
benchmark    task name; without the column all rows are of one benchmark, "results"
model        the model's name; without it the file's name
repeat       number of the sample drawn for the item, from 0
prompt       what the model was given
response     what it answered
subset       part of the benchmark
cluster      what shares a story or passage
weight       the item's share in the benchmark's mean, relative
finish       how the answer ended: stop, stop_string, length
tokens       length of the answer
n, stderr    of score-only rows: items, standard error (on the score's own scale)
===========  ======================================================================

A taxonomy file's ``[columns]`` renames them. A file's further columns are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.artefacts import flags_of
from ...core.errors import InputError
from ...core.records import Outcome, Response, ScoreRow
from ...core.taxonomy import Taxonomy
from .base import Sample
from .naming import Place

WHOLE = ("repeat", "tokens", "n")
NUMBERS = ("weight", "stderr", "percent")
TEXTS = ("benchmark", "model", "prompt", "response", "subset", "cluster", "finish")
COLUMNS = frozenset({"id", "score", *WHOLE, *NUMBERS, *TEXTS})
UNNAMED = "results"
"""Benchmark of rows that name none: two files without the column can then be compared."""
_ENDS = ("stop", "stop_string", "length")


def renames(taxonomy: Taxonomy) -> dict[str, str]:
    """Our column name to the file's. Raises :class:`InputError` for a name that isn't ours."""
    if unknown := sorted(set(taxonomy.columns) - COLUMNS):
        raise InputError(
            f"unknown column {unknown[0]!r}",
            place="[columns]",
            remedy=f"use some of {', '.join(sorted(COLUMNS))}",
        )
    return {name: taxonomy.columns.get(name, name) for name in sorted(COLUMNS)}


def fields_of(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The row's values under our names; columns that are empty or ``null`` are left out.

    Raises ``ValueError`` naming the column of a value of the wrong type.
    """
    found = {name: row[theirs] for name, theirs in names.items() if row.get(theirs) is not None}
    kinds = dict.fromkeys(WHOLE, (int,)) | dict.fromkeys(NUMBERS, (int, float))
    for name, value in found.items():
        allowed: tuple[type, ...] = kinds.get(name, (str,))
        if name in ("id", "score"):
            allowed = (str, int) if name == "id" else (bool, int, float)
        # A bool is an int to isinstance.
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            shown = " or ".join(
                {"int": "whole number"}.get(t.__name__, t.__name__) for t in allowed
            )
            raise ValueError(f"column {names[name]!r} holds {str(value)[:40]!r}, not {shown}")
    if "score" in found and "percent" in found:
        raise ValueError(f"both {names['score']!r} and {names['percent']!r}")
    if "score" not in found and "percent" not in found:
        here = ", ".join(map(str, list(row)[:12]))
        raise ValueError(f"no {names['score']!r} (0..1) or {names['percent']!r}, only {here}")
    return found


def sample_of(fields: Mapping[str, Any], place: Place) -> Sample:
    """The graded answer of a row with an id. Raises ``ValueError`` for values out of range."""
    finish = fields.get("finish")
    if finish is not None and finish not in _ENDS:
        raise ValueError(f"finish {finish!r} is none of {', '.join(_ENDS)}")
    if fields.get("repeat", 0) < 0 or fields.get("tokens", 0) < 0:
        raise ValueError("repeat or tokens below 0")
    response = fields.get("response")
    flagged = flags_of(response or "", finish=finish, prompt=fields.get("prompt"))
    if response is None:  # no text is not an empty answer
        flagged = flagged._replace(
            flags=tuple(f for f in flagged.flags if f not in flagged.inferred), inferred=()
        )
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


def score_row_of(fields: Mapping[str, Any], place: Place) -> ScoreRow:
    """The score-only row of a row without id. Raises ``ValueError`` for values out of range."""
    stderr = fields.get("stderr")
    return ScoreRow(
        benchmark=place.benchmark,
        score=_score(fields),
        subset=fields.get("subset", place.subset),
        stderr=None if stderr is None else stderr / (100.0 if "percent" in fields else 1.0),
        n=fields.get("n"),
        # An unknown task's scores are taken for shares of right answers: its n says so.
        proportion=place.proportion is not False,
        chance=place.chance,
    )


def _score(fields: Mapping[str, Any]) -> float:
    if "percent" not in fields:
        score = float(fields["score"])
        if 1.0 < score <= 100.0:
            raise ValueError(f"score {score:g} is not within 0..1; is it a percent?")
        return score
    percent = float(fields["percent"])
    if not 0.0 <= percent <= 100.0:
        raise ValueError(f"percent {percent:g} is not within 0..100")
    return percent / 100.0
