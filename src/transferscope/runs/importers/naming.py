"""From a task of another harness to a benchmark here: one rule for every format but lm-eval's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ...core.errors import InputError
from ...core.modelnames import chosen_model
from ...core.records import digest
from ...core.shown import NAME_LIMIT
from ...core.tasknames import fold
from ...core.taxonomy import Taxonomy
from .foreign_run import Taken

Part = TypeVar("Part")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LOWER = re.compile(
    r"perplexity|(^|_)ppl($|_)|bits?_per_|^bp[bc]$|(^|_)(loss|nll|brier(_score)?|ece|mse|rmse|mae)$"
    r"|(^|_)([wct]er|error_rate|toxicity|toxic_frac|jailbreak_rate|attack_success_rate|asr)$"
    r"|^likelihood_diff$|^pct_stereotype$"
)
_LOWER_NAME = re.compile(r"perplexity$|bits?_per_(byte|char|character|token|word)$")
"""Ends of a task's name that are a metric's; "_ppl" is not one, it says how a task is asked."""
FINISH = {"stop": "stop", "max_tokens": "length", "model_length": "length"}
"""Inspect's stop reasons to :attr:`~transferscope.core.records.Generation.finish`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task's answers go.

    A task that becomes a benchmark of another name is one of its subsets, and its ids get its name
    in front: several tasks may become one benchmark, and each counts its items from 0. Names that
    differ in spelling only are one name.
    """

    task: str
    benchmark: str
    subset: str = ""
    prefix: str = ""
    chance: float | None = None
    metrics: tuple[str, ...] = ()
    proportion: bool | None = None
    """``None`` where the taxonomy doesn't know the task."""
    lower_is_better: bool = False
    family: bool = False
    """Whether a pattern of the taxonomy matched: the task is one of several by nature."""

    @property
    def mapped(self) -> bool:
        """Whether the taxonomy knows the task."""
        return self.proportion is not None

    def labelled(self, label: str) -> Place:
        """This place with ``label`` as the subset's name."""
        return replace(self, subset=label, prefix=f"{label}/")


def place_of(task: str, taxonomy: Taxonomy, *, aliases: Iterable[str] = ()) -> Place:
    """Place of ``task``; the taxonomy is asked for it, then for each of ``aliases``.

    An unmapped task keeps its name, written so that it can be a file's; one that is called by a
    perplexity or by bits per byte is better the lower it is.
    """
    for name in (task, *aliases):
        if found := taxonomy.match(name):
            entry = found.entry
            place = Place(
                task=task,
                benchmark=found.benchmark,
                chance=entry.chance,
                metrics=entry.metrics,
                proportion=entry.proportion,
                lower_is_better=entry.lower_is_better,
                family=found.family,
            )
            return place if found.own else place.labelled(found.spelling)
    safe = _UNSAFE.sub("_", task).lstrip("._-") or "unnamed"
    if len(safe) > NAME_LIMIT:  # no file could bear it
        safe = f"{safe[: NAME_LIMIT - 17]}_{digest(task)}"
    return Place(task, safe, lower_is_better=bool(_LOWER_NAME.search(fold(task))))


def places_of(
    tasks: Iterable[str],
    taxonomy: Taxonomy,
    *,
    aliases: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, Place]:
    """Places of all tasks of one file, by task; ``aliases`` as in :func:`place_of`, by task.

    Of tasks that would share a benchmark and a subset ("gsm8k_0shot" and "gsm8k_5shot") all but
    the benchmark's own name are told apart by the names they have in the file.
    """
    also = aliases or {}
    places = {task: place_of(task, taxonomy, aliases=also.get(task, ())) for task in tasks}
    counts = Counter((p.benchmark, p.subset) for p in places.values() if p.mapped)
    return {
        task: place.labelled(task)
        if counts[place.benchmark, place.subset] > 1 and task != place.benchmark
        else place
        for task, place in places.items()
    }


def by_benchmark(
    parts: Iterable[tuple[Place, Part]], *, file: str
) -> dict[str, list[tuple[Place, Part]]]:
    """The parts of every benchmark, in the order of their first appearance.

    Raises :class:`InputError` where two unmapped names of ``file`` become one when made safe.
    """
    found: dict[str, list[tuple[Place, Part]]] = {}
    for place, part in parts:
        others = found.setdefault(place.benchmark, [])
        if any(other.task != place.task and not other.mapped for other, _ in others):
            raise InputError(
                f"tasks {others[0][0].task!r} and {place.task!r} have one name here",
                place=file,
                remedy="rename one, or give both an entry in a --map file",
            )
        others.append((place, part))
    return found


def taken_of(place: Place, *, file: str, n: int | None, metric: str = "score") -> Taken:
    """What a user is told of a task whose format has one score only."""
    lower = lower_is_better(metric)
    known = next(iter(place.metrics), metric if place.mapped else place.task)
    left_out = not_comparable(metric if lower else known)
    return Taken(
        file=file,
        task=place.task,
        benchmark=place.benchmark,
        metric=metric,
        n=n,
        left_out=left_out if lower or place.lower_is_better else "",
        lower_is_better=lower or place.lower_is_better,
    )


def left_out(taken: Iterable[Taken]) -> tuple[str, ...]:
    """A note for every task that is not imported."""
    return tuple(f"{one.task}: left out, {one.left_out}" for one in taken if one.left_out)


def unmapped(places: Iterable[Place]) -> tuple[str, ...]:
    """Names of the tasks that the taxonomy doesn't know, each once."""
    return tuple(dict.fromkeys(place.task for place in places if not place.mapped))


def lower_is_better(metric: str) -> bool:
    """Whether a metric is known to be better the lower it is: perplexities, error rates, ...

    >>> lower_is_better("word_perplexity"), lower_is_better("wer"), lower_is_better("acc")
    (True, True, False)
    """
    name = metric.partition(",")[0].casefold()
    return bool(_LOWER.search(name))


def not_comparable(metric: str) -> str:
    """Why a metric that is better the lower it is can't be imported."""
    return f"not comparable: {metric} is better when lower, a score when higher"


_ONE = "keep every model's results in a file or folder of its own"


def of_model(
    found: Sequence[Part], told: Callable[[Part], tuple[str, Path]], wanted: str | None, path: Path
) -> tuple[str, list[Part]]:
    """The model that is read, and what of ``found`` is its: a run is of one model.

    ``told`` gives the model and the file of each. Raises :class:`InputError` for several models
    where none is ``wanted``, and for one that isn't there.
    """
    every = [told(one) for one in found]
    places: dict[str, str] = {}
    for model, file in every:
        places.setdefault(model, str(file))
    name = chosen_model(places, wanted, path)
    return name, [one for one, (model, _) in zip(found, every, strict=True) if model == name]


def plain(settings: Any) -> dict[str, Any]:
    """The settings that were set, with values that a manifest can hold; in the order of names."""
    if not isinstance(settings, dict):
        return {}
    kinds = (str, int, float, bool)
    kept = {
        name: value
        for name, value in settings.items()
        if all(isinstance(part, kinds) for part in (value if isinstance(value, list) else [value]))
    }
    return dict(sorted(kept.items()))
