"""Sentences and tables on robustness, shared by the page, the Markdown and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import words
from .escaping import name
from .views import Grid

if TYPE_CHECKING:
    from ..core.robustness import BelowChance, SpecificationCurve
    from ..documents.comparison import AgainstBase, Comparison, TunedResult

WIDE = 3
"""Models above which a table of specifications has a row for each model, not a column."""
HEAVY = 40.0
"""Percentage of a group's weight above which a benchmark is mentioned."""


def sentences(result: TunedResult, comparison: Comparison) -> list[str]:
    """Sentences on how robust one model's index and scores are; empty if they are robust."""
    found = result.robustness
    out = [_below(row, "the tuned model") for row in (found.below_chance.tuned if found else ())]
    out += [_below(row, "the base") for row in (found.below_chance.base if found else ())]
    out += _against(result)
    if found is None or result.index is None:
        return out
    out += [
        f"{name(row.benchmark)} has {words.number(row.weight, 0)} % of the weight of group "
        f"{words.group_name(row.group)}."
        for row in found.weights
        if row.weight >= HEAVY and sum(w.group == row.group for w in found.weights) > 2
    ]
    label = words.index_label(comparison.suite)
    for group in result.index.ti:
        values = [row.ti.get(group) for row in found.left_out]
        known = [value for value in values if value is not None]
        if result.index.ti[group] is None:
            continue  # an undefined ratio has no range
        if known:
            lost = len(values) - len(known)
            without = f"; it is undefined in {lost} of these cases" if lost else ""
            out.append(
                f"Leaving out any one benchmark gives a {label} {words.group_name(group)} of "
                f"{_span(min(known), max(known))} %{without}."
            )
        curve = comparison.specifications
        if curve and (span := curve.range.get(result.model, {}).get(group)):
            every = [row.ti[result.model].get(group) for row in curve.specifications]
            lost = sum(value is None for value in every)
            without = f"; it is undefined in {lost} more" if lost else ""
            out.append(
                f"{label} {words.group_name(group)} over {len(every) - lost} specifications: "
                f"{_span(*span)} %{without}."
            )
    return out


def left_out_grid(result: TunedResult) -> Grid | None:
    """Table of every benchmark's weight and the index without it; ``None`` without an index."""
    found = result.robustness
    if found is None:
        return None
    groups = tuple(found.left_out[0].ti)
    head = (
        "benchmark",
        "group",
        "weight %",
        *(f"TI {words.group_name(g)} without it" for g in groups),
    )
    rows = tuple(
        (
            name(weight.benchmark),
            name(words.group_name(weight.group)),
            words.number(weight.weight, 0),
            *(_ti(row.ti.get(group)) for group in groups),
        )
        for weight, row in zip(found.weights, found.left_out, strict=True)
    )
    return Grid(head, rows)


def curve_grid(curve: SpecificationCurve, targets: Sequence[str], *, values: bool = True) -> Grid:
    """Table with a row per specification: each model's TI, and the rank correlation with the first.

    Without ``values``, only the correlations.
    """
    models = list(curve.range)
    shown = models if values else []
    head = ["specification"]
    head += [f"{name(m)}: {words.group_name(g)}" for m in shown for g in targets]
    head += [f"rank correlation: {words.group_name(g)}" for g in targets] if len(models) > 2 else []
    rows = []
    for result in curve.specifications:
        parts = [result.definition]
        parts += [f"scale {result.scale}"] if result.scale else []
        parts += [f"{result.weights} weights"] if result.weights else []
        cells = [", ".join(parts)]
        cells += [_ti(result.ti[m].get(g)) for m in shown for g in targets]
        if len(models) > 2:
            cells += [words.number(result.rank_correlation[g], 2) for g in targets]
        rows.append(tuple(cells))
    return Grid(tuple(head), tuple(rows))


def range_grid(curve: SpecificationCurve, targets: Sequence[str], models: Sequence[str]) -> Grid:
    """A model a row: TI under the default specification, and its range over all of them."""
    head = ["model"]
    for group in targets:
        head += [f"TI {words.group_name(group)}", "lowest to highest"]
    default = curve.specifications[0]
    rows = []
    for model in models:
        cells = [name(model)]
        for group in targets:
            span = curve.range[model].get(group)
            cells.append(_ti(default.ti[model].get(group)))
            cells.append("undefined" if span is None else f"{_span(*span)} %")
        rows.append(tuple(cells))
    return Grid(tuple(head), tuple(rows))


def _ti(value: float | None) -> str:
    return "undefined" if value is None else f"{words.number(value, 0)} %"


def _span(low: float, high: float) -> str:
    first, last = words.number(low, 0), words.number(high, 0)
    return first if first == last else f"{first} to {last}"


def _below(row: BelowChance, who: str) -> str:
    return (
        f"{name(row.benchmark)}: {who} scores {words.number(row.score)} %, but guessing gives "
        f"{words.number(row.chance)} %: likely non-answers, which is a format problem."
    )


def _against(result: TunedResult) -> list[str]:
    """Sentences on style, script and constant answers that were found.

    "Not measured" if no answers were kept.
    """
    measured = [(r, r.against_base) for r in result.benchmarks if r.against_base is not None]
    if not measured:
        return ["Style openings and changes of script: not measured, because no answers were kept."]
    out = []
    for row, found in measured:
        for flag, count in found.flags.items():
            if count:
                out.append(
                    f"{name(row.benchmark)}: {AGAINST.get(flag, name(flag))} in {count} of "
                    f"{found.n} answers."
                )
        out += _constant(name(row.benchmark), found)
    return out


def _constant(benchmark: str, found: AgainstBase) -> list[str]:
    """A sentence if either model gives the same answer to nearly all questions."""
    sides = (("the base", found.base_constant), ("the tuned model", found.tuned_constant))
    said = [
        f"{who} answers \u201c{name(one.answer)}\u201d {one.count} times out of {found.n}"
        for who, one in sides
        if one is not None
    ]
    if not said:
        return []
    return [
        f"{benchmark}: {' and '.join(said)}: a constant answer. Its score only shows how often it "
        "happens to be right."
    ]


AGAINST = {
    "style_opening": "an opening that the base never uses",
    "script_change": "a different script from the base's",
}
"""Words for flags relative to the base."""
