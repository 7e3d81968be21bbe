"""Short names for models: the folder's name if a run was recorded under a full path.

JSON output keeps the recorded names. Pages and tables show the short ones, and the page's
provenance section has both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from .escaping import name

if TYPE_CHECKING:
    from ..core.index import IndexResult
    from ..core.robustness import SpecificationCurve
    from ..documents.comparison import Comparison, TunedResult
    from .report_input import ReportInput

T = TypeVar("T")

_PATH = re.compile(r"[/~.\\]|[A-Za-z]:[/\\]|[^/\\]+(?:[/\\][^/\\]+){2}")
"""Matches the start of a path; ``organisation/model`` is a hub id and is kept whole."""
_HUB = re.compile(r"models--([^/\\]+?)--([^/\\]+)")
_PLAIN = re.compile(
    r"(?:checkpoint|step|global_step|epoch)[-_]?\d+|final|best|last|merged|model|hf"
)
"""Folder names that need their parent folder's name to identify a model."""


def model_labels(models: Sequence[str]) -> list[str]:
    """Return one label per model, in order; repeated names are numbered."""
    shown = [name(m) for m in models]
    return [
        f"{label} #{shown[: at + 1].count(label)}" if label in shown[:at] else label
        for at, label in enumerate(shown)
    ]


def short_names(models: Sequence[str]) -> dict[str, str]:
    """Map every model to its short name: as much of the end of its path as identifies it.

    >>> list(short_names(["/runs/rl/checkpoint-500", "/runs/sft", "Qwen/Qwen3-4B"]).values())
    ['rl/checkpoint-500', 'sft', 'Qwen/Qwen3-4B']
    """
    parts = {model: _parts(model) for model in dict.fromkeys(models)}
    depth = {
        model: 2 if len(own) > 1 and _PLAIN.fullmatch(own[-1]) else 1
        for model, own in parts.items()
    }
    while True:
        shown = {model: "/".join(own[-depth[model] :]) for model, own in parts.items()}
        alike = list(shown.values())
        longer = [
            model
            for model, own in parts.items()
            if alike.count(shown[model]) > 1 and depth[model] < len(own)
        ]
        if not longer:
            return shown
        for model in longer:
            depth[model] += 1


def _parts(model: str) -> list[str]:
    if found := _HUB.search(model):
        return [f"{found[1]}/{found[2]}"]
    if not _PATH.match(model):
        return [model]
    return [part for part in re.split(r"[/\\]", model) if part not in ("", ".")] or [model]


def with_short_names(comparison: Comparison) -> Comparison:
    """Return ``comparison`` with short model names, also in the notes on differences."""
    names = short_names([comparison.base, *(t.model for t in comparison.tuned)])
    if all(short == model for model, short in names.items()):
        return comparison
    curve = comparison.specifications
    notes = tuple(_renamed(note, names) for note in comparison.differences)
    return replace(
        comparison,
        base=names[comparison.base],
        tuned=tuple(_tuned(result, names) for result in comparison.tuned),
        differences=notes,
        provenance=_keys(comparison.provenance, names),
        specifications=None if curve is None else _curve(curve, names),
    )


def report_with_short_names(report: ReportInput) -> ReportInput:
    """Return ``report`` with short model names, also for models that were only probed."""
    tables = ("hidden", "tokens", "weights", "training", "costs", "arms", "dynamics")
    extra = [model for table in tables for model in getattr(report, table)]
    comparison = report.comparison
    names = short_names([comparison.base, *(t.model for t in comparison.tuned), *extra])
    short: dict[str, Any] = {table: _keys(getattr(report, table), names) for table in tables}
    return replace(report, comparison=with_short_names(comparison), **short)


def common_start(labels: Sequence[str]) -> str:
    """Return the labels' common prefix, up to a separator; empty if it is all of one label.

    >>> common_start(["llama-1b-rl", "llama-1b-sft"])
    'llama-1b-'
    """
    if len(labels) < 2:
        return ""
    low, high = min(labels), max(labels)
    same = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    cut = max(low.rfind(mark, 0, same) for mark in "-_/ ") + 1
    return low[:cut] if all(len(label) > cut for label in labels) else ""


def _keys(table: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    return {names.get(key, key): value for key, value in table.items()}


def _renamed(note: str, names: Mapping[str, str]) -> str:
    """A note ``MODEL: text`` with the model's short name."""
    whole = next((m for m in sorted(names, key=len, reverse=True) if note.startswith(f"{m}: ")), "")
    return names[whole] + note[len(whole) :] if whole else note


def _tuned(result: TunedResult, names: Mapping[str, str]) -> TunedResult:
    return replace(
        result,
        model=names[result.model],
        index=_index(result.index, names),
        index_linear=_index(result.index_linear, names),
    )


def _index(index: IndexResult | None, names: Mapping[str, str]) -> IndexResult | None:
    return None if index is None else replace(index, model=names.get(index.model, index.model))


def _curve(curve: SpecificationCurve, names: Mapping[str, str]) -> SpecificationCurve:
    results: list[Any] = [
        replace(
            result,
            ti=_keys(result.ti, names),
            undefined_reason=_keys(result.undefined_reason, names),
        )
        for result in curve.specifications
    ]
    return replace(curve, specifications=tuple(results), range=_keys(curve.range, names))
