"""A table of scores, and the index of every tuned model in it.

The table is in long form: ``model,base,group,benchmark,score[,n]``. ``base`` is empty for base
models and ``score`` is in percent ("60.5", "60.5%", "60,5"). The delimiter is a comma, semicolon or
tab. The groups are those of the table.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .cells import cell_of, count_of
from .errors import InputError
from .index import Array, IndexResult, Layout, domain_index, index_of, sigma_for
from .nearest import nearest
from .rowfiles import delimiter_of
from .stats import beta_draws, stream
from .suite import Suite

COLUMNS = ("model", "base", "group", "benchmark", "score")


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores (model -> benchmark -> percent), lineage and groups.

    ``items``: the number of items behind a score, if known, for the unpaired interval.
    """

    layout: Layout
    base_of: Mapping[str, str]
    scores: Mapping[str, Mapping[str, float]]
    items: Mapping[str, Mapping[str, int]]

    @property
    def tuned(self) -> tuple[str, ...]:
        """Models that name a base, in table order."""
        return tuple(m for m in self.scores if m in self.base_of)

    def row(self, model: str) -> Array:
        """A model's scores (B,) in the layout's order, in percent."""
        return np.array([self.scores[model][b] for b in self.layout.benchmarks])

    def is_suite(self, suite: Suite) -> bool:
        """Whether groups, members and source are exactly those of the suite."""
        mine = {
            g: frozenset(b for b, m in zip(self.layout.benchmarks, row, strict=True) if m)
            for g, row in zip(self.layout.groups, self.layout.member_GB, strict=True)
        }
        theirs = {g: frozenset(names) for g, names in suite.groups.items()}
        return mine == theirs and self.layout.source == suite.source


@dataclass(frozen=True, slots=True)
class CohortIndex:
    """The indices of a table's tuned models under one scale and definition.

    ``scale`` is ``None`` for definitions without one. ``sigma`` is per group, in points, if one
    sigma applies to all models.
    """

    scale: str | None
    definition: str
    sigma: Mapping[str, float] | None
    models: tuple[IndexResult, ...]


def cohort_index(
    table: ScoreTable,
    *,
    scale: str = "unit",
    definition: str = "robust",
    published: Mapping[str, float] | None = None,
    seed: int | None = None,
    replicates: int = 10_000,
) -> CohortIndex:
    """The index of every tuned model of ``table``.

    With ``seed``, and if the number of items behind every score is known, TI has an interval from
    independent Beta draws of base and tuned ("unpaired"). Raises :class:`InputError` if there is no
    tuned model.
    """
    if not table.tuned:
        raise InputError(
            "no tuned model in the table", remedy="fill column 'base' in the rows of tuned models"
        )
    layout = table.layout
    base_MB = np.stack([table.row(table.base_of[m]) for m in table.tuned])
    tuned_MB = np.stack([table.row(m) for m in table.tuned])
    known_G = None if published is None else np.array([published[g] for g in layout.groups])
    member = layout.member_GB

    def sigma_of(gain_MB: Array) -> Array:
        return sigma_for(scale, gain_MB, member, published_G=known_G)

    sigma = np.broadcast_to(sigma_of(tuned_MB - base_MB), (len(table.tuned), len(member)))
    draws = None if seed is None else _di_draws(table, definition, sigma_of, seed, replicates)
    results = []
    for at, model in enumerate(table.tuned):
        result = index_of(
            model,
            table.base_of[model],
            layout=layout,
            base_B=base_MB[at],
            tuned_B=tuned_MB[at],
            definition=definition,
            sigma_G=sigma[at],
            di_RG=None if draws is None else draws[:, at],
            paired=False,
        )
        results.append(result)
    shared = scale != "per-model" and definition == "robust"
    named = dict(zip(layout.groups, map(float, sigma[0]), strict=True)) if shared else None
    shown = scale if definition == "robust" else None
    return CohortIndex(shown, definition, named, tuple(results))


def _di_draws(
    table: ScoreTable,
    definition: str,
    sigma_of: Callable[[Array], Array],
    seed: int,
    replicates: int,
) -> Array | None:
    """DI replicates (R, M, G) from Beta draws; ``None`` if a score has no item count."""
    names = list(table.scores)
    if any(set(table.items.get(m, {})) != set(table.layout.benchmarks) for m in names):
        return None
    drawn = np.empty((replicates, len(names), len(table.layout.benchmarks)))
    for k, model in enumerate(names):
        for b, benchmark in enumerate(table.layout.benchmarks):
            score, n = table.scores[model][benchmark], table.items[model][benchmark]
            rng = stream(seed, "beta", model, benchmark)
            drawn[:, k, b] = beta_draws(score, n, rng, replicates=replicates)
    tuned = drawn[:, [names.index(m) for m in table.tuned]]
    base = drawn[:, [names.index(table.base_of[m]) for m in table.tuned]]
    return domain_index(
        base,
        tuned,
        table.layout.member_GB,
        definition=definition,
        sigma_G=sigma_of(tuned - base),
    )


