"""Which answers caused a change, flagged or clean ones: for each benchmark and for means.

The clean part gets the same test as the whole change, with flagged items treated as unchanged, so
that only clean items can reject "no change".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..core.attribution import Attribution, Causes, because
from ..core.disagreement import Scores, disagreements
from ..core.standing import Standing
from ..core.standing import standing as standing_of
from ..core.stats import holm, stream
from ..documents.comparison import BenchmarkChange, PlanePoint
from .benchmark import Benchmark
from .draws import ModelDraws, mean_shares
from .shared_draws import flip_tests

REPLICATES = 2_000
"""Sign patterns behind the p of a clean part; enough to place it relative to 0.05."""


def attribute(
    benchmarks: Mapping[str, Benchmark],
    share_B: Mapping[str, float],
    rng: np.random.Generator,
    *,
    standing: Standing,
    replicates: int = REPLICATES,
) -> Attribution:
    """What caused the mean change over benchmarks with these shares (sum 1).

    The mean is that of one benchmark, a group or a guard; ``standing`` is the verdict on the whole
    change. Benchmarks with scores only make up the unknown part. The clean part is not tested if
    there is an unknown part or if nothing is flagged.
    """
    parts = {name: benchmarks[name].flagged() for name in share_B}
    by_flag: dict[str, float] = {}
    for name, part in parts.items():
        for flag, points in part.by_flag.items():
            by_flag[flag] = by_flag.get(flag, 0.0) + share_B[name] * points
    flagged_n = sum(part.flagged_n for part in parts.values())
    either = sum(share_B[name] * part.of_either for name, part in parts.items())
    of_base = sum(share_B[name] * part.of_base for name, part in parts.items())
    return Attribution(
        change=sum(share * benchmarks[name].points.delta for name, share in share_B.items()),
        flagged=math.fsum(share_B[name] * part.flagged for name, part in parts.items()),
        by_flag=dict(sorted(by_flag.items(), key=lambda item: -abs(item[1]))),
        flagged_n=flagged_n,
        n=sum(part.n for part in parts.values()),
        clean_p=_clean_p(benchmarks, share_B, rng, replicates) if flagged_n else math.nan,
        standing=standing,
        unknown=sum(share_B[name] * part.unknown for name, part in parts.items()),
        of_base=of_base / either if either else 0.0,
    )


def causes_of(
    benchmarks: Mapping[str, Benchmark],
    rows: Sequence[BenchmarkChange],
    plane: Mapping[str, PlanePoint],
    retention: PlanePoint | None,
    *,
    source: str,
    seed: int,
    model: str,
    replicates: int = REPLICATES,
) -> Causes:
    """The attributions of one tuned model's rows, groups and retention.

    A benchmark's clean p is corrected like its p: over the benchmarks of the model. A group with
    one benchmark has that benchmark's attribution.
    """
    members = {g: [row.benchmark for row in rows if row.group == g] for g in plane}

    def of(kind: str, name: str, shares: Mapping[str, float], standing: Standing) -> Attribution:
        rng = stream(seed, "clean", kind, name, model)
        return attribute(benchmarks, shares, rng, standing=standing, replicates=replicates)

    single = {
        row.benchmark: of("benchmark", row.benchmark, {row.benchmark: 1.0}, row.standing)
        for row in rows
    }
    single = _corrected(single, {row.benchmark: row.p for row in rows})

    def several(name: str, groups: list[list[str]], point: PlanePoint) -> Attribution:
        shares = mean_shares(groups)
        if len(shares) == 1:
            return replace(single[next(iter(shares))], standing=point.standing)
        return of("group", name, shares, point.standing)

    return Causes(
        benchmarks=single,
        groups={g: several(g, [members[g]], point) for g, point in plane.items()},
        retention=None
        if retention is None
        else several("", [m for g, m in members.items() if g != source], retention),
    )


def reason(
    drawn: ModelDraws,
    share_B: Mapping[str, float],
    *,
    standing: Standing,
    metrics: tuple[Scores, Scores] = ({}, {}),
    seed: int = 0,
    of: str = "",
) -> str:
    """What caused a mean change over benchmarks with these shares, as one clause for the gate.

    ``standing``: "loss" for a guard that has regressed. ``metrics``: those in the manifests of the
    base and the tuned run. ``of`` names the random stream. Empty if clean answers caused the change
    and all metrics agree on it.
    """
    rng = stream(seed, "clean", "guard", of)
    found = attribute(drawn.benchmarks, share_B, rng, standing=standing)
    compared = {name: drawn.benchmarks[name] for name in share_B}
    judged = {
        name: (standing_of(one.points.delta, drawn.tests[name].p), one.n)
        for name, one in compared.items()
    }
    said = [because(found)]
    said += [f"{d.benchmark}: {d.sentence}" for d in disagreements(*metrics, judged)]
    return "; ".join(text for text in said if text)


def _corrected(
    single: Mapping[str, Attribution], p_of: Mapping[str, float]
) -> dict[str, Attribution]:
    """Clean p values after Holm's correction; a benchmark without flags enters with its own p."""
    raw = {
        b: p_of[b] if math.isnan(found.clean_p) else found.clean_p for b, found in single.items()
    }
    tested = [b for b, p in raw.items() if not math.isnan(p)]
    adjusted = dict(zip(tested, holm([raw[b] for b in tested]), strict=True))
    return {
        b: found if math.isnan(found.clean_p) else replace(found, clean_p=adjusted[b])
        for b, found in single.items()
    }


def _clean_p(
    benchmarks: Mapping[str, Benchmark],
    share_B: Mapping[str, float],
    rng: np.random.Generator,
    replicates: int,
) -> float:
    """p of "the clean items did not change", from the same test as the whole change's.

    NaN if the answers of a benchmark are unknown.
    """
    clean = [benchmarks[name].unflagged() for name in share_B]
    if len(clean) == 1:
        return clean[0].test(rng, replicates=replicates).p
    shares = list(share_B.values())
    (test,) = flip_tests([clean], shares, lambda: rng, replicates=replicates)
    return math.nan if test is None else test.p
