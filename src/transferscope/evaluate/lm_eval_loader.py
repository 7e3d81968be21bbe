"""Find tasks of the installed lm-eval by name, load their data, and group them into a suite."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..core.errors import InputError, MissingExtra
from ..core.nearest import nearest
from ..core.suite import Benchmark, Suite
from ..core.taxonomy import SOURCE, Taxonomy, load_taxonomy
from ..runs.importers.lmeval_tasks import Task, task_of
from ..runs.importers.naming import Place, place_of
from ..tasks import LM_EVAL
from .quiet import quiet_lm_eval

UNMAPPED = "unmapped"
"""The group for tasks that are not in the taxonomy."""
_OFFERED = ("generate_until", "multiple_choice")


class LmEvalTasks:
    """The tasks that lm-eval finds by name; each is loaded once.

    ``include_path`` is a folder of the user's own YAML tasks. ``taxonomy`` maps tasks to benchmarks
    and groups and selects the metric to read, as for imported results. ``defaults`` also offers
    lm-eval's own tasks. They are indexed on first use, because that reads some 10,000 files.

    Raises :class:`MissingExtra` if lm-eval is not installed, :class:`InputError` for a missing
    folder.
    """

    def __init__(
        self,
        include_path: Path | None = None,
        taxonomy: Taxonomy | None = None,
        *,
        defaults: bool = True,
    ) -> None:
        try:
            import lm_eval  # noqa: F401
        except ImportError:
            raise MissingExtra("eval", needed_for="running lm-eval's tasks") from None
        if include_path is not None and not include_path.is_dir():
            remedy = "name a folder of lm-eval's YAML tasks"
            raise InputError("no such folder", place=str(include_path), remedy=remedy)
        self.include_path = include_path
        self.taxonomy = load_taxonomy() if taxonomy is None else taxonomy
        self._defaults = defaults
        self._loaded: dict[str, dict[str, Any]] = {}

    def unloaded(self) -> LmEvalTasks:
        """The same tasks without anything loaded, to be sent to another process."""
        return LmEvalTasks(self.include_path, self.taxonomy, defaults=self._defaults)

    @cached_property
    def _own(self) -> Any:
        """Only the user's tasks."""
        return self._manager(defaults=False)

    @cached_property
    def _all(self) -> Any:
        """The user's tasks and lm-eval's; the user's take precedence."""
        return self._manager(defaults=True) if self._defaults else self._own

    def _manager(self, *, defaults: bool) -> Any:
        from lm_eval.tasks import TaskManager

        folder = None if self.include_path is None else str(self.include_path)
        with quiet_lm_eval():
            return TaskManager(include_path=folder, include_defaults=defaults)

    def _knowing(self, name: str, *, place: str) -> Any:
        """The smallest index that has ``name``."""
        if name in self._own.all_tasks:
            return self._own
        if name not in self._all.all_tasks:
            near = nearest(name, self._all.all_tasks)
            offered = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
            remedy = offered or "name a task, or its folder with --include-path DIR"
            raise InputError(f"lm-eval has no task {name!r}", place=place, remedy=remedy)
        return self._all

    def load(self, name: str, *, seed: int, place: str) -> Mapping[str, Any]:
        """lm-eval's task objects by name: one task, or all tasks of a group or tag.

        Few-shot examples are drawn with ``seed``. Raises :class:`InputError` (naming ``place``)
        for a name that lm-eval doesn't know, and for tasks that can't be run here.
        """
        if name not in self._loaded:
            manager = self._knowing(name, place=place)
            with quiet_lm_eval(), _loading(name):
                try:
                    self._loaded[name] = manager.load([name])["tasks"]
                except KeyError:  # the user's group may contain lm-eval's tasks
                    self._loaded[name] = self._all.load([name])["tasks"]
            for task_name, task in self._loaded[name].items():
                _check(task_name, task)
        for task in self._loaded[name].values():
            if task.get_config("num_fewshot") is None:
                task.set_config("num_fewshot", 0)
            task.set_fewshot_seed(seed)
        return self._loaded[name]

    def place(self, task: str, benchmark: str, *, chance: float | None) -> Place:
        """The place of ``task`` in ``benchmark``, whose ``chance`` is in 0..1."""
        found = place_of(task, self.taxonomy)
        family = found.family and found.benchmark == benchmark
        return replace(found, benchmark=benchmark, chance=chance, family=family)

    def suite(self, names: Sequence[str], *, seed: int) -> Suite:
        """The suite of the tasks ``names``. Tasks of one benchmark become its subsets.

        Tasks that are not in the taxonomy form the group :data:`UNMAPPED`.
        """
        members: dict[str, dict[str, None]] = {}
        entries: dict[str, tuple[str, float | None]] = {}
        for name in dict.fromkeys(names):
            tasks = list(self.load(name, seed=seed, place="--tasks"))
            places = [place_of(task, self.taxonomy) for task in tasks]
            whole = len({place.benchmark for place in places}) == 1
            for place in places:
                found = self.taxonomy.match(place.task)
                group = UNMAPPED if found is None else found.entry.group
                entries.setdefault(place.benchmark, (group, place.chance))
                listed = members.setdefault(place.benchmark, {})
                listed[name if whole else place.task] = None
        groups: dict[str, tuple[str, ...]] = {}
        for benchmark, (group, _) in entries.items():
            groups[group] = (*groups.get(group, ()), benchmark)
        return Suite(
            name=LM_EVAL,
            source=SOURCE if SOURCE in groups else next(iter(groups)),
            groups=groups,
            benchmarks={
                name: Benchmark(pack=_pack(name, list(members[name])), chance=chance)
                for name, (_, chance) in entries.items()
            },
        )


