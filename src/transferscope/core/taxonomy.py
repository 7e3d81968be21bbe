"""Which group, metric, direction and chance level a task of another harness has.

The taxonomy is data (``suites/taxonomy.toml``): common task names of lm-eval, lighteval, Inspect
evals, EvalScope, OpenCompass and HELM. A user's file of the same form (``--map``) goes before it::

    [tasks.mmlu]
    match = ["mmlu_{subject}"]       # further names, with *, ? and {sets}
    group = "other"
    metrics = ["acc", "acc_norm"]    # the first that a result has is read
    options = 4                      # or chance = 0.25; 0: nothing to guess; left out: unknown
    proportion = true                # a mean of 0/1 outcomes
    lower_is_better = false          # true: no score, named as not comparable
    [sets]
    subject = ["anatomy", "virology"]

A name matches without regard to case, separators and the harness's decorations
(:mod:`.tasknames`): exact names before patterns, the whole name before what remains of it.

A user's file may also give further names to known benchmarks, and say how the columns of a plain
JSONL or CSV file are named there::

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
    """One benchmark of the taxonomy; a task that matches becomes this benchmark.

    Several tasks may become one benchmark (57 subjects of MMLU): each is then one of its subsets.
    ``metrics`` in order of preference, empty: whatever the importer takes for the main one.
    ``chance`` (0..1) is what guessing scores, ``None`` where it is not known; a file may say
    ``options`` instead, the number of choices of every item.
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
    """What a task was taken for. ``spelling``: the folded name that the taxonomy knows.

    ``family``: a pattern matched, so that the task is one of several by nature.
    """

    benchmark: str
    entry: TaskEntry
    spelling: str
    family: bool

    @property
    def own(self) -> bool:
        """Whether the task bears the benchmark's own name, however it is written."""
        return key(self.spelling) == key(self.benchmark)


class Taxonomy(BaseModel):
    """Benchmarks by name, in the order in which patterns are tried.

    ``sets``: alternatives that patterns name in braces. ``aliases``: a further name (or pattern) to
    its benchmark; they go before all names of ``tasks``. ``columns``: our name of a column of a
    plain table to the file's name of it.
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
        """What ``task`` is taken for; ``None``: the taxonomy doesn't know it.

        The name as written is looked up first, then spelling after spelling, from the whole name
        to the barest; of each spelling exact names go before patterns. A pattern that matched more
        of the whole name than its own letters yields to a longer exact name inside
        ("musr_murder_mysteries_0shot" is not any "musr_*").
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
        """Benchmark name and entry of a task; ``None``: unmapped."""
        found = self.match(task)
        return None if found is None else (found.benchmark, found.entry)

    def nearest(self, task: str, *, n: int = 3, cutoff: float = CUTOFF) -> list[str]:
        """Benchmarks that an unmapped task may be, the most similar first (:func:`.nearest`)."""
        *_, bare = (task, *spellings(task))
        return nearest(bare, self.tasks, n=n, cutoff=cutoff)

    def suite(self, benchmarks: Iterable[str], *, source: str = SOURCE) -> Suite:
        """The suite of imported results: those of ``benchmarks`` that the taxonomy knows."""
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
        """Exact name and its benchmark; a benchmark's own name is one of them."""
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
        """Exact names, folded and as keys; where two entries have one, the first keeps it."""
        names = {key(match): name for match, name in reversed(self._exact)}
        return names | {fold(match): name for match, name in reversed(self._exact)}

    @cached_property
    def _patterns(self) -> dict[str, list[_Pattern]]:
        """Names with wildcards, by the text before the first wildcard."""
        found: dict[str, list[_Pattern]] = {}
        for at, (match, name) in enumerate(self._every):
            if _WILD & set(match):
                pattern = _Pattern(at, name, match, self.sets)
                found.setdefault(pattern.head, []).append(pattern)
        return found

    def _beginning(self, spelling: str) -> list[_Pattern]:
        """Patterns that begin as ``spelling`` does, in the order in which they are tried."""
        heads = (spelling[:length] for length in range(len(spelling) + 1))
        found = [pattern for head in heads for pattern in self._patterns.get(head, ())]
        return sorted(found, key=lambda pattern: pattern.place)


@dataclass(frozen=True)
class _Pattern:
    """A name with wildcards. Compiled for the first task that begins as it does: of the shipped
    ones a run meets few, and compiling them all takes longer than all else here.
    """

    place: int
    benchmark: str
    match: str
    sets: Mapping[str, tuple[str, ...]]

    def matches(self, spelling: str) -> bool:
        """Whether it matches the whole of a folded name."""
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
    """Pieces between wildcards, folded, with the separators that stood beside the wildcards."""
    for part in parts:
        if part.startswith(("{", "*", "?")) or not part:
            yield part
            continue
        before = "_" if not (part[0].isalnum() or part[0] == "+") else ""
        after = "_" if not (part[-1].isalnum() or part[-1] == "+") else ""
        inner = fold(part)
        yield f"{before}{inner}{after}" if inner else "_"


def parse_taxonomy(text: str, *, place: str) -> Taxonomy:
    """Taxonomy from TOML text. Raises :class:`InputError` naming ``place`` and the key."""
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
    """The shipped taxonomy, the user's file (if any) before it; ``columns`` before its columns."""
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
