"""Tables and texts for the templates, made from the comparison's records.

Texts are already truncated and free of invisible characters (:mod:`.escaping`); the templates
escape them for HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import verdict, words
from .escaping import name, sentence, token, visible

if TYPE_CHECKING:
    from ..core.hidden_shift import HiddenPart, LayerShift
    from ..core.predictors import Predictor
    from ..core.token_shift import ShiftedToken, TokenMeans, TokenShift
    from ..core.weight_shift import WeightsPart
    from ..documents.comparison import BenchmarkChange, Comparison, TunedResult
    from ..train.dynamics import Dynamics
    from .chart_data import Mark

EXAMPLES_SHOWN = 24
"""Maximum number of flipped questions shown per model; the counts cover all of them."""
TOKENS_SHOWN = 15
"""Maximum number of shifted tokens shown per model."""
COST_NAMES = {
    "seconds": "time",
    "cpu_seconds": "CPU time",
    "tokens_generated": "tokens generated",
    "tokens_trained": "tokens trained",
    "flops": "FLOPs",
}


_NUMBER = re.compile(r"[+\u2212]?[\d,.]+(?:e-?\d+)?(?: %)?|n/a|undefined|\u221e|")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: column heads, and rows whose first cell is the row's head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def numbers(self) -> tuple[bool, ...]:
        """For each column, whether all its cells are numbers, which are aligned to the right."""
        return tuple(
            at > 0 and any(map(str.strip, cells)) and all(map(_NUMBER.fullmatch, cells))
            for at, cells in enumerate(zip(*self.rows, strict=True))
        )


@dataclass(frozen=True, slots=True)
class Example:
    """A flipped question with both answers, ready for display."""

    benchmark: str
    id: str
    kind: str
    prompt: str
    base: str
    tuned: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """One tuned model: its mark in the charts, its verdicts and its table rows."""

    label: str
    mark: Mark
    result: TunedResult
    headline: str
    verdicts: tuple[str, ...]
    groups: tuple[tuple[str, tuple[BenchmarkChange, ...]], ...]
    examples: tuple[Example, ...]
    examples_left_out: int


def model_views(
    comparison: Comparison, labels: Sequence[str], marks: Sequence[Mark]
) -> list[ModelView]:
    """Return a view of every tuned model, in the comparison's order."""
    label_of = words.index_label(comparison.suite)
    return [
        ModelView(
            label=label,
            mark=mark,
            result=result,
            headline=verdict.headline(result, comparison.source),
            verdicts=(
                *verdict.verdicts(result, comparison.source),
                *verdict.index_differences(result.index, result.index_linear, label_of).values(),
            ),
            groups=_by_group(result, comparison),
            examples=_examples(result),
            examples_left_out=_left_out(result),
        )
        for label, mark, result in zip(labels, marks, comparison.tuned, strict=True)
    ]


def _by_group(
    result: TunedResult, comparison: Comparison
) -> tuple[tuple[str, tuple[BenchmarkChange, ...]], ...]:
    parts = [
        (words.group_name(group), tuple(row for row in result.benchmarks if row.group == group))
        for group in comparison.groups
    ]
    return tuple((group, rows) for group, rows in parts if rows)


def _left_out(result: TunedResult) -> int:
    """The number of flipped questions that are not shown.

    ``result.flipped`` has only a few per benchmark. The number is 0 if it is empty, because the
    runs then kept no answers.
    """
    if not result.flipped:
        return 0
    counts = [row.flips for row in result.benchmarks if row.flips is not None]
    total = sum(flips.lost + flips.won for flips in counts)
    return max(0, total - min(len(result.flipped), EXAMPLES_SHOWN))


def _examples(result: TunedResult) -> tuple[Example, ...]:
    """At most :data:`EXAMPLES_SHOWN`: one of every benchmark and kind before any second one."""
    turn: dict[tuple[str, str], int] = {}
    ranked = []
    for at, item in enumerate(result.flipped):
        key = (item.benchmark, item.kind)
        turn[key] = turn.get(key, 0) + 1
        ranked.append((turn[key], at, item))
    kept = sorted(sorted(ranked, key=lambda r: r[:2])[:EXAMPLES_SHOWN], key=lambda r: r[1])
    return tuple(
        Example(
            benchmark=name(item.benchmark),
            id=name(item.id),
            kind=item.kind,
            prompt=visible(item.prompt),
            base=visible(item.base),
            tuned=visible(item.tuned),
        )
        for _, _, item in kept
    )


def hidden_grid(hidden: Mapping[str, HiddenPart]) -> Grid:
    """Return the PCA shift of every model, with the distance that ignores signs first."""
    rows = []
    for model, shift in hidden.items():
        cka = [layer.cka for layer in shift.layers if layer.cka is not None]
        moved = [layer.rel_l2 for layer in shift.layers if layer.rel_l2 is not None]
        rows.append(
            (
                name(model),
                *map(digits, (shift.d_layerwise, shift.d_paper, shift.d_paper_max)),
                digits(min(cka)) if cka else "n/a",
                digits(sum(moved) / len(moved)) if moved else "n/a",
                digits(shift.n_texts),
            )
        )
    head = ("model", "d_layerwise", "d_paper", "d_paper_max", "lowest CKA", "mean rel. L2", "texts")
    return Grid(head, tuple(rows))


