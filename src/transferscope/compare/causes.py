"""Which answers made a change: the flagged or the clean ones, benchmark by benchmark and summed.

The clean part is tested as the whole change is, with flagged items taken as unchanged: what is
left to reject "no change" with are the clean ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.attribution import Attribution, Causes, because
from ..core.changes import mean_tests, paired_tests
from ..core.disagreement import Scores, disagreements
from ..core.standing import Standing
from ..core.standing import standing as standing_of
from ..core.stats import holm, stream
from ..documents.comparison import BenchmarkChange, PlanePoint
from ..runs import PairedBenchmark, Pairing
from .draws import ModelDraws, change_of, mean_shares, stacked
from .items import flagged_items

REPLICATES = 2_000
"""Patterns of signs behind the p of a clean part; its place about 0.05 needs no more."""


@dataclass(frozen=True, eq=False)
class _Part:
    """A benchmark's flagged part, in points of its own change.

    ``of_either``: points without their signs; ``of_base``: those of them that the base's answers
    made.
    """

    flagged: float
    by_flag: Mapping[str, float]
    flagged_n: int
    of_base: float
    of_either: float


def attribute(
    pairing: Pairing,
    share_B: Mapping[str, float],
    rng: np.random.Generator,
    *,
    standing: Standing,
    replicates: int = REPLICATES,
) -> Attribution:
    """What made the mean change over benchmarks with these shares (sum 1): one, a group, a guard.

    ``standing``: of the whole change. Benchmarks of which only scores are known are the unknown
    part; the clean part is then not tested, and neither is it where nothing is flagged.
    """
    change = sum(share * change_of(pairing, name) for name, share in share_B.items())
    known = {name: pairing.benchmarks[name] for name in share_B if name in pairing.benchmarks}
    found = {name: _part(part) for name, part in known.items()}
    by_flag: dict[str, float] = {}
    for name, part in found.items():
        for flag, points in part.by_flag.items():
            by_flag[flag] = by_flag.get(flag, 0.0) + share_B[name] * points
    flagged_n = sum(part.flagged_n for part in found.values())
    whole = len(known) == len(share_B)
    either = sum(share_B[name] * part.of_either for name, part in found.items())
    of_base = sum(share_B[name] * part.of_base for name, part in found.items())
    return Attribution(
        change=change,
        flagged=math.fsum(share_B[name] * part.flagged for name, part in found.items()),
        by_flag=dict(sorted(by_flag.items(), key=lambda item: -abs(item[1]))),
        flagged_n=flagged_n,
        n=sum(part.n for part in known.values()),
        clean_p=_clean_p(known, share_B, rng, replicates) if whole and flagged_n else math.nan,
        standing=standing,
        unknown=0.0
        if whole
        else sum(s * change_of(pairing, b) for b, s in share_B.items() if b not in known),
        of_base=of_base / either if either else 0.0,
    )


def causes_of(
    pairing: Pairing,
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

    A benchmark's clean p is corrected as its own is: over the benchmarks of the model. A group of
    one benchmark has that benchmark's attribution.
    """
    members = {g: [row.benchmark for row in rows if row.group == g] for g in plane}

    def of(kind: str, name: str, shares: Mapping[str, float], standing: Standing) -> Attribution:
        rng = stream(seed, "clean", kind, name, model)
        return attribute(pairing, shares, rng, standing=standing, replicates=replicates)

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
    pairing: Pairing,
    drawn: ModelDraws,
    share_B: Mapping[str, float],
    *,
    standing: Standing,
    metrics: tuple[Scores, Scores] = ({}, {}),
    seed: int = 0,
    of: str = "",
) -> str:
    """What made a mean change over benchmarks with these shares, in one clause, for a gate.

    ``standing``: "loss" for a guard that has regressed. ``metrics``: those of the base's and the
    tuned run's manifests. ``of`` names the random stream. Empty where clean answers made the
    change and all metrics agree on it.
    """
    found = attribute(pairing, share_B, stream(seed, "clean", "guard", of), standing=standing)
    judged = {}
    for name in share_B:
        test = drawn.tests[drawn.names.index(name)]
        compared = pairing.benchmarks.get(name) or pairing.unpaired[name]
        judged[name] = (standing_of(change_of(pairing, name), test.p), compared.n)
    said = [because(found)]
    said += [f"{d.benchmark}: {d.sentence}" for d in disagreements(*metrics, judged)]
    return "; ".join(text for text in said if text)


def _corrected(
    single: Mapping[str, Attribution], p_of: Mapping[str, float]
) -> dict[str, Attribution]:
    """Clean p values after Holm's correction; a benchmark without flags has its own p there."""
    raw = {
        b: p_of[b] if math.isnan(found.clean_p) else found.clean_p for b, found in single.items()
    }
    tested = [b for b, p in raw.items() if not math.isnan(p)]
    adjusted = dict(zip(tested, holm([raw[b] for b in tested]), strict=True))
    return {
        b: found if math.isnan(found.clean_p) else replace(found, clean_p=adjusted[b])
        for b, found in single.items()
    }


def _part(part: PairedBenchmark) -> _Part:
    """The flagged part of a benchmark's change, by flag.

    An item's share goes to the flags of the answer that made it. Of two flagged answers that is the
    one that scored less: the base's of a gain, the tuned model's of a loss.
    """
    flagged = np.flatnonzero(flagged_items(part))
    share = part.weights / part.weights.sum() * (part.tuned_scores - part.base_scores)
    by_flag: dict[str, float] = {}
    of_base = 0.0
    for at in flagged:
        base, tuned = part.base_flags[at], part.tuned_flags[at]
        bases = bool(base) and (share[at] > 0 or not tuned)
        flags = base if bases else tuned
        of_base += 100.0 * abs(float(share[at])) * bases
        for flag in flags:
            by_flag[flag] = by_flag.get(flag, 0.0) + 100.0 * float(share[at]) / len(flags)
    either = 100.0 * float(np.abs(share[flagged]).sum())
    return _Part(100.0 * float(share[flagged].sum()), by_flag, len(flagged), of_base, either)


def _clean_p(
    known: Mapping[str, PairedBenchmark],
    share_B: Mapping[str, float],
    rng: np.random.Generator,
    replicates: int,
) -> float:
    """p of "the clean items did not change", by the test that the whole change gets."""
    clean = [_unflagged(part) for part in known.values()]
    if not any((part.tuned_scores != part.base_scores).any() for part in clean):
        return 1.0
    items = [stacked([part]) for part in clean]
    if len(clean) == 1:
        (test,) = paired_tests(items[0], rng, single=clean[0].binary, replicates=replicates)
    else:
        shares = [share_B[name] for name in known]
        (test,) = mean_tests(items, shares, rng, replicates=replicates)
    return test.p


def _unflagged(part: PairedBenchmark) -> PairedBenchmark:
    """The benchmark with flagged items taken as unchanged."""
    flagged = flagged_items(part)
    return replace(part, tuned_scores=np.where(flagged, part.base_scores, part.tuned_scores))
