"""The group, metric, direction and chance level of tasks from other harnesses.

The taxonomy is data (``suites/taxonomy.toml``): common task names of lm-eval, lighteval, Inspect
evals, EvalScope, OpenCompass and HELM. A user's file of the same form (``--map``) goes first::

    [tasks.mmlu]
    match = ["mmlu_{subject}"]       # further names, with *, ? and {sets}
    group = "other"
    metrics = ["acc", "acc_norm"]    # the first one that a result has is used
    options = 4                      # or chance = 0.25; 0: no guessing; omitted: unknown
    proportion = true                # a mean of 0/1 outcomes
    lower_is_better = false          # true: not a score; reported as not comparable
    [sets]
    subject = ["anatomy", "virology"]

Names match regardless of case, separators and the harness's decorations (:mod:`.tasknames`). Exact
names take precedence over patterns, and the full name over its stripped forms.

A user's file may also define aliases of known benchmarks, and name the columns of a plain JSONL or
CSV file::

    [aliases]
    my_gsm8k_v2 = "gsm8k"

    [columns]
    id = "question_id"
    score = "correct"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .errors import InputError
from .files import parse_toml, read_text
from .invalid import reason
from .nearest import CUTOFF, did_you_mean, nearest
from .suite import Benchmark, Suite
from .tasknames import fold, key, spellings, without_model

_WILD = frozenset("*?{}")
SOURCE = "math"
"""Source group of imported results unless the user names another."""


class TaskEntry(BaseModel):
    """One benchmark of the taxonomy; a task that matches is imported as this benchmark.

    Several tasks may be imported as one benchmark (57 subjects of MMLU): each is then a subset.
    ``metrics`` are in order of preference; empty: the importer's main metric. ``chance`` (0..1) is
    the score of guessing, ``None`` if unknown; a file may give ``options`` instead, the number of
    choices of every item.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    group: str
    match: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    chance: float | None = Field(default=None, ge=0.0, lt=1.0)
    proportion: bool = True
    lower_is_better: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_options(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "options" not in raw:
            return raw
        options = raw["options"]
        if type(options) is not int or options < 2 or "chance" in raw:
            raise ValueError(
                "options must be a whole number of at least 2, given instead of chance"
            )
        return {k: v for k, v in raw.items() if k != "options"} | {"chance": 1.0 / options}


@dataclass(frozen=True, slots=True)
class Match:
    """The result of matching a task. ``spelling``: the folded name found in the taxonomy.

    ``family``: a pattern matched, so the task is by definition one of several.
    """

    benchmark: str
    entry: TaskEntry
    spelling: str
    family: bool

    @property
    def own(self) -> bool:
        """Whether the task has the benchmark's own name, in whatever spelling."""
        return key(self.spelling) == key(self.benchmark)


class Taxonomy(BaseModel):
    """Benchmarks by name, in the order in which patterns are tried.

    ``sets``: alternatives that patterns refer to in braces. ``aliases``: further names (or
    patterns) of benchmarks; they take precedence over all names in ``tasks``. ``columns``: our name
    of a column of a plain table -> the file's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    tasks: dict[str, TaskEntry] = {}
    sets: dict[str, tuple[str, ...]] = {}
    aliases: dict[str, str] = {}
    columns: dict[str, str] = {}

    @model_validator(mode="after")
    def _sets_are_known(self) -> Taxonomy:
        for match, name in self._every:
            for what in re.findall(r"\{(\w*)\}", match):
                if what not in self.sets:
                    raise ValueError(f"{name}: set {what!r} is not defined in [sets]")
        return self

    def match(self, task: str) -> Match | None:
        """The benchmark that ``task`` matches; ``None`` if the taxonomy doesn't know it.

        The name as written is looked up first, then each spelling, from the full name to the
        shortest; within each spelling, exact names precede patterns. A pattern yields to the exact
        name of a later spelling that is at least as long as the pattern's own letters
        ("musr_murder_mysteries_0shot" is not just any "musr_*").
        """
        if name := self._written.get(task):
            return Match(name, self.tasks[name], fold(task), family=False)
        by_pattern: Match | None = None
        letters = 0
        for spelling in spellings(without_model(task)):
            if name := self._names.get(spelling) or self._names.get(key(spelling)):
                if by_pattern is not None and letters > len(spelling):
                    return by_pattern
                return Match(name, self.tasks[name], spelling, family=False)
            for pattern in self._beginning(spelling) if by_pattern is None else ():
                if pattern.matches(spelling):
                    name = pattern.benchmark
                    by_pattern = Match(name, self.tasks[name], spelling, family=True)
                    letters = pattern.letters
                    break
        return by_pattern

    def find(self, task: str) -> tuple[str, TaskEntry] | None:
        """Benchmark name and entry of a task; ``None`` if it is unmapped."""
        found = self.match(task)
        return None if found is None else (found.benchmark, found.entry)

    def nearest(self, task: str, *, n: int = 3, cutoff: float = CUTOFF) -> list[str]:
        """Benchmarks that an unmapped task may be, most similar first (see :func:`.nearest`)."""
        *_, bare = (task, *spellings(task))
        return nearest(bare, self.tasks, n=n, cutoff=cutoff)

    def suite(self, benchmarks: Iterable[str], *, source: str = SOURCE) -> Suite:
        """The suite of imported results: those ``benchmarks`` that the taxonomy knows."""
        have = set(benchmarks)
        groups: dict[str, tuple[str, ...]] = {}
        for name, entry in self.tasks.items():
            if name in have:
                groups[entry.group] = (*groups.get(entry.group, ()), name)
        members = {
            name: Benchmark(pack="imported", chance=self.tasks[name].chance)
            for names in groups.values()
            for name in names
        }
        return Suite(name="imported", source=source, groups=groups, benchmarks=members)

    @cached_property
    def _exact(self) -> list[tuple[str, str]]:
        """Exact names with their benchmarks; they include each benchmark's own name."""
        return [(match, name) for match, name in self._every if not _WILD & set(match)]

    @cached_property
    def _every(self) -> list[tuple[str, str]]:
        tasks = self.tasks.items()
        own = [(match, name) for name, entry in tasks for match in (name, *entry.match)]
        return [*self.aliases.items(), *own]

    @cached_property
    def _written(self) -> dict[str, str]:
        return dict(reversed(self._exact))

    @cached_property
    def _names(self) -> dict[str, str]:
        """Exact names, folded and as keys; if two entries have the same, the first one wins."""
        names = {key(match): name for match, name in reversed(self._exact)}
        return names | {fold(match): name for match, name in reversed(self._exact)}

    @cached_property
    def _patterns(self) -> dict[str, list[_Pattern]]:
        """Names with wildcards, grouped by the text before the first wildcard."""
        found: dict[str, list[_Pattern]] = {}
        for at, (match, name) in enumerate(self._every):
            if _WILD & set(match):
                pattern = _Pattern(at, name, match, self.sets)
                found.setdefault(pattern.head, []).append(pattern)
        return found

    def _beginning(self, spelling: str) -> list[_Pattern]:
        """Patterns whose fixed beginning is that of ``spelling``, in the order to try them."""
        heads = (spelling[:length] for length in range(len(spelling) + 1))
        found = [pattern for head in heads for pattern in self._patterns.get(head, ())]
        return sorted(found, key=lambda pattern: pattern.place)


@dataclass(frozen=True)
class _Pattern:
    """A name with wildcards, compiled for the first task with the same beginning. A run meets few
    of the shipped patterns, and compiling all of them takes longer than everything else here.
    """

    place: int
    benchmark: str
    match: str
    sets: Mapping[str, tuple[str, ...]]

    def matches(self, spelling: str) -> bool:
        """Whether the pattern matches a whole folded name."""
        return self._expression.fullmatch(spelling) is not None

    @cached_property
    def letters(self) -> int:
        """Number of characters outside wildcards."""
        return len(re.sub(r"\{\w*\}|[*?]", "", self.match))

    @cached_property
    def _parts(self) -> list[str]:
        return list(_folded(re.split(r"(\{\w*\}|[*?])", self.match)))

    @cached_property
    def head(self) -> str:
        """The folded text before the first wildcard."""
        return "" if _WILD & set(self._parts[0]) else self._parts[0]

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("".join(self._part(part) for part in self._parts))

    def _part(self, part: str) -> str:
        if part.startswith("{"):
            return f"(?:{'|'.join(re.escape(fold(one)) for one in self.sets[part[1:-1]])})"
        return {"*": ".*", "?": "."}.get(part, re.escape(part))


def _folded(parts: list[str]) -> Iterable[str]:
    """The folded pieces between wildcards, with the separators next to the wildcards."""
    for part in parts:
        if part.startswith(("{", "*", "?")) or not part:
            yield part
            continue
        before = "_" if not (part[0].isalnum() or part[0] == "+") else ""
        after = "_" if not (part[-1].isalnum() or part[-1] == "+") else ""
        inner = fold(part)
        yield f"{before}{inner}{after}" if inner else "_"


def parse_taxonomy(text: str, *, place: str) -> Taxonomy:
    """Parse a taxonomy from TOML. Raises :class:`InputError` naming ``place`` and the key."""
    try:
        return Taxonomy.model_validate(parse_toml(text, place=place))
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        what = reason(first)
        raise InputError(what, place=f"{place} [{where}]" if where else place) from None


@cache
def _shipped() -> Taxonomy:
    resource = files("transferscope.core") / "suites" / "taxonomy.toml"
    return parse_taxonomy(resource.read_text(encoding="utf-8"), place="taxonomy.toml")


def load_taxonomy(
    path: Path | None = None, *, columns: Mapping[str, str] | None = None
) -> Taxonomy:
    """The shipped taxonomy preceded by the user's file, if any; ``columns`` precede its columns."""
    if columns:
        found = load_taxonomy(path)
        return found.model_copy(update={"columns": {**found.columns, **columns}})
    if path is None:
        return _shipped()
    mine = parse_taxonomy(read_text(path, remedy="name a TOML file"), place=str(path))
    shipped = _shipped()
    if both := sorted(set(shipped.sets) & set(mine.sets)):
        what = f"set {both[0]!r} is already defined in the shipped taxonomy"
        raise InputError(what, place=f"{path} [sets]", remedy="rename the set")
    tasks = {**mine.tasks}
    tasks |= {name: entry for name, entry in shipped.tasks.items() if name not in tasks}
    for task, name in mine.aliases.items():
        if name not in tasks:
            what = f"{task!r} is an alias for {name!r}, which the taxonomy does not contain"
            remedy = did_you_mean(name, tasks) if nearest(name, tasks) else "add it to [tasks]"
            raise InputError(what, place=f"{path} [aliases]", remedy=remedy)
    return Taxonomy(
        tasks=tasks, sets={**shipped.sets, **mine.sets}, aliases=mine.aliases, columns=mine.columns
    )
