"""Builds a :class:`Comparison` from base and tuned runs.

Runs are paired item by item. Every benchmark is resampled once per model, and every interval of the
comparison comes from these replicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from ..core.changes import ChangeTest
from ..core.disagreement import disagreements
from ..core.errors import InputError
from ..core.forgetting import Transitions
from ..core.index import group_gain
from ..core.shown import name as shown
from ..core.suite import Suite
from ..documents.comparison import (
    NO_GROUP,
    AgainstBase,
    BenchmarkChange,
    Comparison,
    PlanePoint,
    TunedResult,
)
from ..runs import Pairing, Run, pair
from .benchmark import benchmarks_of
from .causes import causes_of
from .draws import RETENTION, ModelDraws, draw, group_tests
from .flipped_answers import Answers, answers_of
from .index_robustness import curve_of, robustness_of
from .model_index import GroupedScores, scale_of
from .pass_rates import pass_rates
from .unjudged import compared_names

EXAMPLES = 3
"""Flipped items shown per benchmark and direction."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """A comparison and the draws of each of its models, in order."""

    comparison: Comparison
    draws: tuple[ModelDraws, ...]


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

    ``pairings``: the runs' pairings, if the caller already has them. A run of which nothing can be
    compared is left out and listed first in the differences. Raises :class:`InputError` if that is
    true of every run.
    """
    return analyse(
        base, tuned, seed=seed, replicates=replicates, examples=examples, pairings=pairings
    ).comparison


def analyse(
    base: Run,
    tuned: Sequence[Run],
    *,
    seed: int = 0,
    replicates: int = 10_000,
    examples: int = EXAMPLES,
    pairings: Sequence[Pairing] | None = None,
) -> Analysis:
    """The comparison that :func:`compare_runs` returns, with its draws."""
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
    compared = [benchmarks_of(pairing) for pairing in pairings]
    names = [b for b in suite.group_of if any(b in benchmarks for benchmarks in compared)]
    draws = draw(names, compared, seed=seed, replicates=replicates)
    scale = scale_of(suite, compared)
    pooled = group_tests(suite.groups, suite.source, draws, seed=seed, replicates=replicates)
    answers = answers_of(base, tuned, compared, limit=examples)
    results = [
        _one_model(
            base,
            run,
            pairing,
            suite,
            drawn,
            answers=found,
            tests=of_groups,
            scale=scale,
            seed=seed,
            replicates=replicates,
        )
        for run, pairing, drawn, found, of_groups in zip(
            tuned, pairings, draws, answers, pooled, strict=True
        )
    ]
    differences = [f"{model}: left out, {error.what}" for model, error in left_out.items()]
    differences += [
        f"{run.manifest.model.name}: {text}"
        for leading in (True, False)  # contradictions of any model come first
        for run, pairing in zip(tuned, pairings, strict=True)
        for at, text in enumerate(pairing.differences)
        if (at < len(pairing.contradictions)) is leading
    ]
    comparison = Comparison(
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
    return Analysis(comparison, tuple(draws))


def none_compared(run: Run, pairing: Pairing, suite: Suite) -> InputError:
    """The error for a run of which nothing can be compared: its first benchmarks, each with why."""
    unmapped = _unmapped(pairing, suite)
    if unmapped and not pairing.excluded:
        first = next(iter(unmapped))
        example = f'[aliases] "{shown(first)}" = "gsm8k"'
        return InputError(
            f"none of its benchmarks is in a group: {', '.join(map(shown, list(unmapped)[:3]))}",
            place=str(run.place),
            remedy=f"map them in a file for --map, for example {example}",
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
    names = compared_names(pairing)
    return [name for name in suite.group_of if name in names]


def _refuse_equal_names(runs: Sequence[Run]) -> None:
    names = [run.manifest.model.name for run in runs]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise InputError(
                f"two of the runs have a model named {name!r}",
                place=str(runs[at].place),
                remedy="evaluate one of them under another name, or leave one out",
            )


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
    replicates: int,
) -> TunedResult:
    scores = GroupedScores.of(drawn, suite, tests)
    rows = _benchmark_rows(scores, against=answers.against)
    plane, retention = _plane(scores)
    robust = linear = robustness = None
    if scores.has_source:
        names = run.manifest.model.name, base.manifest.model.name
        robust = scores.index(*names, definition="robust", scale=scale)
        linear = scores.index(*names, definition="linear", scale="unit")
        ordered = [drawn.benchmarks[name] for name in scores.layout.benchmarks]
        robustness = robustness_of(
            scores.layout,
            (scores.base_B, scores.tuned_B),
            chances=[one.chance for one in ordered],
            independent=[one.independent for one in ordered],
            sigma_G=scores.sigma(scale),
        )
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
            drawn.benchmarks,
            rows,
            plane,
            retention,
            source=suite.source,
            seed=seed,
            model=run.manifest.model.name,
        ),
        contradictions=pairing.contradictions,
        pass_rates=pass_rates(drawn.benchmarks, seed=seed, replicates=replicates),
        disagreements=disagreements(
            base.manifest.metrics,
            run.manifest.metrics,
            {row.benchmark: (row.standing, row.n) for row in rows},
        ),
    )


def _benchmark_rows(
    scores: GroupedScores, *, against: Mapping[str, AgainstBase]
) -> tuple[BenchmarkChange, ...]:
    rows = []
    for name, compared in scores.drawn.benchmarks.items():
        points, test = compared.points, scores.drawn.tests[name]
        rows.append(
            BenchmarkChange(
                benchmark=name,
                group=scores.suite.group_of[name],
                n=compared.n,
                base=points.base,
                tuned=points.tuned,
                delta=points.delta,
                ci=test.ci,
                test=test.name,
                p=test.p,
                p_holm=scores.p_holm[name],
                mde=test.mde,
                chance=None if compared.chance is None else 100.0 * compared.chance,
                flips=compared.flips(),
                smallest_p=test.smallest_p,
                **compared.artefacts(against.get(name)),
                **_rates(scores.drawn.drawn[name].moved),
            )
        )
    return tuple(rows)


def _rates(moved: Transitions | None) -> dict[str, Any]:
    """Forgetting and backward transfer as fields of a benchmark's row."""
    return {} if moved is None else vars(moved)


def _unmapped(pairing: Pairing, suite: Suite) -> dict[str, str]:
    """Comparable benchmarks that belong to no group; they are listed, never dropped silently."""
    return {
        b: f"{NO_GROUP} {suite.name}" for b in compared_names(pairing) if b not in suite.group_of
    }


def _plane(scores: GroupedScores) -> tuple[dict[str, PlanePoint], PlanePoint | None]:
    """Mean change of each group, and the mean over the groups other than the source."""
    layout, tests = scores.layout, scores.tests
    gain_G = group_gain(scores.tuned_B - scores.base_B, layout.member_GB)
    plane = {
        g: PlanePoint.of(float(gain_G[at]), tests[g], p_holm=scores.only([g]))
        for at, g in enumerate(layout.groups)
    }
    if not layout.targets:
        return plane, None
    kept = float(gain_G[[layout.groups.index(g) for g in layout.targets]].mean())
    return plane, PlanePoint.of(kept, tests[RETENTION], p_holm=scores.only(layout.targets))


def _provenance(base: Run, tuned: Sequence[Run]) -> dict[str, Any]:
    """What a reader needs to repeat each run."""
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
