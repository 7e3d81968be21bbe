"""Draws and sign flips for several models at once, shared where that saves time.

The numbers never depend on which models share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..core.changes import ChangeTest, mean_tests
from ..core.forgetting import with_moves
from ..core.stats import ItemScores, Resampling, bootstrap_means
from ..runs.pairing import on_shared_items
from .benchmark import Benchmark, Drawn, Paired, drawn_of, stacked

StreamOf = Callable[[], np.random.Generator]
"""Returns the same random stream, from its start, at each call."""


def draw_each(models: Sequence[Benchmark], stream_of: StreamOf, *, replicates: int) -> list[Drawn]:
    """One benchmark's draws for several models: what :meth:`Benchmark.draw` returns for each.

    If most units differ, all models compared on the same items share one resample, which saves time
    without changing any number.
    """
    found: dict[int, Drawn] = {}
    together: dict[tuple[str, ...], dict[int, Paired]] = {}
    for at, one in enumerate(models):
        if not isinstance(one, Paired):
            found[at] = one.draw(stream_of(), replicates=replicates)
            continue
        moved = with_moves(one.items)
        resampling = Resampling.of(moved)
        if resampling.counted:
            (found[at],) = drawn_of([one], moved, resampling.means(stream_of(), replicates))
        else:
            together.setdefault(one.ids, {})[at] = one
    for parts in together.values():
        moved = with_moves(stacked(list(parts.values())))
        drawn_RK = bootstrap_means([moved], stream_of(), replicates=replicates)[:, :, 0]
        found |= dict(zip(parts, drawn_of(list(parts.values()), moved, drawn_RK), strict=True))
    return [found[at] for at in range(len(models))]


def change_tests(
    models: Sequence[Benchmark], stream_of: StreamOf, *, replicates: int
) -> list[ChangeTest]:
    """One benchmark's tests for several models: what :meth:`Benchmark.test` returns for each."""
    drawn = [at for at, one in enumerate(models) if one.sign_test]
    flipped = flip_tests([[models[at]] for at in drawn], [1.0], stream_of, replicates=replicates)
    shared = dict(zip(drawn, flipped, strict=True))
    return [
        shared.get(at) or one.test(stream_of(), replicates=replicates)
        for at, one in enumerate(models)
    ]


def flip_tests(
    models: Sequence[Sequence[Benchmark]],
    shares: Sequence[float],
    stream_of: StreamOf,
    *,
    replicates: int,
) -> list[ChangeTest | None]:
    """Sign-flip tests of every model's mean change over its benchmarks with these shares (sum 1).

    ``None`` if a benchmark was not compared item by item. Models that were compared on the same
    items share the work, which does not affect any number.
    """
    found: list[ChangeTest | None] = [None] * len(models)
    together: dict[tuple[tuple[str, ...], ...], dict[int, list[Paired]]] = {}
    for at, benchmarks in enumerate(models):
        paired = [one for one in benchmarks if isinstance(one, Paired)]
        if len(paired) == len(benchmarks):
            together.setdefault(tuple(one.ids for one in paired), {})[at] = paired
    for alike in together.values():
        items = [stacked(parts) for parts in zip(*alike.values(), strict=True)]
        tests = mean_tests(items, shares, stream_of(), replicates=replicates)
        for at, test in zip(alike, tests, strict=True):
            found[at] = test
    return found


def on_common_items(models: Sequence[Benchmark | None]) -> ItemScores | None:
    """Base and all models on the items that all of them answered; ``None`` without such items."""
    parts = [one.part for one in models if isinstance(one, Paired)]
    if len(parts) < len(models) or not set.intersection(*(set(part.ids) for part in parts)):
        return None
    return stacked([Paired(part) for part in on_shared_items(parts)])
