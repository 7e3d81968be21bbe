"""The Transferability Index: from scores to statements (arXiv 2507.00432, section 2).

For a tuned model m and its base, per benchmark b of group g, in points:

    d = R(m,b) - R(base,b)                      gain
    s = sign(d) * sqrt(|d| / sigma(g))          robust (the paper's second version)
    w = (100 - R(base,b)), normalised in g      headroom
    DI(g) = sum_b w * s        TI(g) = 100 * DI(g) / DI(source)

All functions work on arrays whose last axis is the benchmark (suffix B) or the group (G) and
broadcast over leading axes (replicates R, models M). So the point estimate and 10,000 bootstrap
replicates take the same code path.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .changes import Z95, ChangeTest
from .groups import group_name
from .standing import ALPHA
from .typed_record import record

Array = NDArray[np.float64]
Definition = Literal["robust", "linear", "relative"]
Scale = Literal["unit", "published", "cohort", "per-model"]
LOWER, UPPER = 0.025, 0.975


@dataclass(frozen=True, slots=True)
class Layout:
    """Which benchmarks belong to which group; ``member_GB`` is True where one does."""

    groups: tuple[str, ...]
    benchmarks: tuple[str, ...]
    source: str
    member_GB: NDArray[np.bool_]

    @classmethod
    def of(cls, groups: Mapping[str, Sequence[str]], source: str) -> Layout:
        """The layout of ``{group: [benchmark, ...]}``."""
        names = tuple(groups)
        benchmarks = tuple(b for group in names for b in groups[group])
        member = np.array([[b in groups[g] for b in benchmarks] for g in names], dtype=bool)
        return cls(names, benchmarks, source, member.reshape(len(names), len(benchmarks)))

    @property
    def source_at(self) -> int:
        """Position of the source group."""
        return self.groups.index(self.source)

    @property
    def targets(self) -> tuple[str, ...]:
        """All groups except the source."""
        return tuple(g for g in self.groups if g != self.source)


@record()
class IndexResult:
    """The index of one tuned model: the values, and for undefined ones the reason.

    ``gain`` is in points, ``di`` in the definition's unit, ``ti`` and its bounds ``ci`` in percent.
    ``interval`` names the method behind ``ci`` (``None`` without an interval). A DI is ``None`` if
    its definition gives no value (no headroom, a base score of 0 under ``relative``, a sigma of 0).
    ``no_interval`` says why a defined TI has no interval, if that is known.
    """

    model: str
    base: str
    gain: Mapping[str, float]
    di: Mapping[str, float | None]
    ti: Mapping[str, float | None]
    ci: Mapping[str, tuple[float, float] | None]
    undefined_reason: Mapping[str, str]
    interval: str | None = None
    no_interval: Mapping[str, str] = field(default_factory=dict)


def headroom_weights(base_B: Array, member_GB: NDArray[np.bool_]) -> Array:
    """Weights (..., B): headroom 100 - base, summing to 1 within every group.

    A group whose base scores are all 100 has no headroom: its weights are 0.
    """
    raw = 100.0 - base_B
    total_B = group_sum(raw, member_GB)[..., member_GB.argmax(axis=0)]
    return np.asarray(np.divide(raw, total_B, out=np.zeros_like(raw), where=total_B > 0))


def uniform_weights(member_GB: NDArray[np.bool_]) -> Array:
    """Weights (B,): equal inside every group, summing to 1."""
    return np.asarray(1.0 / member_GB.sum(axis=1)[member_GB.argmax(axis=0)])


def group_sum(values_B: Array, member_GB: NDArray[np.bool_]) -> Array:
    """Sums (..., G) over each group's benchmarks; not a matrix product: NaN stays in its group."""
    return np.stack([values_B[..., row].sum(axis=-1) for row in member_GB], axis=-1)


def group_gain(gain_B: Array, member_GB: NDArray[np.bool_]) -> Array:
    """Mean gain (..., G) of each group in points: the coordinates in the plane."""
    return np.asarray(group_sum(gain_B, member_GB) / member_GB.sum(axis=1))


def pooled_sigma(gain_MB: Array, member_GB: NDArray[np.bool_]) -> Array:
    """Standard deviation (..., G) of the gains of all models and benchmarks of a group.

    Centred, with ddof 0: the variant that reproduces the paper's Table 5.
    """
    axes = (-2, -1)
    return np.stack([gain_MB[..., row].std(axis=axes) for row in member_GB], axis=-1)


