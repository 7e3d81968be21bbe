"""Base and tuned runs to a :class:`Comparison`.

Runs are paired item by item; one bootstrap draw serves the base and all tuned models, and every
interval of the comparison comes from its replicates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.index import (
    Array,
    IndexResult,
    Layout,
    domain_index,
    group_gain,
    index_of,
    order_interval,
    sigma_for,
)
from ..core.stats import holm
from ..core.suite import Suite, is_paper
from ..runs import Pairing, Run, pair
from .answers import Answers, answers_of
from .draws import ModelDraws, draw, pooled_p, stacked
from .items import artefacts_of, flips_of
from .result import AgainstBase, BenchmarkChange, Comparison, PlanePoint, TunedResult
from .robust import curve_of, robustness_of

EXAMPLES = 3
"""Flipped items shown per benchmark and direction."""


def compare_runs(
    base: Run,
    tuned: Sequence[Run],
    *,
    seed: int = 0,
    replicates: int = 10_000,
    examples: int = EXAMPLES,
    pairings: Sequence[Pairing] | None = None,
) -> Comparison:
    """Compare ``tuned`` runs with ``base`` on the base's suite.

    ``pairings``: those of the runs where the caller has them already. Raises
    :class:`InputError` when no benchmark of any tuned run can be compared.
    """
    suite = base.manifest.load_suite()
    _refuse_equal_names([base, *tuned])
    pairings = pairings or [pair(base, run) for run in tuned]
    names = [
        b for b in suite.group_of if any(b in p.benchmarks or b in p.unpaired for p in pairings)
    ]
    if not names:
        place = str(tuned[0].place) if tuned else str(base.place)
        listed = {**pairings[0].excluded, **_unmapped(pairings[0], suite)} if pairings else {}
        reasons = "; ".join(f"{name}: {why}" for name, why in list(listed.items())[:3]) or "none"
        raise InputError(
            f"no benchmark can be compared with the base ({reasons})",
            place=place,
            remedy="evaluate both with the same suite, items and seed, or map the tasks: --map",
        )
    models = [run.manifest.model.name for run in tuned]
    base_name = base.manifest.model.name
    draws = draw(names, pairings, base=base_name, models=models, seed=seed, replicates=replicates)
    scale = _scale(suite, pairings)
    pooled = pooled_p(suite.groups, pairings, seed=seed, replicates=replicates)
    answers = answers_of(base, tuned, pairings, limit=examples)
    results = [
        _one_model(base, run, pairing, suite, drawn, answers=found, pooled=p, scale=scale)
        for run, pairing, drawn, found, p in zip(
            tuned, pairings, draws, answers, pooled, strict=True
        )
    ]
    robust = {r.model: r.robustness for r in results if r.robustness is not None}
    differences = [
        f"{run.manifest.model.name}: {text}"
        for run, pairing in zip(tuned, pairings, strict=True)
        for text in pairing.differences
    ]
    return Comparison(
        base=base.manifest.model.name,
        suite=suite.name,
        source=suite.source,
        groups=dict(suite.groups),
        scale=scale,
        curve=curve_of(robust, suite, scale=scale),
        replicates=replicates,
        seed=seed,
        tuned=tuple(results),
        differences=tuple(differences),
        provenance=_provenance(base, tuned),
    )


def _refuse_equal_names(runs: Sequence[Run]) -> None:
    names = [run.manifest.model.name for run in runs]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise InputError(
                f"two runs are of a model named {name!r}",
                place=str(runs[at].place),
                remedy="evaluate again under another name, or leave one out",
            )


def _scale(suite: Suite, pairings: Sequence[Pairing]) -> str:
    """Published sigmas only where every model has the paper's whole suite: one scale for all."""
    whole = set(suite.benchmarks)
    complete = all({*p.benchmarks, *p.unpaired} >= whole for p in pairings)
    return suite.scale if complete and is_paper(suite) else "unit"


def _one_model(
    base: Run,
    run: Run,
    pairing: Pairing,
    suite: Suite,
    drawn: ModelDraws,
    *,
    answers: Answers,
    pooled: Mapping[str, float],
    scale: str,
) -> TunedResult:
    have = drawn.names
    scores = [_scores(pairing, name) for name in have]
    base_B, tuned_B = np.array(scores, dtype=float).reshape(-1, 2).T
    rows = _benchmark_rows(pairing, suite, drawn, (base_B, tuned_B), against=answers.against)
    groups = {g: tuple(b for b in members if b in have) for g, members in suite.groups.items()}
    groups = {g: members for g, members in groups.items() if members}
    layout = Layout.of(groups, suite.source)
    order = [have.index(b) for b in layout.benchmarks]
    point = (base_B[order], tuned_B[order])
    draws = (drawn.base_RB[:, order], drawn.tuned_RB[:, order])
    plane, retention = _plane(layout, point, draws)
    plane = {group: replace(point, p=pooled[group]) for group, point in plane.items()}
    robust = linear = robustness = None
    if suite.source in groups:
        shared: dict[str, Any] = {"layout": layout, "point": point, "draws": draws, "suite": suite}
        shared["paired"] = all(drawn.paired_B)
        robust = _index(base, run, definition="robust", scale=scale, **shared)
        linear = _index(base, run, definition="linear", scale="unit", **shared)
        sigma = _sigma(scale, point, layout, suite)
        robustness = robustness_of(layout, point, pairing, sigma_G=sigma)
    return TunedResult(
        model=run.manifest.model.name,
        plane=plane,
        retention=retention,
        index=robust,
        linear=linear,
        robustness=robustness,
        benchmarks=rows,
        flipped=answers.flipped,
        not_compared={**pairing.excluded, **_unmapped(pairing, suite)},
    )


