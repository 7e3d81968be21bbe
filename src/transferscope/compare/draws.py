"""Replicates and tests of every benchmark: what all intervals of a comparison come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core.changes import (
    ChangeTest,
    combined_test,
    mean_tests,
    paired_tests,
    unpaired_test,
)
from ..core.forgetting import Transitions, transition_rates, with_moves
from ..core.index import Array
from ..core.stats import ItemScores, beta_draws, bootstrap_means, normal_draws, stream
from ..core.typed_record import UNKNOWN
from ..runs import Estimate, PairedBenchmark, Pairing, UnpairedBenchmark

RETENTION = "retention"
"""The mean of all groups that are not the source, as the name of what is tested."""


@dataclass(frozen=True, eq=False)
class ModelDraws:
    """One tuned model beside its base: benchmark ``names`` in order, percent.

    ``base_RB`` and ``tuned_RB`` are replicated means, NaN where nothing tells the uncertainty.
    ``tests`` stand in the order of ``names``; ``paired_B`` says which are item by item.
    ``moved``: forgetting and backward transfer of the benchmarks that are.
    """

    names: tuple[str, ...]
    base_RB: Array
    tuned_RB: Array
    tests: tuple[ChangeTest, ...]
    paired_B: tuple[bool, ...]
    moved: Mapping[str, Transitions]


def stacked(parts: Sequence[PairedBenchmark]) -> ItemScores:
    """One benchmark's items: scores of the base and of every model in ``parts``."""
    first = parts[0]
    scores = np.vstack([first.base_scores, *(part.tuned_scores for part in parts)])
    return ItemScores(scores, first.weights, first.clusters, first.subsets)


def draw(
    names: Sequence[str],
    pairings: Sequence[Pairing],
    *,
    base: str,
    models: Sequence[str],
    seed: int,
    replicates: int,
) -> list[ModelDraws]:
    """The draws of every model: one resample of items serves the base and all paired models.

    Models that were compared on other items of a benchmark than the rest are drawn by themselves.
    Every stream is named after what it is of, so that a model's numbers don't depend on company.
    """
    bases: list[dict[str, Array]] = [{} for _ in pairings]
    tuned: list[dict[str, Array]] = [{} for _ in pairings]
    tests: list[dict[str, ChangeTest]] = [{} for _ in pairings]
    moved: list[dict[str, Transitions]] = [{} for _ in pairings]
    for name in names:
        for rows in _alike(pairings, [name]):
            parts = [pairings[row].benchmarks[name] for row in rows]
            rng = stream(seed, "bootstrap", name)
            items = with_moves(stacked(parts))
            drawn = bootstrap_means([items], rng, replicates=replicates)[:, :, 0]
            found = transition_rates(items, drawn, models=len(parts) + 1, chance=parts[0].chance)
            for at, row in enumerate(rows):
                bases[row][name], tuned[row][name] = drawn[:, 0], drawn[:, at + 1]
                moved[row][name] = found[at]
                # One model at a time: which test a model gets must not depend on its company.
                (tests[row][name],) = paired_tests(
                    stacked([parts[at]]),
                    stream(seed, "test", name, models[row]),
                    single=parts[at].binary,
                    replicates=replicates,
                )
        for row, pairing in enumerate(pairings):
            if name not in pairing.unpaired:
                continue
            two = pairing.unpaired[name]
            lone = partial(_independent, seed=seed, benchmark=name, replicates=replicates)
            bases[row][name], tuned[row][name] = lone(two.base, base), lone(two.tuned, models[row])
            tests[row][name] = _unpaired_test(two)
    return [
        ModelDraws(
            names=(have := tuple(n for n in names if n in bases[row])),
            base_RB=_columns(bases[row], have, replicates),
            tuned_RB=_columns(tuned[row], have, replicates),
            tests=tuple(tests[row][n] for n in have),
            paired_B=tuple(n in pairing.benchmarks for n in have),
            moved=moved[row],
        )
        for row, pairing in enumerate(pairings)
    ]


