"""Read HELM's answers: per-instance stats, and the requests in the scenario state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...core.damage import AGAIN
from ...core.errors import InputError
from ...core.files import read_bytes
from ...core.records import digest
from .documents import document
from .foreign_run import Sample
from .naming import Place
from .table_rows import sample_at
from .values import listed, mapping, share

REMEDY = "run it again with helm-run"
At = tuple[str, int]
"""Instance id and train trial index; HELM's trials are repeats."""
_ENDS = {"stop": "stop", "endoftext": "stop", "end_turn": "stop", "length": "length"}


class Instances(NamedTuple):
    """Scores of the unperturbed instances of one split, and the number of all these instances."""

    scores: dict[At, float]
    rows: int


def named(folder: Path, name: str) -> Path | None:
    """The file with this name, plain or gzipped."""
    return next((f for end in ("", ".gz") if (f := folder / f"{name}{end}").is_file()), None)


def instances_of(file: Path, metric: str, split: str) -> Instances:
    """The metric of every instance; raises :class:`InputError` for a duplicate instance."""
    raw = document(file, remedy=REMEDY)
    found: dict[At, float] = {}
    rows: set[At] = set()
    for row in map(mapping, listed(raw)):
        if row.get("perturbation"):
            continue
        at = _at(row.get("instance_id"), row)
        for stat in map(mapping, listed(row.get("stats"))):
            name = mapping(stat.get("name"))
            if str(name.get("split", "")) == split and "perturbation" not in name:
                rows.add(at)
                score = share(stat.get("mean"))
                if name.get("name") == metric and score is not None:
                    if at in found:
                        what = f"instance {at[0]} is given twice"
                        raise InputError(what, place=str(file), remedy=REMEDY)
                    found[at] = score
    return Instances(found, len(rows))


def failed_of(folder: Path) -> frozenset[At]:
    """Instances whose request failed permanently."""
    file = named(folder, "scenario_state.json")
    if file is None or b'"success": false' not in read_bytes(file, remedy=AGAIN):
        return frozenset()
    states = ((state, mapping(state.get("result"))) for state in _states(file))
    return frozenset(_of(state) for state, result in states if result.get("success") is False)


def read_instances(
    folder: Path, place: Place, scores: Mapping[At, float], *, choice: bool
) -> Iterator[Sample]:
    """Every instance's outcome, with prompt and response if the scenario state has them.

    A ``choice`` is one letter, limited to one token by design, so its finish reason is ignored.
    """
    file = named(folder, "scenario_state.json")
    asked = {_of(s): s for s in _states(file) if "reference_index" not in s} if file else {}
    for at, score in scores.items():
        state = asked.get(at, {})
        request, result = mapping(state.get("request")), mapping(state.get("result"))
        first = mapping(next(iter(listed(result.get("completions"))), None))
        fields: dict[str, Any] = {"id": at[0], "score": score, "repeat": at[1]}
        if isinstance(first.get("text"), str):
            reason = mapping(first.get("finish_reason")).get("reason")
            prompt = request.get("prompt")
            fields |= {"response": first["text"], "prompt": str(prompt or "")}
            finish = _ENDS.get(str(reason))
            if finish is not None and not choice:
                fields["finish"] = finish
        instance = mapping(state.get("instance"))
        hashed = digest([instance.get("input"), instance.get("references")]) if instance else None
        yield sample_at(fields, place, where=str(folder), remedy=REMEDY, message_hash=hashed)


def _states(file: Path) -> list[dict[str, Any]]:
    raw = mapping(document(file, remedy=REMEDY)).get("request_states")
    states = map(mapping, listed(raw))
    return [s for s in states if not mapping(s.get("instance")).get("perturbation")]


def _of(state: Mapping[str, Any]) -> At:
    return _at(mapping(state.get("instance")).get("id"), state)


def _at(item: object, row: Mapping[str, Any]) -> At:
    trial = row.get("train_trial_index")
    return str(item), trial if type(trial) is int and trial >= 0 else 0
