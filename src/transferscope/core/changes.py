"""Is a change shown? One rule for benchmarks, groups, the retention and contrasts of two models.

Every change has a test, and its 95 % interval consists of the changes that this test does not
reject at 5 %. So the interval excludes 0 exactly where p is below 0.05, and the wording, which
depends on p, can't contradict it. For one 0/1 outcome per independent item, the test is exact
McNemar at 0 and Tango's score test elsewhere. In all other paired cases it is a sign-flip test of
whole units (:mod:`.resampling`), inverted for the interval. For two independent scores it is a z
test on their standard errors. docs/science.md, section 2, gives the reasons.

A lack of spread is not evidence. If at least half of the units moved by the same amount (usually by
0), their spread says little about rare large changes. In that case a bound is at least as far from
the estimate as in the exact test of the same number of units, none of which moved. All changes are
in points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .alike_units import WORTH, AlikeUnits
from .noninferiority import tango_interval, unseen_loss
from .power import mcnemar_mde, mean_mde, unpaired_mde
from .resampling import units_of
from .standing import ALPHA
from .stats import BLOCK_CELLS, Array, ItemScores, is_binary_independent, mcnemar_exact
from .typed_record import UNKNOWN, Interval

Z95 = 1.96
"""Standard normal quantile for a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class ChangeTest:
    """The two-sided test of a change.

    ``p``: p value of "no change". ``ci``: the 95 % interval in points, within -100..100.
    ``smallest_p``: the smallest p that this number of units can give. ``floor``: the minimum
    distance in points between the estimate and either bound, however little the units vary.
    ``mde``: the smallest change in points that the test detects with 80 % power, ``None`` if it
    can detect none. All are NaN if the uncertainty is unknown.
    """

    name: str
    p: float
    ci: Interval
    smallest_p: float = 0.0
    floor: float = 0.0
    mde: float | None = None

    @property
    def error(self) -> float:
        """The standard error in points that corresponds to the width of the interval."""
        return (self.ci[1] - self.ci[0]) / (2.0 * Z95)


def paired_tests(
    items: ItemScores, rng: np.random.Generator, *, single: bool = True, replicates: int = 10_000
) -> list[ChangeTest]:
    """One test per tuned model (rows 1..K-1 of ``scores_KN``) against row 0, on one benchmark.

    Exact McNemar for one 0/1 outcome per independent item (``single``: no repeats), otherwise the
    sign-flip test of :func:`mean_tests`.
    """
    if not (single and is_binary_independent(items)):
        return mean_tests([items], [1.0], rng, replicates=replicates)
    n = items.scores_KN.shape[1]
    difference = items.scores_KN[1:] - items.scores_KN[0]
    counts = [(int((row < 0).sum()), int((row > 0).sum())) for row in difference]
    return [
        _settled(
            100.0 * (won - lost) / n,
            ChangeTest(
                "mcnemar",
                mcnemar_exact(lost, won),
                tango_interval(lost, won, n),
                smallest_p=mcnemar_exact(0, n),
                floor=_floor(difference[at], np.full(n, 1.0 / n)),
                mde=mcnemar_mde(lost, won, n),
            ),
        )
        for at, (lost, won) in enumerate(counts)
    ]


