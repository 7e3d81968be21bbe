"""How much an index depends on choices nobody has to share (docs/science.md section 2).

Weights, each benchmark left out in turn, every reasonable specification, and scores below chance,
which look more like an unread answer format than like a lost skill. Point estimates only: no
function here draws random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .groups import group_name
from .index import (
    Array,
    IndexResult,
    Layout,
    domain_index,
    headroom_weights,
    index_of,
    sigma_for,
    uniform_weights,
)

ALPHA = 0.05
"""Level of the test against chance."""
SHARE_OF_CHANCE = 0.5
"""Without a number of items: a score below this share of its chance level is flagged."""
MIN_MODELS = 3
"""Models that a rank correlation needs."""


@dataclass(frozen=True, slots=True)
class BenchmarkWeight:
    """A benchmark's headroom weight inside its group, in percent."""

    benchmark: str
    group: str
    weight: float

    def to_json(self) -> dict[str, Any]:
        """Plain data for the JSON of a command."""
        return {"benchmark": self.benchmark, "group": self.group, "weight": self.weight}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The index of one tuned model without ``benchmark``; ``None`` where undefined, with why."""

    benchmark: str
    di: Mapping[str, float | None]
    ti: Mapping[str, float | None]
    undefined_reason: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain data for the JSON of a command."""
        return {
            "benchmark": self.benchmark,
            "di": dict(self.di),
            "ti": dict(self.ti),
            "undefined_reason": dict(self.undefined_reason),
        }


@dataclass(frozen=True, slots=True)
class Specification:
    """One way to compute TI. ``scale`` and ``weights`` are ``None`` where the definition has none.

    ``weights``: ``headroom`` or ``uniform`` inside every group.
    """

    definition: str = "robust"
    scale: str | None = "unit"
    weights: str | None = "headroom"

    def to_json(self) -> dict[str, Any]:
        """Plain data for the JSON of a command."""
        return {"definition": self.definition, "scale": self.scale, "weights": self.weights}