def group_tests(
    groups: Mapping[str, Sequence[str]],
    source: str,
    pairings: Sequence[Pairing],
    draws: Sequence[ModelDraws],
    *,
    seed: int,
    replicates: int,
    only: Collection[str] | None = None,
) -> list[dict[str, ChangeTest]]:
    """Per model the test of every group's mean change, and of :data:`RETENTION`.

    ``only``: names of those that are asked for; ``None``: all.
    A group of one benchmark has that benchmark's test. The flips of a group are the same for all
    models that have the same benchmarks and items of it.
    """
    found: list[dict[str, ChangeTest]] = [{} for _ in pairings]
    for name, members in {**{g: [m] for g, m in groups.items()}, RETENTION: []}.items():
        if only is not None and name not in only:
            continue
        wanted = members or [m for g, m in groups.items() if g != source]
        by_share: dict[tuple[tuple[str, float], ...], list[int]] = {}
        for row, drawn in enumerate(draws):
            shares = mean_shares([[b for b in m if b in drawn.names] for m in wanted])
            if shares:
                by_share.setdefault(tuple(shares.items()), []).append(row)
        for key, rows in by_share.items():
            tests = _test_alike(
                dict(key),
                [(pairings[row], draws[row]) for row in rows],
                stream_of=partial(stream, seed, "pooled", name),
                replicates=replicates,
            )
            for row, test in zip(rows, tests, strict=True):
                found[row][name] = test
    return found


def mean_shares(groups: Iterable[Sequence[str]]) -> dict[str, float]:
    """Share of every benchmark in the mean over the groups that have any of the groups' means."""
    known = [group for group in groups if group]
    return {name: 1.0 / (len(known) * len(group)) for group in known for name in group}


def _test_alike(
    shares: Mapping[str, float],
    compared: Sequence[tuple[Pairing, ModelDraws]],
    *,
    stream_of: Callable[[], np.random.Generator],
    replicates: int,
) -> list[ChangeTest]:
    """The tests of models that have the same benchmarks of a group."""
    found: dict[int, ChangeTest] = {}
    flipped = []
    for row, (pairing, drawn) in enumerate(compared):
        tests = [drawn.tests[drawn.names.index(b)] for b in shares]
        if len(shares) == 1:
            found[row] = tests[0]
        elif all(b in pairing.benchmarks for b in shares):
            flipped.append(row)
        else:
            change = sum(s * change_of(pairing, b) for b, s in shares.items())
            found[row] = combined_test(change, tests, list(shares.values()))
    for alike in _alike([compared[row][0] for row in flipped], list(shares)):
        rows = [flipped[at] for at in alike]
        items = [stacked([compared[row][0].benchmarks[b] for row in rows]) for b in shares]
        several = mean_tests(items, list(shares.values()), stream_of(), replicates=replicates)
        found |= dict(zip(rows, several, strict=True))
    return [found[row] for row in range(len(compared))]


def change_of(pairing: Pairing, name: str) -> float:
    """A benchmark's change in points."""
    base, tuned = scores_of(pairing, name)
    return tuned - base


def scores_of(pairing: Pairing, name: str) -> tuple[float, float]:
    """Base and tuned score of a benchmark in percent."""
    if (two := pairing.unpaired.get(name)) is not None:
        return two.base.score, two.tuned.score
    base, tuned = stacked([pairing.benchmarks[name]]).means_K
    return float(base), float(tuned)


def _alike(pairings: Sequence[Pairing], names: Sequence[str]) -> list[list[int]]:
    """Rows that have all of ``names`` item by item, those on the same items together."""
    groups: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for row, pairing in enumerate(pairings):
        if all(name in pairing.benchmarks for name in names):
            ids = tuple(pairing.benchmarks[name].ids for name in names)
            groups.setdefault(ids, []).append(row)
    return list(groups.values())


def _columns(drawn: dict[str, Array], names: Sequence[str], replicates: int) -> Array:
    return np.stack([drawn[n] for n in names], axis=1) if names else np.empty((replicates, 0))


def _independent(
    estimate: Estimate, model: str, *, seed: int, benchmark: str, replicates: int
) -> Array:
    """Draws (R,) of one score by itself; NaN where neither n nor stderr is known."""
    rng = stream(seed, "beta", model, benchmark)
    if estimate.proportion and estimate.n is not None:
        return beta_draws(estimate.score, estimate.n, rng, replicates=replicates)
    if estimate.stderr is not None:
        return normal_draws(estimate.score, estimate.stderr, rng, replicates=replicates)
    return np.full(replicates, np.nan)


def _unpaired_test(two: UnpairedBenchmark) -> ChangeTest:
    """Two-sided z test on the two independent scores; NaN where there is no uncertainty."""
    before, after = standard_error(two.base), standard_error(two.tuned)
    if before is None or after is None:
        return ChangeTest("unpaired", math.nan, UNKNOWN)
    return unpaired_test(two.tuned.score - two.base.score, math.hypot(before, after))


def standard_error(estimate: Estimate) -> float | None:
    """Points: of a proportion that of its Jeffreys posterior, which is never 0, else its own."""
    if estimate.proportion and estimate.n is not None:
        hits = estimate.score * estimate.n / 100.0 + 0.5
        total = estimate.n + 1.0
        return 100.0 * float(np.sqrt(hits * (total - hits) / (total**2 * (total + 1.0))))
    return estimate.stderr
