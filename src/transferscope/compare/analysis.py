"""Base and tuned runs to a :class:`Comparison`.

Runs are paired item by item; one bootstrap draw serves the base and all tuned models, and every
interval of the comparison comes from its replicates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any

import numpy as np

from ..core.changes import ChangeTest
from ..core.disagreement import disagreements
from ..core.errors import InputError
from ..core.index import (
    Array,
    IndexResult,
    Layout,
    domain_index,
    group_gain,
    index_of,
    sigma_for,
)
from ..core.shown import name as shown
from ..core.stats import holm
from ..core.suite import Suite, is_paper
from ..documents.comparison import (
    NO_GROUP,
    AgainstBase,
    BenchmarkChange,
    Comparison,
    PlanePoint,
    TunedResult,
)
from ..runs import Pairing, Run, pair
from .causes import causes_of
from .draws import RETENTION, ModelDraws, draw, group_tests, scores_of
from .flipped_answers import Answers, answers_of
from .index_robustness import curve_of, robustness_of
from .items import artefacts_of, flips_of

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

    ``pairings``: those of the runs where the caller has them already. A run of which nothing can
    be compared is left out and leads the differences. Raises :class:`InputError` when that holds
    for all of them.
    """
    suite = base.manifest.load_suite()
    _refuse_equal_names([base, *tuned])
    pairings = pairings or [pair(base, run) for run in tuned]
    left_out = {
        run.manifest.model.name: none_compared(run, pairing, suite)
        for run, pairing in zip(tuned, pairings, strict=True)
        if not _comparable(pairing, suite)
    }
    if len(left_out) == len(tuned):
        raise next(iter(left_out.values()), InputError("no tuned run", place=str(base.place)))
    kept = [run.manifest.model.name not in left_out for run in tuned]
    tuned, pairings = list(compress(tuned, kept)), list(compress(pairings, kept))
    names = [b for b in suite.group_of if any(b in _comparable(p, suite) for p in pairings)]
    models = [run.manifest.model.name for run in tuned]
    base_name = base.manifest.model.name
    draws = draw(names, pairings, base=base_name, models=models, seed=seed, replicates=replicates)
    scale = _scale(suite, pairings)
    pooled = group_tests(
        suite.groups, suite.source, pairings, draws, seed=seed, replicates=replicates
    )
    answers = answers_of(base, tuned, pairings, limit=examples)
    results = [
        _one_model(
            base, run, pairing, suite, drawn, answers=found, tests=of_groups, scale=scale, seed=seed
        )
        for run, pairing, drawn, found, of_groups in zip(
            tuned, pairings, draws, answers, pooled, strict=True
        )
    ]
    differences = [f"{model}: left out, {error.what}" for model, error in left_out.items()]
    differences += [
        f"{run.manifest.model.name}: {text}"
        for leading in (True, False)  # contradictions of any model go before all else
        for run, pairing in zip(tuned, pairings, strict=True)
        for at, text in enumerate(pairing.differences)
        if (at < len(pairing.contradictions)) is leading
    ]
    return Comparison(
        base=base.manifest.model.name,
        suite=suite.name,
        source=suite.source,
        groups=dict(suite.groups),
        scale=scale,
        specifications=curve_of(results, suite, scale=scale),
        replicates=replicates,
        seed=seed,
        tuned=tuple(results),
        differences=tuple(differences),
        provenance=_provenance(base, tuned),
    )


def none_compared(run: Run, pairing: Pairing, suite: Suite) -> InputError:
    """What is told of a run of which nothing can be compared: its first benchmarks and why not."""
    unmapped = _unmapped(pairing, suite)
    if unmapped and not pairing.excluded:
        first = next(iter(unmapped))
        example = f'[aliases] "{shown(first)}" = "gsm8k"'
        return InputError(
            f"no benchmark of it is in a group: {', '.join(map(shown, list(unmapped)[:3]))}",
            place=str(run.place),
            remedy=f"say what it is in a file for --map, for example {example}",
        )
    listed = {**pairing.excluded, **unmapped}
    reasons = "; ".join(f"{name}: {why}" for name, why in list(listed.items())[:3])
    return InputError(
        f"no benchmark can be compared with the base ({reasons or 'none'})",
        place=str(run.place),
        remedy="evaluate both with the same suite, items and seed, or map the tasks: --map",
    )


