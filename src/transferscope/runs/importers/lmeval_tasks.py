"""Select a task's score among lm-eval's numbers, and find its samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ...core.records import ScoreRow
from .foreign_run import Taken
from .lmeval_samples import SampleFile, by_question, first_row, readable, takes_turns
from .naming import Place, lower_is_better, not_comparable
from .values import count

Held = tuple[Path, Sequence[Any]]
"""A results file, and the samples of a task that it contains."""
Key = tuple[str, str]
"""Metric and filter: "exact_match,strict-match" in the results."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task of the results: its place, and the number that is read.

    ``key`` is ``None`` if no number is a score; ``left_out`` then says why. ``samples`` is ``None``
    if none were kept. ``by_question`` means that several documents form one item (MC-TACO).
    """

    place: Place
    key: Key | None
    samples: SampleFile | None = None
    by_question: bool = False
    left_out: str = ""

    def shown(self, raw: Mapping[str, Any], file: Path) -> Taken:
        """The description of the task for the user."""
        name = self.place.task
        every = [_shown(key) for key in _metrics(name, raw)]
        read = _shown(self.key) if self.key is not None else next(iter(every), "")
        return Taken(
            file=str(file),
            task=name,
            benchmark=self.place.benchmark,
            metric=read,
            others=tuple(metric for metric in every if metric != read),
            n=None if self.by_question else count_of(name, raw),
            left_out=self.left_out,
            lower_is_better=self.key is None and bool(_lower_ones(self.place, raw)),
        )


def section(raw: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The object below ``keys``; empty if there is none."""
    for key in keys:
        value = raw.get(key)
        raw = value if isinstance(value, dict) else {}
    return dict(raw)


def leaves(raw: Mapping[str, Any]) -> list[str]:
    """The tasks in the results, without groups whose members are also there."""
    results = raw["results"]
    return [name for name in results if not any(n in results for n in _below(name, raw))]


def _below(group: str, raw: Mapping[str, Any]) -> set[str]:
    """All members of a group and of its nested groups."""
    children = section(raw, "group_subtasks")
    seen, todo = {group}, [group]
    while todo:
        below = children.get(todo.pop())
        new = [str(n) for n in below if str(n) not in seen] if isinstance(below, list) else []
        seen.update(new)
        todo += new
    return seen - {group}


class Whole(NamedTuple):
    """A group's own row, read instead of its members' rows, and the results that contain it."""

    task: Task
    raw: Mapping[str, Any]


def whole_of(tasks: Sequence[Task], documents: Sequence[Mapping[str, Any]]) -> Whole | None:
    """The row of the group formed by ``tasks``, if the size of one is not known.

    Without sizes the tasks can't be weighted. ``documents`` has the results of each task.
    """
    raw, key = documents[0], tasks[0].key
    if len(tasks) < 2 or any(document is not raw for document in documents):
        return None
    if all(count_of(task.place.task, raw) for task in tasks):
        return None
    names = {task.place.task for task in tasks}
    for group in section(raw, "group_subtasks"):
        if group not in raw["results"] or key not in score_keys(group, raw):
            continue
        if {name for name in _below(group, raw) if not _below(name, raw)} & set(
            raw["results"]
        ) == names and all(task.key == key for task in tasks):
            place = replace(tasks[0].place, task=group, subset="", prefix="", family=False)
            return Whole(Task(place, key), raw)
    return None


def task_of(
    place: Place, raw: Mapping[str, Any], *, samples: Mapping[str, Path | Held], notes: list[str]
) -> Task:
    """Interpret a task; ``samples`` are by task. Adds notes for the user to ``notes``."""
    name = place.task
    scores = score_keys(name, raw)
    wanted = [key for metric in place.metrics for key in _named(metric, scores)]
    keys = list(dict.fromkeys([*wanted, *scores]))
    if (place.lower_is_better and place.mapped) or not keys:
        reason = _why_not(place, raw)
        notes.append(f"{name}: left out, {reason}")
        return Task(place, None, left_out=reason)
    task = Task(place, keys[0])
    if name in samples:
        task = _with_samples(task, keys, raw, samples[name], notes)
    if place.metrics and task.key not in wanted:
        read, metrics = ",".join(task.key or ()), ", ".join(place.metrics)
        notes.append(f"{name}: {read} is read, because it has none of {metrics}")
    return task