def mean_tests(
    benchmarks: Sequence[ItemScores],
    share_B: Sequence[float],
    rng: np.random.Generator,
    *,
    replicates: int = 10_000,
) -> list[ChangeTest]:
    """Sign-flip tests of a weighted mean change: one per tuned model, rows 1..K-1 against row 0.

    The change is the mean over ``benchmarks``, with weights ``share_B`` (sum 1), of their weighted
    mean differences (after arXiv 2602.10144). All units are flipped at once. If there are few (2^U
    at most ``replicates``), every pattern of signs is enumerated; otherwise ``replicates`` patterns
    are drawn and the observed one is included: p = (1 + k) / (replicates + 1).

    The interval inverts the test. Under a mean change of t points, each benchmark's change is its
    estimate plus t minus the estimated mean, and the residuals from it are flipped. If a pattern's
    flipped sum of residuals is r, and that of the weights v, then it reaches the deviation
    u = t - estimate as long as u <= max(r / (1 + v), -r / (1 - v)). So a bound is an order
    statistic of these values and needs no search. Units of different benchmarks are assumed to be
    independent.
    """
    parts = [
        _unit_sums(i, s, len(benchmarks) > 1) for i, s in zip(benchmarks, share_B, strict=True)
    ]
    sums_KU = np.hstack([sums for sums, _, _ in parts])
    weight_U = np.hstack([weight for _, weight, _ in parts])
    change_K = sums_KU.sum(axis=1)
    # A benchmark of one unit has no residual of its own; its distance from the mean replaces it.
    rest_KU = np.hstack(
        [
            sums - change_K[:, None] * weight if rest is None else rest
            for sums, weight, rest in parts
        ]
    )
    del parts  # as large again
    rest_KU -= rest_KU.sum(axis=1, keepdims=True) * weight_U
    flipped_RK, rest_RK, weight_RK = _flipped(sums_KU, rest_KU, weight_U, rng, replicates)
    # Sums that differ only by rounding (1e-9 of the largest possible one) count as tied.
    floor_K = np.abs(change_K) - 1e-9 * np.abs(sums_KU).sum(axis=1)
    p_K = (np.abs(flipped_RK) >= floor_K).mean(axis=0)
    high_K = _reach(rest_RK, weight_RK)
    low_K = _reach(-rest_RK, weight_RK)
    freedom = 1.0 if len(benchmarks) > 1 else len(weight_U) / max(1, len(weight_U) - 1)
    error_K = np.sqrt(freedom * (rest_KU**2).sum(axis=1))
    moved_KU, weight_U = sums_KU[:, weight_U > 0], weight_U[weight_U > 0]
    units = 1.0 / float((weight_U**2).sum())
    smallest = max(2.0 ** (1 - len(weight_U)), 1.0 / len(flipped_RK))
    return [
        _settled(
            100.0 * float(change),
            ChangeTest(
                "sign-flip",
                float(p),
                (100.0 * float(change - low), 100.0 * float(change + high)),
                smallest_p=min(1.0, smallest),
                floor=(floor := _floor(sums_U / weight_U, weight_U)),
                mde=None
                if smallest >= ALPHA
                else mean_mde(100.0 * float(error), units, unmoved=floor > 0),
            ),
        )
        for change, p, low, high, sums_U, error in zip(
            change_K, p_K, low_K, high_K, moved_KU, error_K, strict=True
        )
    ]


def unpaired_test(change: float, error: float) -> ChangeTest:
    """Two-sided z test of the difference of two independent scores with this standard error."""
    if not error > 0:
        return ChangeTest("unpaired", math.nan, UNKNOWN)
    p = math.erfc(abs(change) / error / math.sqrt(2.0))
    ci = (change - Z95 * error, change + Z95 * error)
    return _settled(change, ChangeTest("unpaired", p, ci, mde=unpaired_mde(error)))


def combined_test(
    change: float, tests: Sequence[ChangeTest], share_B: Sequence[float]
) -> ChangeTest:
    """The z test of a weighted mean of independent changes, some between unpaired scores."""
    return unpaired_test(
        change, math.hypot(*(s * t.error for s, t in zip(share_B, tests, strict=True)))
    )


def _floor(move_U: Array, weight_U: Array) -> float:
    """The bound of an exact test of units none of which moved, if most moved alike; else 0."""
    alike = float((np.abs(move_U - np.median(move_U)) < 1e-9).mean())
    return unseen_loss(weight_U, alpha=ALPHA / 2.0) if alike >= 0.5 else 0.0


def _settled(change: float, test: ChangeTest) -> ChangeTest:
    """The test with its interval consistent with p, in -100..100, no narrower than the floor."""
    low, high = min(test.ci[0], change - test.floor), max(test.ci[1], change + test.floor)
    if test.p >= ALPHA:
        low, high = min(low, 0.0), max(high, 0.0)
    elif change > 0:
        low = max(low, math.ulp(0.0))
    else:
        high = min(high, -math.ulp(0.0))
    return replace(test, ci=(max(low, -100.0), min(high, 100.0)))


def _unit_sums(items: ItemScores, share: float, several: bool) -> tuple[Array, Array, Array | None]:
    """Unit sums (K-1, U) of share x difference, the units' shares (U,), and residuals (K-1, U).

    The residuals are ``None`` for a single unit. Residuals from a benchmark's own mean are smaller
    than those from the true mean by sqrt((U - 1) / U). With one benchmark the tested mean is used
    instead, and nothing is lost.
    """
    units = units_of(items.cluster_N, items.stratum_N)
    weight_N = items.weight_N * (share / items.weight_N.sum())
    sums_KU = units.sums((items.scores_KN[1:] - items.scores_KN[0]) * weight_N)
    weight_U = units.sums(weight_N[None])[0]
    if several and units.count == 1:
        return sums_KU, weight_U, None
    mean_K = sums_KU.sum(axis=1, keepdims=True) / share
    factor = math.sqrt(units.count / (units.count - 1)) if several else 1.0
    return sums_KU, weight_U, factor * (sums_KU - mean_K * weight_U)