@dataclass(frozen=True, slots=True)
class SpecificationResult:
    """TI of every model (model -> target group -> percent) under one specification.

    ``rank_correlation``: Spearman's, per target group, with the default specification, over the
    ``models_ranked`` models that both define; ``None`` for fewer than :data:`MIN_MODELS` of them
    or where all of one side are tied. ``undefined_reason``: model -> group -> why TI is ``None``.
    """

    specification: Specification
    ti: Mapping[str, Mapping[str, float | None]]
    undefined_reason: Mapping[str, Mapping[str, str]]
    rank_correlation: Mapping[str, float | None]
    models_ranked: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain data for the JSON of a command."""
        return {
            **self.specification.to_json(),
            "ti": {model: dict(row) for model, row in self.ti.items()},
            "undefined_reason": {m: dict(row) for m, row in self.undefined_reason.items()},
            "rank_correlation": dict(self.rank_correlation),
            "models_ranked": dict(self.models_ranked),
        }


@dataclass(frozen=True, slots=True)
class SpecificationCurve:
    """Every specification's TI, the default first.

    ``ranges``: model -> target group -> (lowest, highest) TI over the specifications that define
    it, ``None`` where none does.
    """

    default: Specification
    results: tuple[SpecificationResult, ...]
    ranges: Mapping[str, Mapping[str, tuple[float, float] | None]]

    def to_json(self) -> dict[str, Any]:
        """Plain data for the JSON of a command."""
        return {
            "default": self.default.to_json(),
            "specifications": [result.to_json() for result in self.results],
            "range": {
                model: {g: None if span is None else list(span) for g, span in row.items()}
                for model, row in self.ranges.items()
            },
        }


@dataclass(frozen=True, slots=True)
class BelowChance:
    """A score below what guessing gives: likely non-answers. Score and chance in percent.

    ``n`` and ``p`` (one-sided exact binomial) are ``None`` where the number of items is unknown
    and the score lies below :data:`SHARE_OF_CHANCE` of its chance level instead.
    """

    benchmark: str
    score: float
    chance: float
    n: int | None
    p: float | None

    def to_json(self) -> dict[str, Any]:
        """Plain data for the JSON of a command, flag included."""
        return {
            "benchmark": self.benchmark,
            "flag": "non-answers",
            "score": self.score,
            "chance": self.chance,
            "n": self.n,
            "p": self.p,
        }


def benchmark_weights(layout: Layout, base_B: Array) -> tuple[BenchmarkWeight, ...]:
    """Headroom weight of every benchmark in the layout's order; ``base_B`` (B,) in percent.

    All 0 in a group whose bases are all 100: it has no headroom.
    """
    shares_B = 100.0 * headroom_weights(base_B, layout.member_GB)
    group_B = [layout.groups[at] for at in layout.member_GB.argmax(axis=0)]
    return tuple(
        BenchmarkWeight(benchmark, group, float(share))
        for benchmark, group, share in zip(layout.benchmarks, group_B, shares_B, strict=True)
    )


def leave_one_out(
    layout: Layout,
    base_B: Array,
    tuned_B: Array,
    *,
    definition: str = "robust",
    sigma_G: Array | float = 1.0,
) -> tuple[LeftOut, ...]:
    """DI and TI of one tuned model with each benchmark left out, in the layout's order.

    Scores (B,) in percent. The other weights of its group are normalised again; ``sigma_G`` (G,)
    in points stays as given. A group that loses its only benchmark has neither DI nor TI.
    """
    sigma = np.broadcast_to(np.asarray(sigma_G, dtype=float), (len(layout.groups),))
    return tuple(
        _without(at, layout, base_B, tuned_B, definition=definition, sigma_G=sigma)
        for at in range(len(layout.benchmarks))
    )


def _without(
    at: int, layout: Layout, base_B: Array, tuned_B: Array, *, definition: str, sigma_G: Array
) -> LeftOut:
    name = layout.benchmarks[at]
    keep_B = np.arange(len(layout.benchmarks)) != at
    member_GB = layout.member_GB[:, keep_B]
    filled_G = np.asarray(member_GB.any(axis=1))
    rest = Layout(
        groups=tuple(g for g, kept in zip(layout.groups, filled_G.tolist(), strict=True) if kept),
        benchmarks=tuple(b for b in layout.benchmarks if b != name),
        source=layout.source,
        member_GB=member_GB[filled_G],
    )
    emptied = [g for g in layout.groups if g not in rest.groups]
    base_B, tuned_B, sigma_G = base_B[keep_B], tuned_B[keep_B], sigma_G[filled_G]
    if layout.source in emptied:
        why = f"no benchmark of the source group {group_name(layout.source)} is left"
        known: dict[str, float] = {}
        if rest.groups:  # else it was the only benchmark of all
            member_GB = rest.member_GB
            di_G = domain_index(base_B, tuned_B, member_GB, definition=definition, sigma_G=sigma_G)
            known = {g: float(v) for g, v in zip(rest.groups, di_G, strict=True) if np.isfinite(v)}
        return LeftOut(
            name,
            {g: known.get(g) for g in layout.groups},
            dict.fromkeys(layout.targets),
            dict.fromkeys(layout.targets, why),
        )
    result = index_of(
        "",
        "",
        layout=rest,
        base_B=base_B,
        tuned_B=tuned_B,
        definition=definition,
        sigma_G=sigma_G,
    )
    reasons = {g: f"no benchmark of {group_name(g)} is left" for g in emptied}
    return LeftOut(
        name,
        {g: result.di.get(g) for g in layout.groups},
        {g: result.ti.get(g) for g in layout.targets},
        reasons | dict(result.undefined_reason),
    )


def specification_curve(
    models: Sequence[str],
    layout: Layout,
    base_MB: Array,
    tuned_MB: Array,
    *,
    default: Specification | None = None,
    published_G: Array | None = None,
) -> SpecificationCurve:
    """TI over definition, scale and weights, for models on the same benchmarks.

    Scores (M, B) in percent, row m of ``base_MB`` the base of model m. ``robust`` goes over the
    scales unit, published (with ``published_G``, in points), cohort (with two models or more) and
    per-model, times headroom and uniform weights; ``linear`` has weights only, ``relative``
    neither. ``default`` (robust, unit, headroom unless given) must be among them: ValueError.
    """
    chosen = default or Specification()
    every = specifications(published=published_G is not None, models=len(models))
    if chosen not in every:
        raise ValueError(f"{chosen} is not among the specifications")
    ordered = [chosen, *(spec for spec in every if spec != chosen)]
    tables = {
        spec: _indices(spec, models, layout, base_MB, tuned_MB, published_G=published_G)
        for spec in ordered
    }
    standard = {r.model: r.ti for r in tables[chosen]}
    results = []
    for spec, rows in tables.items():
        ti = {r.model: dict(r.ti) for r in rows}
        correlation, ranked = {}, {}
        for group in layout.targets:
            pairs = [(standard[m][group], ti[m][group]) for m in models]
            known = [(a, b) for a, b in pairs if a is not None and b is not None]
            ranked[group] = len(known)
            correlation[group] = rank_correlation([a for a, _ in known], [b for _, b in known])
        reasons = {r.model: dict(r.undefined_reason) for r in rows if r.undefined_reason}
        results.append(SpecificationResult(spec, ti, reasons, correlation, ranked))
    ranges = {
        model: {g: ti_range([result.ti[model][g] for result in results]) for g in layout.targets}
        for model in models
    }
    return SpecificationCurve(chosen, tuple(results), ranges)


def specifications(*, published: bool, models: int) -> tuple[Specification, ...]:
    """All specifications; ``cohort`` from two ``models`` on: for one it is the per-model scale."""
    scales = ["unit"]
    scales += ["published"] if published else []
    scales += ["cohort"] if models > 1 else []
    scales += ["per-model"]
    weights = ("headroom", "uniform")
    return (
        *(Specification("robust", scale, w) for scale in scales for w in weights),
        *(Specification("linear", None, w) for w in weights),
        Specification("relative", None, None),
    )


def _indices(
    spec: Specification,
    models: Sequence[str],
    layout: Layout,
    base_MB: Array,
    tuned_MB: Array,
    *,
    published_G: Array | None,
) -> list[IndexResult]:
    gain_MB = tuned_MB - base_MB
    sigma = sigma_for(spec.scale or "unit", gain_MB, layout.member_GB, published_G=published_G)
    sigma_MG = np.broadcast_to(sigma, (len(models), len(layout.groups)))
    weights_B = uniform_weights(layout.member_GB) if spec.weights == "uniform" else None
    return [
        index_of(
            model,
            "",
            layout=layout,
            base_B=base_B,
            tuned_B=tuned_B,
            definition=spec.definition,
            sigma_G=sigma_G,
            weights_B=weights_B,
        )
        for model, base_B, tuned_B, sigma_G in zip(models, base_MB, tuned_MB, sigma_MG, strict=True)
    ]


def ti_range(values: Sequence[float | None]) -> tuple[float, float] | None:
    """Lowest and highest of the values that are defined, ``None`` where none is."""
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties at their mean rank.

    ``None`` for fewer than :data:`MIN_MODELS` pairs or where all values of one side are equal.
    """
    from scipy.stats import rankdata

    if len(first) < MIN_MODELS or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def below_chance(
    benchmarks: Sequence[str],
    scores_B: Array,
    chance_B: Array,
    items_B: Sequence[int | None] | None = None,
) -> tuple[BelowChance, ...]:
    """Benchmarks scored below chance, in the order given; scores and chance (B,) in percent.

    Where the number of independent items is known: one-sided exact binomial p < :data:`ALPHA`, on
    the whole count of correct items nearest to the score. Each benchmark is judged by itself, with
    no correction for their number: a flag is a reason to look, not a finding. Without a number of
    items: the score is below :data:`SHARE_OF_CHANCE` of chance. A chance of 0 is never flagged.
    """
    from scipy.special import bdtr

    counts = [None] * len(benchmarks) if items_B is None else items_B
    found = []
    for name, score, chance, n in zip(
        benchmarks, map(float, scores_B), map(float, chance_B), counts, strict=True
    ):
        p = None
        if n is None:
            flagged = score < SHARE_OF_CHANCE * chance
        else:
            p = float(bdtr(round(score * n / 100.0), n, chance / 100.0))
            flagged = p < ALPHA
        if flagged:
            found.append(BelowChance(name, score, chance, n, p))
    return tuple(found)