def score_keys(name: str, raw: Mapping[str, Any]) -> dict[Key, float]:
    """The value of every (metric, filter) of a task that may be a score, in file order."""
    return {
        key: value
        for key, value in _metrics(name, raw).items()
        if 0.0 <= value <= 1.0 and not _lower(key[0], name, raw)
    }


def _metrics(name: str, raw: Mapping[str, Any]) -> dict[Key, float]:
    """Every number of a task except standard errors, in file order."""
    found = {}
    for key, value in raw["results"][name].items():
        metric, comma, filter_ = key.partition(",")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if comma and number and not metric.endswith("_stderr"):
            found[(metric, filter_)] = float(value)
    return found


def _lower(metric: str, name: str, raw: Mapping[str, Any]) -> bool:
    """Whether lower is better, by the file or the metric's name (lm-eval marks TER as higher)."""
    better = section(raw, "higher_is_better", name).get(metric)
    return better is False or lower_is_better(metric)


def _why_not(place: Place, raw: Mapping[str, Any]) -> str:
    """Why none of a task's numbers is a score."""
    if lower := _lower_ones(place, raw):
        return not_comparable(next((m for m in place.metrics if m in lower), lower[0]))
    if not any(math.isfinite(value) for value in _metrics(place.task, raw).values()):
        return "it has no number for a score: it was cancelled, or every answer failed"
    return "it has no score within 0..1"


def _lower_ones(place: Place, raw: Mapping[str, Any]) -> list[str]:
    """The metrics of a task if lower is better for all of them, else an empty list."""
    every = [metric for metric, _ in _metrics(place.task, raw)]
    lower = [m for m in every if place.lower_is_better or _lower(m, place.task, raw)]
    return lower if len(lower) == len(every) else []


def _shown(key: Key) -> str:
    return key[0] if key[1] == "none" else ",".join(key)


def count_of(name: str, raw: Mapping[str, Any]) -> int | None:
    """The number of documents that were evaluated."""
    given = raw["results"][name].get("sample_len")
    return count(section(raw, "n-samples", name).get("effective", given))


def fewshot(name: str, raw: Mapping[str, Any]) -> int:
    """The number of few-shot examples of a task."""
    value = section(raw, "n-shot").get(name)
    return value if type(value) is int else 0


def subset_of(task: Task, members: Sequence[Task]) -> str:
    """The task's name if it is one of several, here or by a pattern of the taxonomy; else empty."""
    return task.place.task if len(members) > 1 or task.place.family else ""


def score_row(task: Task, subset: str, raw: Mapping[str, Any]) -> ScoreRow:
    """The task's row with lm-eval's own mean; its ``key`` must not be ``None``."""
    name, key = task.place.task, task.key or ("", "")
    score = score_keys(name, raw)[key]
    error = raw["results"][name].get(f"{key[0]}_stderr,{key[1]}")  # "N/A" if there is none
    known = isinstance(error, int | float) and math.isfinite(error) and error >= 0.0
    stderr = float(error) if known else None
    n = count_of(name, raw)
    proportion = task.place.proportion
    return ScoreRow(
        benchmark=task.place.benchmark,
        score=score,
        subset=subset,
        stderr=stderr,
        n=n,
        proportion=_looks_binary(score, stderr, n) if proportion is None else proportion,
        chance=task.place.chance,
    )