def _flipped(
    sums_KU: Array, rest_KU: Array, weight_U: Array, rng: np.random.Generator, replicates: int
) -> tuple[Array, Array, Array]:
    """Flipped sums (R, K) of every model's changes and residuals, and of the weights.

    One of the R patterns of signs is the observed one. A model's sums depend only on its own units,
    never on the other models: if few units are distinct, their counts (:mod:`.alike_units`) are
    drawn from a stream that restarts for each model; otherwise all models share the same patterns.
    """
    models, units = sums_KU.shape
    if units <= math.log2(replicates):
        patterns = np.arange(1 << units)[:, None] >> np.arange(units) & 1
        signs_RU = 1.0 - 2.0 * patterns
        weight_R = signs_RU @ weight_U
        every = (signs_RU @ sums_KU.T, signs_RU @ rest_KU.T)
        return *every, np.broadcast_to(weight_R[:, None], every[0].shape)
    out_KXR = np.empty((models, 3, replicates + 1))
    out_KXR[:, 0, 0], out_KXR[:, 1, 0] = sums_KU.sum(axis=1), rest_KU.sum(axis=1)
    out_KXR[:, 2, 0] = weight_U.sum()
    # Spawning leaves the stream unchanged, and the next call still gets another seed.
    (seed,) = rng.bit_generator.seed_seq.spawn(1)  # type: ignore[attr-defined]
    different = []
    for model in range(models):
        alike = AlikeUnits.of(np.stack([sums_KU[model], rest_KU[model], weight_U]))
        if WORTH * alike.patterns > units:
            different.append(model)
            continue
        out_KXR[model, :, 1:] = alike.flipped(np.random.default_rng(seed), replicates).T
    if different:
        rows_XU = np.vstack([sums_KU[different], rest_KU[different], weight_U])
        drawn_XR = _flipped_one_by_one(rows_XU, rng, replicates).T
        out_KXR[different, 0, 1:] = drawn_XR[: len(different)]
        out_KXR[different, 1, 1:] = drawn_XR[len(different) : -1]
        out_KXR[different, 2, 1:] = drawn_XR[-1]
    flipped_KR, rest_KR, weight_KR = out_KXR.transpose(1, 0, 2)
    return flipped_KR.T, rest_KR.T, weight_KR.T


def _flipped_one_by_one(rows_XU: Array, rng: np.random.Generator, replicates: int) -> Array:
    """Sums (R, X) of the rows under sign patterns that are drawn unit by unit."""
    units = rows_XU.shape[1]
    out_RX = np.empty((replicates, len(rows_XU)))
    rows_UX = np.ascontiguousarray(rows_XU.T)
    block, wide = max(1, BLOCK_CELLS // units), -(-units // 8)
    bits = np.empty((block, units))
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        drawn = np.frombuffer(rng.bytes(size * wide), dtype=np.uint8).reshape(size, wide)
        bits[:size] = np.unpackbits(drawn, axis=1, count=units)
        np.matmul(bits[:size], rows_UX, out=out_RX[start : start + size])
    # Signs are 2 x bits - 1, so the sum is twice the sum over the ones minus the total.
    out_RX *= 2.0
    out_RX -= rows_XU.sum(axis=1)
    return out_RX


def _reach(rest_RK: Array, weight_RK: Array) -> Array:
    """Distance (K,) to the bound: the largest deviation that at least 5 % of the patterns reach."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reach_RK = np.fmax(rest_RK / (1.0 + weight_RK), -rest_RK / (1.0 - weight_RK))
    # If all signs are equal, the pattern reaches any deviation.
    reach_RK = np.where(np.abs(weight_RK) >= 1.0 - 1e-9, np.inf, reach_RK)
    kth = math.ceil(ALPHA * len(reach_RK) - 1e-9)
    return np.asarray(-np.partition(-reach_RK, kth - 1, axis=0)[kth - 1])