def sigma_for(
    scale: str,
    gain_MB: Array,
    member_GB: NDArray[np.bool_],
    *,
    published_G: Array | None = None,
) -> Array:
    """Sigma in points, broadcastable to (..., M, G).

    ``published`` requires ``published_G``; ``cohort`` and ``per-model`` use the given gains.
    """
    if scale == "unit":
        return np.ones(len(member_GB))
    if scale == "published":
        if published_G is None:
            raise ValueError("scale 'published' needs the published sigmas")
        return published_G
    if scale == "cohort":
        return pooled_sigma(gain_MB, member_GB)[..., None, :]
    if scale == "per-model":
        return np.stack([gain_MB[..., row].std(axis=-1) for row in member_GB], axis=-1)
    raise ValueError(f"unknown scale {scale!r}")


def domain_index(
    base_B: Array,
    tuned_B: Array,
    member_GB: NDArray[np.bool_],
    *,
    definition: str = "robust",
    sigma_G: Array | float = 1.0,
    weights_B: Array | None = None,
) -> Array:
    """DI (..., G). Scores in percent; ``weights_B`` (normalised) replaces the headroom weights.

    ``robust``: square root of points over sigma. ``linear``: weighted points. ``relative``: plain
    mean of d / R(base), NaN for a group with a base score of 0. A sigma of 0 gives NaN.
    """
    gain = tuned_B - base_B
    if definition == "relative":
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(base_B == 0.0, np.nan, gain / base_B)
        return np.stack([ratio[..., row].mean(axis=-1) for row in member_GB], axis=-1)
    weights = headroom_weights(base_B, member_GB) if weights_B is None else weights_B
    if definition == "linear":
        return group_sum(weights * gain, member_GB)
    if definition != "robust":
        raise ValueError(f"unknown definition {definition!r}")
    # sqrt(|d| / sigma) = sqrt(|d|) / sqrt(sigma), because sigma is one number per group.
    rooted_G = group_sum(weights * np.sign(gain) * np.sqrt(np.abs(gain)), member_GB)
    sigma = np.broadcast_to(np.asarray(sigma_G, dtype=float), rooted_G.shape)
    root = np.sqrt(np.where(sigma > 0, sigma, np.nan))
    return np.asarray(rooted_G / root)