def all_scores(tasks: Sequence[Task], raw: Mapping[str, Any]) -> dict[str, float]:
    """A benchmark's scores by "metric,filter", starting with the one that is read.

    For several tasks, these are means of the scores that all of them have, weighted by number of
    documents, or unweighted if one number is not known. Empty if there is only one score, or if the
    tasks are not all read by the same metric.
    """
    every = [score_keys(task.place.task, raw) for task in tasks]
    read = {task.key for task in tasks}
    shared = [key for key in every[0] if all(key in scores for scores in every)]
    if len(read) > 1 or len(shared) < 2:
        return {}
    counts = [count_of(task.place.task, raw) for task in tasks]
    known = [n for n in counts if n is not None]
    weights = known if len(known) == len(tasks) else [1] * len(tasks)
    total = sum(weights)
    return {
        ",".join(key): min(
            1.0, sum(w * s[key] for w, s in zip(weights, every, strict=True)) / total
        )
        for key in sorted(shared, key=lambda key: key not in read)
    }


def _named(metric: str, scores: Mapping[Key, float]) -> list[Key]:
    """The keys that match a metric of the taxonomy: "acc" with any filter, "acc,none" exactly."""
    name, comma, filter_ = metric.partition(",")
    return [key for key in scores if key[0] == name and (not comma or key[1] == filter_)]


def _with_samples(
    task: Task, keys: list[Key], raw: Mapping[str, Any], rows: Path | Held, notes: list[str]
) -> Task:
    """``task`` with the first of ``keys`` for which the samples have a score per document."""
    name = task.place.task
    path, held = (rows, None) if isinstance(rows, Path) else rows
    file = SampleFile(path, task.place.benchmark, keys[0][0], None, held=held)
    if (row := first_row(file)) is None:
        notes.append(f"{name}: {path.name} is empty" if held is None else f"{name}: no samples")
        return task
    config = section(raw, "configs", name)
    delimiter = config.get("target_delimiter")
    if "filter" not in row and len(turns := _turns(name, raw)) > 1:
        file = replace(file, turns=turns)
        if not takes_turns(file):
            notes.append(
                f"{name}: samples not read, they don't name filters (lm-eval before 0.4.7)"
            )
            return task
    for key in keys:
        others = [f for m, f in score_keys(name, raw) if m == key[0] and f != key[1]]
        keeps_first = _keeps_first(config, key[1])
        file = replace(
            file,
            metric=key[0],
            filter=key[1] if "filter" in row or file.turns else None,
            rivals=tuple(f for f in others if keeps_first and _keeps_first(config, f)),
            chance=task.place.chance,
            fewshot=fewshot(name, raw),
            keeps_first=keeps_first,
            delimiter=delimiter if isinstance(delimiter, str) else " ",
        )
        if readable(file, row):
            return Task(task.place, key, file, by_question(file, row))
    notes.append(f"{name}: samples not read, {keys[0][0]} has no score per document")
    return task


def _turns(name: str, raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The filters of a task, in the order in which lm-eval applies them."""
    used = dict.fromkeys(filter_ for _, filter_ in _metrics(name, raw))
    listed = section(raw, "configs", name).get("filter_list")
    entries = listed if isinstance(listed, list) else []
    names = [str(entry.get("name")) for entry in entries if isinstance(entry, dict)]
    return tuple(names if set(names) == set(used) else used)


def _keeps_first(config: Mapping[str, Any], filter_: str) -> bool:
    """Whether the filter scores only the first repeat, like lm-eval's default."""
    filters = config.get("filter_list")
    for entry in filters if isinstance(filters, list) else ():
        if isinstance(entry, dict) and entry.get("name") == filter_:
            steps = entry.get("filter")
            names = [s.get("function") for s in steps or () if isinstance(s, dict)]
            return "take_first" in names and "majority_vote" not in names
    return True


def _looks_binary(score: float, stderr: float | None, n: int | None) -> bool:
    """Whether the standard error is that of n 0/1 outcomes (sample variance with n - 1)."""
    if stderr is None or n is None or n < 2:
        return False
    return math.isclose(stderr, math.sqrt(score * (1 - score) / (n - 1)), rel_tol=1e-6)
