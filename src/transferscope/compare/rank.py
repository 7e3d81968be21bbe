"""Ranks models tuned from one base: first by whether they kept the rest, then by their gain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..core.changes import mean_tests
from ..core.stats import ItemScores, stream
from ..core.typed_record import UNKNOWN
from ..documents.comparison import Comparison, PlanePoint, TunedResult
from ..documents.ranking import Contrast, ContrastPoint, Kept, RankedModel, Ranking
from ..runs import Run
from .analysis import analyse
from .cohort_rank import placed
from .draws import RETENTION, ModelDraws, mean_shares
from .router import route
from .shared_draws import on_common_items

ALLOWED_LOSS = 2.0
"""Points that a group other than the source may lose."""
ORDER: tuple[Kept, ...] = ("kept", "open", "lost")


def rank(
    base: Run,
    tuned: Sequence[Run],
    *,
    allowed_loss: float = ALLOWED_LOSS,
    seed: int = 0,
    replicates: int = 10_000,
) -> Ranking:
    """Rank the ``tuned`` models, all tuned from ``base``.

    Raises the :class:`InputError` of :func:`.analysis.analyse`.
    """
    analysis = analyse(base, tuned, seed=seed, replicates=replicates, examples=0)
    comparison = analysis.comparison
    tokens = {_name(run): _tokens(run) for run in (base, *tuned)}
    rows = [
        _ranked(result, comparison, allowed_loss, tokens[result.model])
        for result in comparison.tuned
    ]
    front = pareto([(row.gain, row.retention) for row in rows])
    flagged = [replace(row, pareto=on) for row, on in zip(rows, front, strict=True)]
    order = sorted(flagged, key=_place)
    items, left_out = _common(analysis.draws, comparison)
    models = [comparison.base, *(result.model for result in comparison.tuned)]
    group_of = {b: g for g, members in comparison.groups.items() for b in members}
    contrasts = _contrasts(order, models, items, comparison, seed=seed, replicates=replicates)
    router = route(models, items, group_of, seed=seed, left_out=left_out)
    return Ranking(
        base=comparison.base,
        suite=comparison.suite,
        source=comparison.source,
        allowed_loss=allowed_loss,
        order=tuple(order),
        contrasts=contrasts,
        router=router,
        base_tokens=tokens[comparison.base],
        differences=comparison.differences,
    )


def _name(run: Run) -> str:
    return run.manifest.model.name


def pareto(points: Sequence[tuple[float | None, float | None]]) -> list[bool]:
    """Which points no other point dominates; one without both coordinates is never on the front."""
    known = [None if a is None or b is None else (a, b) for a, b in points]
    return [
        one is not None
        and not any(
            other is not None and other != one and other[0] >= one[0] and other[1] >= one[1]
            for other in known
        )
        for one in known
    ]


def kept_groups(
    plane: Mapping[str, PlanePoint], source: str, allowed_loss: float
) -> tuple[Kept, str]:
    """Whether every group but the source is kept, and the deciding group (``""``: none)."""
    others = {group: point for group, point in plane.items() if group != source}
    if not others:
        return "open", ""
    floor = -allowed_loss
    worst = min(others, key=lambda group: _or_lowest(others[group].ci[0]))
    if any(point.ci[1] < floor for point in others.values()):
        return "lost", min(others, key=lambda group: _or_lowest(others[group].ci[1]))
    if all(point.ci[0] >= floor for point in others.values()):
        return "kept", worst
    return "open", worst


def _or_lowest(bound: float) -> float:
    return -math.inf if math.isnan(bound) else bound


def _ranked(
    result: TunedResult, comparison: Comparison, allowed_loss: float, tokens: float | None
) -> RankedModel:
    gain, retention = result.plane.get(comparison.source), result.retention
    kept, worst = kept_groups(result.plane, comparison.source, allowed_loss)
    source = comparison.groups.get(comparison.source, ())
    missing = tuple(b for b in result.missing if b not in source)
    if kept == "kept" and (result.not_judged or result.incomparable or missing):
        # A benchmark that was not judged may be the one that was lost, so no group decides.
        kept, worst = "open", ""
    place = None
    if comparison.scale == "published" and gain is not None and retention is not None:
        place = placed(gain.gain, retention.gain, comparison.base)
    made_by = result.attribution.groups.get(worst)
    return RankedModel(
        model=result.model,
        gain=None if gain is None else gain.gain,
        gain_ci=UNKNOWN if gain is None else gain.ci,
        retention=None if retention is None else retention.gain,
        retention_ci=UNKNOWN if retention is None else retention.ci,
        kept=kept,
        worst=worst,
        pareto=False,
        tokens=tokens,
        placement=place,
        not_judged=result.not_judged,
        incomparable=result.incomparable,
        missing=missing,
        because="" if made_by is None else made_by.because,
    )


def _place(row: RankedModel) -> tuple[int, float, str]:
    gain = -math.inf if row.gain is None else row.gain
    return (ORDER.index(row.kept), -gain, row.model)


def _tokens(run: Run) -> float | None:
    """Mean length in tokens of the answers that recorded it."""
    counts = [o.tokens for found in run.by_benchmark.values() for o in found if o.tokens]
    return float(np.mean(counts)) if counts else None


def _common(
    draws: Sequence[ModelDraws], comparison: Comparison
) -> tuple[dict[str, ItemScores], tuple[str, ...]]:
    """Benchmarks restricted to the items that every model answered, and the other benchmarks."""
    items: dict[str, ItemScores] = {}
    left_out = []
    for name in (b for members in comparison.groups.values() for b in members):
        models = [drawn.benchmarks.get(name) for drawn in draws]
        if (shared := on_common_items(models)) is not None:
            items[name] = shared
        elif any(models):
            left_out.append(name)
    return items, tuple(left_out)


def _contrasts(
    order: Sequence[RankedModel],
    models: Sequence[str],
    items: Mapping[str, ItemScores],
    comparison: Comparison,
    *,
    seed: int,
    replicates: int,
) -> tuple[Contrast, ...]:
    """Tests of source gain and retention between neighbours; all share the same sign flips."""
    pairs = [(one.model, two.model) for one, two in pairwise(order)]
    if not pairs or not items:
        return ()
    groups, source = comparison.groups, comparison.source
    others = [members for group, members in groups.items() if group != source]
    points: dict[str, list[ContrastPoint]] = {}
    for what, wanted in (("gain", [groups.get(source, ())]), (RETENTION, others)):
        shares = mean_shares([[b for b in members if b in items] for members in wanted])
        if shares:
            parts = [_apart(items[name], pairs, models) for name in shares]
            weights = list(shares.values())
            changes_K = sum(s * part.means_K[1:] for s, part in zip(weights, parts, strict=True))
            tests = mean_tests(
                parts, weights, stream(seed, "contrast", what), replicates=replicates
            )
            points[what] = [
                ContrastPoint.of(float(change), test)
                for change, test in zip(np.asarray(changes_K), tests, strict=True)
            ]
    return tuple(
        Contrast(
            first,
            second,
            points["gain"][at] if "gain" in points else None,
            points[RETENTION][at] if RETENTION in points else None,
        )
        for at, (first, second) in enumerate(pairs)
    )


def _apart(item: ItemScores, pairs: Sequence[tuple[str, str]], models: Sequence[str]) -> ItemScores:
    """A row of zeros, then one row per pair: the first model's scores minus the second's."""
    first = [models.index(one) for one, _ in pairs]
    second = [models.index(two) for _, two in pairs]
    scores_KN = item.scores_KN[first] - item.scores_KN[second]
    return replace(item, scores_KN=np.vstack([np.zeros(scores_KN.shape[1]), scores_KN]))