def named_tasks(pack: str, benchmark: str) -> tuple[str, ...]:
    """lm-eval's task names for ``pack = "lm-eval"`` (the benchmark's name) or ``"lm-eval:A,B"``."""
    _, _, listed = pack.partition(":")
    return tuple(name.strip() for name in listed.split(",") if name.strip()) or (benchmark,)


def _pack(benchmark: str, names: Sequence[str]) -> str:
    return LM_EVAL if list(names) == [benchmark] else f"{LM_EVAL}:{','.join(names)}"


def before_running(place: Place, task: Any) -> tuple[Task, dict[str, Any]]:
    """What the lm-eval importer will read from ``task``, and the results that determine it.

    Raises :class:`InputError` if the importer would find no score.
    """
    name = place.task
    filters = [each.name for each in getattr(task, "_filters", ())] or ["none"]
    raw = {
        "results": {name: {f"{m},{f}": 0.0 for m in task.aggregation() for f in filters}},
        "configs": {name: plain(task.dump_config())},
        "n-shot": {name: task.get_config("num_fewshot") or 0},
        "higher_is_better": {name: dict(task.higher_is_better())},
    }
    found = task_of(place, raw, samples={}, notes=[])
    if found.key is None:
        remedy = "leave the task out; run lm-eval itself for it"
        raise InputError(found.left_out, place=f"task {name}", remedy=remedy)
    if task.OUTPUT_TYPE == "multiple_choice" and found.key[0] == "exact_match":
        raise _refused(name, "its exact_match checks whether greedy decoding yields the choice")
    return found, raw


def plain(value: Any) -> Any:
    """lm-eval's return value in the form of its results file."""
    from lm_eval.utils import handle_non_serializable

    return json.loads(json.dumps(value, default=handle_non_serializable))


def _check(name: str, task: Any) -> None:
    if task.OUTPUT_TYPE not in _OFFERED:
        raise _refused(name, f"its output_type is {task.OUTPUT_TYPE}")
    if getattr(task, "UNSAFE_CODE", False):
        raise _refused(name, "it runs code that the model wrote, without a sandbox")
    if getattr(task, "MULTIMODAL", False):
        raise _refused(name, "it needs image or audio input")


def _refused(name: str, why: str) -> InputError:
    remedy = "run lm-eval itself and compare its results folder, or leave the task out"
    return InputError(f"can't be run here: {why}", place=f"task {name}", remedy=remedy)


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """Turn any error into one line: a task's data comes from a hub, and its code from anywhere."""
    try:
        yield
    except ImportError as err:
        raise MissingExtra("eval", needed_for=f"task {name} ({err})") from err
    except Exception as err:  # a task's own code and its data loader may raise anything
        why = " ".join(f"{type(err).__name__}: {err}".split())[:300]
        remedy = "check that its data set is available: on the hub, in its cache, or as data_files"
        raise InputError(f"can't be loaded: {why}", place=f"task {name}", remedy=remedy) from err
