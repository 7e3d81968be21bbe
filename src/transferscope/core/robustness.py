"""How much an index depends on debatable choices (docs/science.md, section 2).

The choices are the weights, each benchmark (left out in turn) and the specification. Scores below
chance are flagged as well, because they suggest an answer format that was not read more than a lost
skill. All results are point estimates: no function here draws random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Literal

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
from .typed_record import record

ALPHA = 0.05
"""Significance level of the test against chance."""
SHARE_OF_CHANCE = 0.5
"""If the number of items is unknown, a score below this share of its chance level is flagged."""
MIN_MODELS = 3
"""Minimum number of models for a rank correlation."""


@record()
class BenchmarkWeight:
    """A benchmark's headroom weight within its group, in percent."""

    benchmark: str
    group: str
    weight: float


@record()
class LeftOut:
    """The index of one tuned model without ``benchmark``; ``None`` and a reason if undefined."""

    benchmark: str
    di: Mapping[str, float | None]
    ti: Mapping[str, float | None]
    undefined_reason: Mapping[str, str]


@record()
class Specification:
    """One way to compute TI. ``scale`` and ``weights`` are ``None`` if the definition has none.

    ``weights``: ``headroom`` or ``uniform`` within each group.
    """

    definition: str = "robust"
    scale: str | None = "unit"
    weights: str | None = "headroom"


@record()
class SpecificationResult(Specification):
    """TI of every model (model -> target group -> percent) under one specification.

    ``rank_correlation``: Spearman's correlation with the default specification, per target group,
    over the ``models_ranked`` models that both define. ``None`` for fewer than :data:`MIN_MODELS`
    of them, or if all of one side are tied. ``undefined_reason``: model -> group -> why TI is
    ``None``.
    """

    ti: Mapping[str, Mapping[str, float | None]] = field(kw_only=True)
    undefined_reason: Mapping[str, Mapping[str, str]] = field(kw_only=True)
    rank_correlation: Mapping[str, float | None] = field(kw_only=True)
    models_ranked: Mapping[str, int] = field(kw_only=True)


@record()
class SpecificationCurve:
    """TI under every specification, the default first.

    ``range``: model -> target group -> (lowest, highest) TI over the specifications that define it;
    ``None`` if none does.
    """

    default: Specification
    specifications: tuple[SpecificationResult, ...]
    range: Mapping[str, Mapping[str, tuple[float, float] | None]]


@record()
class BelowChance:
    """A score below the chance level: likely non-answers. Score and chance are in percent.

    ``n`` and ``p`` (one-sided exact binomial) are ``None`` if the number of items is unknown; the
    score is then below :data:`SHARE_OF_CHANCE` of its chance level.
    """

    benchmark: str
    score: float
    chance: float
    n: int | None
    p: float | None
    flag: Literal["non-answers"] = "non-answers"


def benchmark_weights(layout: Layout, base_B: Array) -> tuple[BenchmarkWeight, ...]:
    """Headroom weight of each benchmark in the layout's order; ``base_B`` (B,) is in percent.

    All are 0 in a group whose base scores are all 100, because it has no headroom.
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
    """DI and TI of one tuned model without each benchmark in turn, in the layout's order.

    Scores (B,) are in percent. The remaining weights of the group are renormalised; ``sigma_G``
    (G,) in points is kept as given. A group that loses its only benchmark has neither DI nor TI.
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
        if rest.groups:  # otherwise it was the only benchmark in the layout
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
    """TI for all combinations of definition, scale and weights, for models on the same benchmarks.

    Scores (M, B) are in percent; row m of ``base_MB`` is the base of model m. ``robust`` combines
    the scales unit, published (with ``published_G``, in points), cohort (for two or more models)
    and per-model with headroom and uniform weights. ``linear`` only varies the weights,
    ``relative`` has neither. Raises :class:`ValueError` if ``default`` (by default robust, unit,
    headroom) is not among them.
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
        results.append(
            SpecificationResult(
                **vars(spec),
                ti=ti,
                undefined_reason=reasons,
                rank_correlation=correlation,
                models_ranked=ranked,
            )
        )
    ranges = {
        model: {g: ti_range([result.ti[model][g] for result in results]) for g in layout.targets}
        for model in models
    }
    return SpecificationCurve(chosen, tuple(results), ranges)


def specifications(*, published: bool, models: int) -> tuple[Specification, ...]:
    """All specifications. ``cohort`` requires two ``models``; for one it equals ``per-model``."""
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
    """Lowest and highest of the defined values; ``None`` if there are none."""
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation; ties have their mean rank.

    ``None`` for fewer than :data:`MIN_MODELS` pairs or if all values of one side are equal.
    """
    if len(first) < MIN_MODELS or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(np.corrcoef(_mean_ranks(first), _mean_ranks(second))[0, 1])


def _mean_ranks(values: Sequence[float]) -> Array:
    """Ranks from 1, mean ranks for ties; scipy.stats.rankdata would import 45 MB."""
    _, inverse, count = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2.0)[inverse])


def below_chance(
    benchmarks: Sequence[str],
    scores_B: Array,
    chance_B: Array,
    items_B: Sequence[int | None] | None = None,
) -> tuple[BelowChance, ...]:
    """Benchmarks with scores below chance, in the given order; scores and chance (B,) in percent.

    If the number of independent items is known, the criterion is a one-sided exact binomial
    p < :data:`ALPHA` for the number of correct items nearest to the score. There is no correction
    for the number of benchmarks: a flag is a reason to look, not a finding. If the number is
    unknown, the criterion is a score below :data:`SHARE_OF_CHANCE` of chance. A benchmark with
    chance 0 is never flagged.
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