def token_grid(tokens: Mapping[str, TokenMeans], prefixes: Sequence[str]) -> Grid:
    """Return the token shift of every model, with the prefix that it was measured on."""
    keys = ("kl_tuned_base", "kl_base_tuned", "js", "log_ratio", "rank_shift")
    rows = tuple(
        (
            name(model),
            name(prefix),
            *(digits(shift.value(key), sign=key in keys[3:]) for key in keys),
            _share(shift.shifted_share),
            digits(shift.entropy_base),
            digits(shift.entropy_tuned),
            digits(shift.n_texts),
            digits(shift.n_tokens),
        )
        for (model, shift), prefix in zip(tokens.items(), prefixes, strict=True)
    )
    head = (
        "model",
        "prefix",
        "KL(tuned ‖ base)",
        "KL(base ‖ tuned)",
        "JS",
        "log ratio",
        "rank shift",
        "positions with JS > 0.1",
        "entropy, base",
        "entropy, tuned",
        "texts",
        "tokens",
    )
    return Grid(head, rows)


def layer_grid(layers: Sequence[LayerShift]) -> Grid:
    """Return the measurements of every layer."""
    rows = tuple(
        (
            str(layer.layer),
            digits(layer.dm1, sign=True),
            digits(layer.dm2, sign=True),
            digits(layer.cka),
            digits(layer.rel_l2),
        )
        for layer in layers
    )
    return Grid(("layer", "first axis", "second axis", "CKA", "relative L2"), rows)


def shifted_grids(tokens: Mapping[str, TokenShift]) -> list[tuple[str, Grid]]:
    """Return every model's shifted tokens with sign, kind and count."""
    grids = [(name(model), shifted_grid(shift.shifted_tokens)) for model, shift in tokens.items()]
    return [(model, grid) for model, grid in grids if grid.rows]


def shifted_grid(shifted: Sequence[ShiftedToken], *, kind: str | None = None) -> Grid:
    """Return the most frequent shifted tokens, of one ``kind`` if it is given."""
    kept = [entry for entry in shifted if kind in (None, entry.kind)]
    rows = tuple(
        (
            token(entry.token),
            name(entry.kind),
            words.signed(entry.mean_shift),
            digits(entry.count),
        )
        for entry in kept[:TOKENS_SHOWN]
    )
    return Grid(("token", "kind", "mean rank shift", "count"), rows)


def weight_grid(weights: Mapping[str, WeightsPart]) -> Grid:
    """Return how much tuning changed the weights of every model."""
    rows = tuple(
        (
            name(model),
            _share(shift.changed_share),
            _share(shift.changed_bf16_share),
            "n/a" if shift.relative_norm is None else f"{shift.relative_norm:.2e}",
            digits(shift.stable_rank),
        )
        for model, shift in weights.items()
    )
    head = ("model", "changed", "as bf16", "relative norm", "mean stable rank")
    return Grid(head, rows)


def dynamics_grid(dynamics: Mapping[str, Dynamics]) -> Grid:
    """Return the summary statistics of every run's gradient norms."""
    keys = {
        "early_slope": "early slope",
        "t_half": "t half",
        "total": "total",
        "late_mean": "late mean",
        "late_variance": "late variance",
        "decay_rate": "decay rate",
        "oscillation": "oscillation",
        "zeros": "zeros",
        "nonfinite": "not finite",
    }
    rows = tuple(
        (name(model), *(digits(getattr(row, key), sign=key == "early_slope") for key in keys))
        for model, row in dynamics.items()
    )
    return Grid(("run", *keys.values()), rows)


def predictor_grid(predictors: Sequence[Predictor]) -> Grid:
    """Return how well every quantity predicts the drop."""
    rows = []
    for row in predictors:
        counts = digits(row.n), digits(row.runs)
        if row.undefined is not None:
            why = f"undefined: {sentence(row.undefined)}"
            rows.append((sentence(row.quantity), why, "n/a", "n/a", "n/a", "n/a", *counts))
            continue
        rows.append(
            (
                sentence(row.quantity),
                digits(row.rank, sign=True),
                words.interval(row.rank_ci, 2) if row.rank_ci else "undecided",
                digits(row.r2),
                words.interval(row.r2_ci, 2) if row.r2_ci else "undecided",
                digits(row.r2_left_out, sign=True),
                *counts,
            )
        )
    head = ("quantity", "rank correlation", "95 % interval", "R²", "95 % interval")
    return Grid((*head, "R² of runs left out", "models", "runs"), tuple(rows))


def cost_grid(costs: Mapping[str, Mapping[str, Any]]) -> Grid:
    """Return the costs of every model, one column per kind of cost."""
    keys = list(dict.fromkeys(key for row in costs.values() for key in row))
    rows = tuple(
        (name(model), *(cost(key, row.get(key)) for key in keys)) for model, row in costs.items()
    )
    return Grid(("model", *map(_cost_name, keys)), rows)


def digits(value: Any, *, sign: bool = False) -> str:
    """Format a measurement with about three significant digits, a count with separators."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "n/a" if value is None else name(value)
    if isinstance(value, int):
        return f"{value:,}"
    places = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3
    return words.signed(value, places) if sign else words.number(value, places)


def _share(value: Any) -> str:
    return "n/a" if value is None else f"{words.number(100.0 * float(value))} %"


def _cost_name(key: str) -> str:
    gpus, estimate, _ = key.partition("_gpus_seconds")
    if estimate:
        return f"estimated time on {name(gpus)} GPUs"
    return COST_NAMES.get(key, name(key).replace("_", " "))


def cost(key: str, value: Any) -> str:
    """Format a named cost: as a duration if its key ends in ``seconds``, else as a number."""
    from .progress import duration

    if isinstance(value, int | float) and not isinstance(value, bool):
        if key == "seconds" or key.endswith("_seconds"):
            return duration(float(value))
        if abs(value) >= 1e9:
            return f"{value:.2e}".replace("e+", "e")
    return digits(value)
