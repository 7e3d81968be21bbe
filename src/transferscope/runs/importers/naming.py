"""Map tasks of other harnesses to benchmarks, with the same rules for every format but lm-eval."""

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
"""Task names that end in a metric. "_ppl" is not included: it describes how a task is asked."""
FINISH = {"stop": "stop", "max_tokens": "length", "model_length": "length"}
"""Maps Inspect's stop reasons to :attr:`~transferscope.core.records.Generation.finish`."""


@dataclass(frozen=True, slots=True)
class Place:
    """The benchmark and subset to which a task's answers belong.

    A task whose benchmark has a different name becomes a subset of it, and the task's name is
    prefixed to its ids, because several tasks may form one benchmark and each numbers its items
    from 0. Names that differ only in spelling are the same name.
    """

    task: str
    benchmark: str
    subset: str = ""
    prefix: str = ""
    chance: float | None = None
    metrics: tuple[str, ...] = ()
    proportion: bool | None = None
    """``None`` if the task is not in the taxonomy."""
    lower_is_better: bool = False
    family: bool = False
    """Whether the task matched a pattern of the taxonomy, and so is one of several by design."""

    @property
    def mapped(self) -> bool:
        """Whether the task is in the taxonomy."""
        return self.proportion is not None

    def labelled(self, label: str) -> Place:
        """This place with ``label`` as the subset's name."""
        return replace(self, subset=label, prefix=f"{label}/")


def place_of(task: str, taxonomy: Taxonomy, *, aliases: Iterable[str] = ()) -> Place:
    """The place of ``task``, which is looked up in the taxonomy by its name and then ``aliases``.

    An unmapped task keeps its name, made safe for a file name. If the name ends in perplexity or
    bits per byte, lower is better.
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
    if len(safe) > NAME_LIMIT:  # too long for a file name
        safe = f"{safe[: NAME_LIMIT - 17]}_{digest(task)}"
    return Place(task, safe, lower_is_better=bool(_LOWER_NAME.search(fold(task))))


def places_of(
    tasks: Iterable[str],
    taxonomy: Taxonomy,
    *,
    aliases: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, Place]:
    """The places of all tasks of one file, by task; ``aliases`` are by task too.

    If tasks would share a benchmark and a subset ("gsm8k_0shot" and "gsm8k_5shot"), their names in
    the file become the subsets, except for a task with the benchmark's own name.
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
    """The parts of every benchmark, in order of first appearance.

    Raises :class:`InputError` if two unmapped names in ``file`` become the same safe name.
    """
    found: dict[str, list[tuple[Place, Part]]] = {}
    for place, part in parts:
        others = found.setdefault(place.benchmark, [])
        if any(other.task != place.task and not other.mapped for other, _ in others):
            raise InputError(
                f"tasks {others[0][0].task!r} and {place.task!r} get the same name",
                place=file,
                remedy="rename one, or give both an entry in a --map file",
            )
        others.append((place, part))
    return found


def taken_of(place: Place, *, file: str, n: int | None, metric: str = "score") -> Taken:
    """The description of a task whose format has only one score."""
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
    """The distinct names of tasks that are not in the taxonomy."""
    return tuple(dict.fromkeys(place.task for place in places if not place.mapped))


def lower_is_better(metric: str) -> bool:
    """Whether lower values of a metric are better: perplexities, error rates, ...

    >>> lower_is_better("word_perplexity"), lower_is_better("wer"), lower_is_better("acc")
    (True, True, False)
    """
    name = metric.partition(",")[0].casefold()
    return bool(_LOWER.search(name))


def not_comparable(metric: str) -> str:
    """Why a metric for which lower is better can't be imported."""
    return f"not comparable: lower is better for {metric}, but higher for a score"


_ONE = "keep every model's results in a file or folder of its own"


def of_model(
    found: Sequence[Part], told: Callable[[Part], tuple[str, Path]], wanted: str | None, path: Path
) -> tuple[str, list[Part]]:
    """The model to read, and the elements of ``found`` that belong to it: a run has one model.

    ``told`` returns the model and the file of an element. Raises :class:`InputError` for several
    models if none is ``wanted``, and for a wanted model that isn't there.
    """
    every = [told(one) for one in found]
    places: dict[str, str] = {}
    for model, file in every:
        places.setdefault(model, str(file))
    name = chosen_model(places, wanted, path)
    return name, [one for one, (model, _) in zip(found, every, strict=True) if model == name]


def plain(settings: Any) -> dict[str, Any]:
    """The settings whose values a manifest can store (no ``None``), sorted by name."""
    if not isinstance(settings, dict):
        return {}
    kinds = (str, int, float, bool)
    kept = {
        name: value
        for name, value in settings.items()
        if all(isinstance(part, kinds) for part in (value if isinstance(value, list) else [value]))
    }
    return dict(sorted(kept.items()))