def transferability(di_G: Array, source_at: int) -> Array:
    """TI (..., G) in percent of replicates: DI(source) <= 0 counts as sign(DI(g)) * infinity."""
    source = di_G[..., source_at, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 100.0 * di_G / source
        infinite = np.where(di_G == 0.0, 0.0, np.sign(di_G) * np.inf)
    return np.where(source > 0, ratio, infinite)


def order_interval(replicates_R: Array, *, axis: int = 0) -> tuple[Array, Array]:
    """Order statistics ceil(.025 B) and ceil(.975 B): no interpolation, infinities are kept."""
    count = replicates_R.shape[axis]
    at = [int(np.ceil(round(share * count, 9))) - 1 for share in (LOWER, UPPER)]
    at = [max(0, position) for position in at]
    parted = np.partition(replicates_R, at, axis=axis)
    return np.take(parted, at[0], axis=axis), np.take(parted, at[1], axis=axis)


def fieller(a: float, b: float, cov: Array, *, z: float = Z95) -> tuple[float, float] | None:
    """Interval of the ratio b / a from the 2 x 2 covariance; ``None`` if a <= z sqrt(Vaa).

    All t with (a^2 - z^2 Vaa) t^2 - 2 (ab - z^2 Vab) t + (b^2 - z^2 Vbb) <= 0.
    """
    if a <= z * np.sqrt(cov[0, 0]) or a <= 0:
        return None
    lead = a * a - z * z * cov[0, 0]
    half = a * b - z * z * cov[0, 1]
    tail = b * b - z * z * cov[1, 1]
    root = float(np.sqrt(max(0.0, half * half - lead * tail)))
    return (half - root) / lead, (half + root) / lead


def index_of(
    model: str,
    base: str,
    *,
    layout: Layout,
    base_B: Array,
    tuned_B: Array,
    definition: str = "robust",
    sigma_G: Array | float = 1.0,
    weights_B: Array | None = None,
    di_RG: Array | None = None,
    tests: Mapping[str, ChangeTest] | None = None,
    paired: bool = True,
) -> IndexResult:
    """The index of one tuned model, with an interval if ``di_RG`` (replicates) is given.

    ``robust`` and ``relative`` use the percentile interval of the replicates' TI, ``linear`` uses
    the Fieller interval. If ``paired`` is false (base and tuned drawn independently), the label of
    the interval says so. ``base_B`` and ``tuned_B`` (B,) are in percent, ``di_RG`` (R, G) in DI;
    ``weights_B`` is that of :func:`domain_index`. TI is undefined if the source's lower bound is
    not above 0, or if the source's own test in ``tests`` (by group) does not establish its gain.
    Replicates without spread give no interval: a percentile interval is then omitted, and the
    variance in Fieller's interval is never below that of the test's floor.
    """
    point_G = domain_index(
        base_B,
        tuned_B,
        layout.member_GB,
        definition=definition,
        sigma_G=sigma_G,
        weights_B=weights_B,
    )
    gains_G = group_gain(tuned_B - base_B, layout.member_GB)
    at = layout.source_at
    sigma = np.broadcast_to(np.asarray(sigma_G, dtype=float), point_G.shape)
    ti: dict[str, float | None] = {}
    ci: dict[str, tuple[float, float] | None] = {}
    reasons: dict[str, str] = {}
    bounds = None
    if di_RG is not None and not np.isfinite(di_RG[:, at]).all():
        di_RG = None  # the uncertainty of a source score is unknown
    if di_RG is not None and definition != "linear":
        bounds = order_interval(transferability(di_RG, at))
    no_value = partial(
        _no_value,
        layout,
        base_B=base_B,
        sigma_G=sigma,
        weights_B=weights_B,
        definition=definition,
    )
    no_source = no_value(at) or _no_source_gain(
        group_name(layout.source),
        float(point_G[at]),
        None if di_RG is None else di_RG[:, at],
        definition=definition,
        gain=float(gains_G[at]),
        test=None if tests is None else tests[layout.source],
    )
    silent: dict[str, str] = {}
    for group in layout.targets:
        g = layout.groups.index(group)
        ti[group], ci[group] = None, None
        reason = no_source or no_value(g)
        if reason:
            reasons[group] = reason
            continue
        ti[group] = float(100.0 * point_G[g] / point_G[at])
        if definition == "linear" and di_RG is not None:
            cov = np.cov(di_RG[:, [at, g]], rowvar=False)
            if tests is not None:
                least = np.square([tests[name].floor / Z95 for name in (layout.source, group)])
                np.fill_diagonal(cov, np.maximum(cov.diagonal(), least))
            limits = fieller(float(point_G[at]), float(point_G[g]), cov)
            known = limits is not None and np.isfinite(limits).all()
            ci[group] = (100.0 * limits[0], 100.0 * limits[1]) if limits and known else None
        # NaN is sorted last: where too many replicates have no value, the upper bound has none.
        elif bounds is not None and di_RG is not None and not np.isnan(bounds[1][g]):
            if float(np.ptp(di_RG[:, g])) <= 1e-9 * abs(float(point_G[g])):
                silent[group] = f"no change on {group_name(group)} differs between its items"
            else:
                ci[group] = (float(bounds[0][g]), float(bounds[1][g]))
        if (found := ci[group]) and tests is not None and tests[group].p >= ALPHA:
            ci[group] = (min(found[0], 0.0), max(found[1], 0.0))
    named = None
    if any(ci.values()):
        named = "Fieller" if definition == "linear" else "percentile"
        named = named if paired else f"{named}, unpaired"
    di = {
        g: float(v) if np.isfinite(v) and no_value(place) is None else None
        for place, (g, v) in enumerate(zip(layout.groups, point_G, strict=True))
    }
    gain = {g: float(v) for g, v in zip(layout.groups, gains_G, strict=True)}
    return IndexResult(model, base, gain, di, ti, ci, reasons, named, silent)


def _no_value(
    layout: Layout,
    position: int,
    *,
    base_B: Array,
    sigma_G: Array,
    weights_B: Array | None,
    definition: str,
) -> str | None:
    """The reason why a group has no DI to use in a ratio, or ``None``."""
    name = group_name(layout.groups[position])
    bases = base_B[layout.member_GB[position]]
    if definition == "relative":
        if (bases == 0.0).any():
            return f"a base score of {name} is 0, so its relative gain is undefined"
    elif weights_B is None and (bases >= 100.0).all():
        return f"no headroom: every base score of {name} is 100"
    if definition == "robust" and not sigma_G[position] > 0:
        return f"sigma of {name} is 0"
    return None


def _no_source_gain(
    source: str,
    point: float,
    draws_R: Array | None,
    *,
    definition: str,
    gain: float,
    test: ChangeTest | None,
) -> str | None:
    """The reason why the source's DI can't be a denominator, or ``None``."""
    if draws_R is None:
        return None if point > 0 else f"no gain on the source group {source} (DI {point:.2f})"
    if definition == "linear":
        low = point - Z95 * float(draws_R.std(ddof=1))
    else:
        low = float(order_interval(draws_R)[0])
    missing = f"the gain on the source group {source} is not established"
    if not low > 0:
        return f"{missing}: the lower 95 % bound of its DI is {low:.2f}"
    if test is None or math.isnan(test.p) or (gain > 0 and test.p < ALPHA):
        return None
    if not gain > 0:
        return f"{missing}: its mean change is {gain:.1f} points"
    if test.smallest_p >= ALPHA:
        few = f"the smallest possible p is {test.smallest_p:.3g}"
        return f"{missing}: too few independent items, {few}"
    return f"{missing}: p is {test.p:.2g}"
