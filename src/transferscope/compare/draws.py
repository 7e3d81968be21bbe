"""Bootstrap draws and tests of every benchmark of a model; all its intervals come from them.

They are made once per comparison; plane, index, ranking and gate share them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core.changes import ChangeTest, combined_test
from ..core.index import Array
from ..core.stats import stream
from .benchmark import Benchmark, Drawn
from .shared_draws import StreamOf, change_tests, draw_each, flip_tests

RETENTION = "retention"
"""Name of the tested mean over all groups but the source."""


@dataclass(frozen=True, eq=False)
class ModelDraws:
    """One tuned model compared with its base: benchmarks in order, their draws and their tests."""

    benchmarks: Mapping[str, Benchmark]
    drawn: Mapping[str, Drawn]
    tests: Mapping[str, ChangeTest]

    @property
    def names(self) -> tuple[str, ...]:
        """The benchmarks' names, in order."""
        return tuple(self.benchmarks)

    def columns(self, names: Sequence[str]) -> tuple[Array, Array]:
        """Replicates (R, B) of base and tuned scores of these benchmarks."""
        found = [self.drawn[name] for name in names]
        base_RB = np.stack([one.base_R for one in found], axis=1)
        return base_RB, np.stack([one.tuned_R for one in found], axis=1)


def draw(
    names: Collection[str],
    compared: Sequence[Mapping[str, Benchmark]],
    *,
    seed: int,
    replicates: int,
) -> list[ModelDraws]:
    """The draws of every model; ``compared`` holds each model's benchmarks.

    Every random stream is named after its benchmark and purpose, so that a model's numbers depend
    neither on the other models nor on the other benchmarks.
    """
    drawn: list[dict[str, Drawn]] = [{} for _ in compared]
    tests: list[dict[str, ChangeTest]] = [{} for _ in compared]
    for name in names:
        rows = [row for row, benchmarks in enumerate(compared) if name in benchmarks]
        several = [compared[row][name] for row in rows]
        draws_of = partial(stream, seed, "bootstrap", name)
        flips_of = partial(stream, seed, "test", name)
        found = draw_each(several, draws_of, replicates=replicates)
        tested = change_tests(several, flips_of, replicates=replicates)
        for row, one, test in zip(rows, found, tested, strict=True):
            drawn[row][name], tests[row][name] = one, test
    return [
        ModelDraws(
            benchmarks={name: benchmarks[name] for name in names if name in benchmarks},
            drawn=drawn[row],
            tests=tests[row],
        )
        for row, benchmarks in enumerate(compared)
    ]


def group_tests(
    groups: Mapping[str, Sequence[str]],
    source: str,
    draws: Sequence[ModelDraws],
    *,
    seed: int,
    replicates: int,
    only: Collection[str] | None = None,
) -> list[dict[str, ChangeTest]]:
    """For each model, the tests of every group's mean change and of :data:`RETENTION`.

    ``only``: names of the tests to compute; ``None``: all of them. A group with one benchmark has
    that benchmark's test.
    """
    found: list[dict[str, ChangeTest]] = [{} for _ in draws]
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
            stream_of = partial(stream, seed, "pooled", name)
            alike = [draws[row] for row in rows]
            tests = _mean_tests(dict(key), alike, stream_of=stream_of, replicates=replicates)
            for row, test in zip(rows, tests, strict=True):
                found[row][name] = test
    return found


def mean_shares(groups: Iterable[Sequence[str]]) -> dict[str, float]:
    """Share of every benchmark in the mean of the group means; empty groups don't count."""
    known = [group for group in groups if group]
    return {name: 1.0 / (len(known) * len(group)) for group in known for name in group}


def _mean_tests(
    shares: Mapping[str, float],
    draws: Sequence[ModelDraws],
    *,
    stream_of: StreamOf,
    replicates: int,
) -> list[ChangeTest]:
    """The tests of models that have the same benchmarks in a group."""
    tests = [[drawn.tests[name] for name in shares] for drawn in draws]
    if len(shares) == 1:
        return [test for (test,) in tests]
    weights = list(shares.values())
    models = [[drawn.benchmarks[name] for name in shares] for drawn in draws]
    flipped = flip_tests(models, weights, stream_of, replicates=replicates)
    changes = [
        sum(share * one.points.delta for one, share in zip(model, weights, strict=True))
        for model in models
    ]
    return [
        combined_test(change, own, weights) if test is None else test
        for test, change, own in zip(flipped, changes, tests, strict=True)
    ]