def _comparable(pairing: Pairing, suite: Suite) -> list[str]:
    """Benchmarks of the suite's groups that can be compared."""
    return [b for b in suite.group_of if b in pairing.benchmarks or b in pairing.unpaired]


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
    tests: Mapping[str, ChangeTest],
    scale: str,
    seed: int,
) -> TunedResult:
    have = drawn.names
    scores = [scores_of(pairing, name) for name in have]
    base_B, tuned_B = np.array(scores, dtype=float).reshape(-1, 2).T
    rows = _benchmark_rows(pairing, suite, drawn, (base_B, tuned_B), against=answers.against)
    groups = {g: tuple(b for b in members if b in have) for g, members in suite.groups.items()}
    groups = {g: members for g, members in groups.items() if members}
    layout = Layout.of(groups, suite.source)
    order = [have.index(b) for b in layout.benchmarks]
    point = (base_B[order], tuned_B[order])
    draws = (drawn.base_RB[:, order], drawn.tuned_RB[:, order])
    holm_of = {row.benchmark: row.p_holm for row in rows}
    plane, retention = _plane(layout, point, tests, holm_of)
    robust = linear = robustness = None
    if suite.source in groups:
        shared: dict[str, Any] = {"layout": layout, "point": point, "draws": draws, "suite": suite}
        shared["paired"] = all(drawn.paired_B)
        # A group of one benchmark stands as that benchmark does, after Holm's correction.
        shared["tests"] = {g: replace(tests[g], p=at.p_holm) for g, at in plane.items()}
        robust = _index(base, run, definition="robust", scale=scale, **shared)
        linear = _index(base, run, definition="linear", scale="unit", **shared)
        sigma = _sigma(scale, point, layout, suite)
        robustness = robustness_of(layout, point, pairing, sigma_G=sigma)
    return TunedResult(
        model=run.manifest.model.name,
        plane=plane,
        retention=retention,
        index=robust,
        index_linear=linear,
        robustness=robustness,
        benchmarks=rows,
        flipped=answers.flipped,
        not_compared={**pairing.excluded, **_unmapped(pairing, suite)},
        attribution=causes_of(
            pairing,
            rows,
            plane,
            retention,
            source=suite.source,
            seed=seed,
            model=run.manifest.model.name,
        ),
        contradictions=pairing.contradictions,
        disagreements=disagreements(
            base.manifest.metrics,
            run.manifest.metrics,
            {row.benchmark: (row.standing, row.n) for row in rows},
        ),
    )


def _benchmark_rows(
    pairing: Pairing,
    suite: Suite,
    drawn: ModelDraws,
    point: tuple[Array, Array],
    *,
    against: Mapping[str, AgainstBase],
) -> tuple[BenchmarkChange, ...]:
    base_B, tuned_B = point
    tested = [at for at, test in enumerate(drawn.tests) if not math.isnan(test.p)]
    corrected = holm([drawn.tests[at].p for at in tested])
    adjusted = dict(zip(tested, corrected, strict=True))
    rows = []
    for at, name in enumerate(drawn.names):
        part, two = pairing.benchmarks.get(name), pairing.unpaired.get(name)
        compared = part or two
        assert compared is not None  # drawn.names are those of the pairing
        rows.append(
            BenchmarkChange(
                benchmark=name,
                group=suite.group_of[name],
                n=compared.n,
                base=float(base_B[at]),
                tuned=float(tuned_B[at]),
                delta=float(tuned_B[at] - base_B[at]),
                ci=drawn.tests[at].ci,
                test=drawn.tests[at].name,
                p=drawn.tests[at].p,
                p_holm=adjusted.get(at, math.nan),
                mde=drawn.tests[at].mde,
                chance=None if compared.chance is None else 100.0 * compared.chance,
                flips=None if part is None else flips_of(part),
                smallest_p=drawn.tests[at].smallest_p,
                **({} if part is None else artefacts_of(part, against.get(name))),
                **(vars(drawn.moved[name]) if name in drawn.moved else {}),
            )
        )
    return tuple(rows)


def _unmapped(pairing: Pairing, suite: Suite) -> dict[str, str]:
    """Benchmarks that could be compared but belong to no group: listed, never dropped silently."""
    return {
        b: f"{NO_GROUP} {suite.name}"
        for b in (*pairing.benchmarks, *pairing.unpaired)
        if b not in suite.group_of
    }


def _plane(
    layout: Layout,
    point: tuple[Array, Array],
    tests: Mapping[str, ChangeTest],
    holm_of: Mapping[str, float],
) -> tuple[dict[str, PlanePoint], PlanePoint | None]:
    """Group means of the change, and the mean over the groups that are not the source."""
    gain_G = group_gain(point[1] - point[0], layout.member_GB)
    plane = {
        g: PlanePoint.of(float(gain_G[at]), tests[g], p_holm=_only(layout, [at], holm_of))
        for at, g in enumerate(layout.groups)
    }
    others = [layout.groups.index(g) for g in layout.targets]
    if not others:
        return plane, None
    kept = float(gain_G[others].mean())
    return plane, PlanePoint.of(kept, tests[RETENTION], p_holm=_only(layout, others, holm_of))


def _only(layout: Layout, groups: Sequence[int], holm_of: Mapping[str, float]) -> float | None:
    """Holm's p of the only benchmark in ``groups``, ``None`` where there are several."""
    members = np.flatnonzero(layout.member_GB[groups].any(axis=0))
    return holm_of[layout.benchmarks[members[0]]] if len(members) == 1 else None


def _index(
    base: Run,
    run: Run,
    *,
    layout: Layout,
    point: tuple[Array, Array],
    draws: tuple[Array, Array],
    suite: Suite,
    tests: Mapping[str, ChangeTest],
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
        tests=tests,
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