def parse_table(text: str, *, place: str, source: str | None = None) -> ScoreTable:
    """Parse a table from CSV text; ``place`` names the file in errors.

    Raises :class:`InputError` naming the line for a missing column, a score that is not a number
    within 0..100, a duplicate row, a benchmark in two groups, a model with two bases, a base that
    is not in the table, or a model without a score on some benchmark.
    """
    text = text.removeprefix("\ufeff")
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter_of(text))
    try:
        return _parse(reader, place=place, source=source)
    except csv.Error as err:
        raise InputError(f"not CSV: {err}", place=f"{place}:{reader.line_num}") from None


def _parse(reader: csv.DictReader[str], *, place: str, source: str | None) -> ScoreTable:
    _check_header(reader.fieldnames or [], place)
    groups: dict[str, list[str]] = {}
    group_of: dict[str, str] = {}
    base_of: dict[str, str] = {}
    bases_seen: dict[str, str] = {}
    scores: dict[str, dict[str, float]] = {}
    items: dict[str, dict[str, int]] = {}
    for row in reader:
        where = f"{place}:{reader.line_num}"
        if None in row or any(row[c] is None for c in COLUMNS):
            raise InputError(
                "wrong number of fields", place=where, remedy="write one value per column"
            )
        model, base, group, benchmark = (row[c].strip() for c in COLUMNS[:4])
        if not (model and group and benchmark):
            raise InputError("model, group and benchmark must not be empty", place=where)
        if not all(name.isprintable() for name in (model, base, group, benchmark)):
            raise InputError(
                "a name contains unprintable characters", place=where, remedy="remove them"
            )
        if bases_seen.setdefault(model, base) != base:
            raise InputError(
                f"{model} has two bases", place=where, remedy="name one base per model"
            )
        if base == model:
            raise InputError(
                f"{model} is its own base", place=where, remedy="leave base empty for base models"
            )
        if base:
            base_of[model] = base
        if group_of.setdefault(benchmark, group) != group:
            raise InputError(
                f"{benchmark} is in groups {group_of[benchmark]} and {group}",
                place=where,
                remedy="assign it to one group",
            )
        if benchmark not in groups.setdefault(group, []):
            groups[group].append(benchmark)
        if benchmark in scores.setdefault(model, {}):
            raise InputError(
                f"second row for {model} on {benchmark}", place=where, remedy="keep one"
            )
        scores[model][benchmark] = _percent(row["score"], where)
        if (count := (row.get("n") or "").strip()) != "":
            items.setdefault(model, {})[benchmark] = _count(count, where)
    if not scores:
        raise InputError("no rows below the header", place=place)
    _check_complete(scores, base_of, list(group_of), place)
    return ScoreTable(Layout.of(groups, _source(groups, source, place)), base_of, scores, items)


def _check_header(header: Sequence[str], place: str) -> None:
    if not header:
        raise InputError(
            "the file is empty", place=place, remedy=f"columns: {','.join(COLUMNS)}[,n]"
        )
    if missing := [c for c in COLUMNS if c not in header]:
        raise InputError(
            f"missing column {', '.join(missing)}",
            place=f"{place}:1",
            remedy=f"columns: {','.join(COLUMNS)}[,n]",
        )
    if twice := sorted({c for c in header if header.count(c) > 1}):
        raise InputError(f"two columns named {twice[0]!r}", place=f"{place}:1", remedy="keep one")


def _percent(text: str, where: str) -> float:
    cell = cell_of(text)
    value = math.nan if cell is None else cell.value
    if not 0.0 <= value <= 100.0:
        raise InputError(
            f"score {text.strip()!r} is not a percentage", place=where, remedy="use 0 to 100"
        )
    return value


def _count(text: str, where: str) -> int:
    count = count_of(text)
    if count is None or not 1 <= count < 10**12:
        raise InputError(f"n {text[:40]!r} is not a whole number above 0", place=where)
    return count


def _check_complete(
    scores: Mapping[str, Mapping[str, float]],
    base_of: Mapping[str, str],
    benchmarks: list[str],
    place: str,
) -> None:
    for model, base in base_of.items():
        if base not in scores:
            raise InputError(
                f"base {base!r} of {model!r} is not in the table",
                place=place,
                remedy="add its rows, with an empty base column",
            )
    for model, row in scores.items():
        if lacking := [b for b in benchmarks if b not in row]:
            raise InputError(
                f"{model} has no score for {', '.join(lacking)}",
                place=place,
                remedy="add it, or remove the benchmark for all models",
            )


def _source(groups: Mapping[str, object], source: str | None, place: str) -> str:
    chosen = source or "math"
    if chosen not in groups:
        near = f"did you mean {found[0]!r}? " if (found := nearest(chosen, groups, n=1)) else ""
        raise InputError(
            f"no source group {chosen!r}", place=place, remedy=f"{near}--source {'|'.join(groups)}"
        )
    return chosen