def _scores(pairing: Pairing, name: str) -> tuple[float, float]:
    """Base and tuned score of a benchmark in percent."""
    if (two := pairing.unpaired.get(name)) is not None:
        return two.base.score, two.tuned.score
    base, tuned = stacked([pairing.benchmarks[name]]).means_K
    return float(base), float(tuned)


def _benchmark_rows(
    pairing: Pairing,
    suite: Suite,
    drawn: ModelDraws,
    point: tuple[Array, Array],
    *,
    against: Mapping[str, AgainstBase],
) -> tuple[BenchmarkChange, ...]:
    base_B, tuned_B = point
    low_B, high_B = order_interval(drawn.tuned_RB - drawn.base_RB)
    tested = [at for at, test in enumerate(drawn.tests) if not math.isnan(test.p)]
    corrected = holm([drawn.tests[at].p for at in tested])
    adjusted = dict(zip(tested, corrected, strict=True))
    rows = []
    for at, name in enumerate(drawn.names):
        part, two = pairing.benchmarks.get(name), pairing.unpaired.get(name)
        if part is not None:
            n, chance = part.n, part.chance
        elif two is not None:
            n, chance = min(two.base.n or 0, two.tuned.n or 0), two.chance
        rows.append(
            BenchmarkChange(
                benchmark=name,
                group=suite.group_of[name],
                n=n,
                base=float(base_B[at]),
                tuned=float(tuned_B[at]),
                delta=float(tuned_B[at] - base_B[at]),
                ci=(float(low_B[at]), float(high_B[at])),
                test=drawn.tests[at].name,
                p=drawn.tests[at].p,
                p_holm=adjusted.get(at, math.nan),
                mde=drawn.tests[at].mde,
                chance=None if chance is None else 100.0 * chance,
                flips=None if part is None else flips_of(part),
                artefacts=None if part is None else artefacts_of(part, against.get(name)),
                transitions=drawn.moved.get(name),
            )
        )
    return tuple(rows)


def _unmapped(pairing: Pairing, suite: Suite) -> dict[str, str]:
    """Benchmarks that could be compared but belong to no group: listed, never dropped silently."""
    return {
        b: f"not in suite {suite.name}"
        for b in (*pairing.benchmarks, *pairing.unpaired)
        if b not in suite.group_of
    }


def _plane(
    layout: Layout, point: tuple[Array, Array], draws: tuple[Array, Array]
) -> tuple[dict[str, PlanePoint], PlanePoint | None]:
    """Group means of the change, and the mean over the groups that are not the source."""
    gain_G = group_gain(point[1] - point[0], layout.member_GB)
    gain_RG = group_gain(draws[1] - draws[0], layout.member_GB)
    low, high = order_interval(gain_RG)
    plane = {
        g: PlanePoint(float(gain_G[at]), (float(low[at]), float(high[at])))
        for at, g in enumerate(layout.groups)
    }
    others = [layout.groups.index(g) for g in layout.targets]
    if not others:
        return plane, None
    low_r, high_r = order_interval(gain_RG[:, others].mean(axis=1))
    kept = PlanePoint(float(gain_G[others].mean()), (float(low_r), float(high_r)))
    return plane, kept


def _index(
    base: Run,
    run: Run,
    *,
    layout: Layout,
    point: tuple[Array, Array],
    draws: tuple[Array, Array],
    suite: Suite,
    paired: bool,
    definition: str,
    scale: str,
) -> IndexResult:
    sigma = _sigma(scale, point, layout, suite)
    di_RG = domain_index(draws[0], draws[1], layout.member_GB, definition=definition, sigma_G=sigma)
    return index_of(
        run.manifest.model.name,
        base.manifest.model.name,
        layout=layout,
        base_B=point[0],
        tuned_B=point[1],
        definition=definition,
        sigma_G=sigma,
        di_RG=di_RG,
        paired=paired,
    )


def _sigma(scale: str, point: tuple[Array, Array], layout: Layout, suite: Suite) -> Array | float:
    known = (
        np.array([(suite.sigma or {})[g] for g in layout.groups]) if scale == "published" else None
    )
    return sigma_for(scale, point[1] - point[0], layout.member_GB, published_G=known)


def _provenance(base: Run, tuned: Sequence[Run]) -> dict[str, Any]:
    """Per run what a reader needs to repeat it."""
    out: dict[str, Any] = {}
    for role, run in [("base", base), *((run.manifest.model.name, run) for run in tuned)]:
        manifest = run.manifest
        out[role] = {
            "path": run.place.name,
            "model": manifest.model.name,
            "fingerprint": manifest.model.fingerprint,
            "seed": manifest.seed,
            "limit": manifest.limit,
            "engine": dict(manifest.engine),
            "decoding": dict(manifest.decoding),
            "versions": dict(manifest.versions),
            "provenance": manifest.provenance,
        }
    return out
