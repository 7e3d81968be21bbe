"""Tables of a study's arms, averaged over training runs, and of its claims."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import views, words
from .escaping import name, sentence
from .views import Grid

if TYPE_CHECKING:
    from ..core.over_runs import RunMean
    from ..documents.study_results import ArmMean, Claim


def claim_grid(claims: Sequence[Claim]) -> Grid:
    """Table of claims with the measured value, its interval over runs and the verdict."""
    rows = []
    for claim in claims:
        why = f" ({sentence(claim.why)})" if claim.why else ""
        rows.append(
            (
                sentence(claim.claim),
                f"{claim.verdict}{why}",
                "n/a" if claim.measured is None else words.number(claim.measured, 2),
                words.interval(claim.ci, 2) if claim.ci else "none",
                f"{claim.threshold:g}".replace("-", "\u2212"),
                views.digits(claim.runs),
            )
        )
    head = ("claim of the paper", "verdict", "measured", "95 % interval", "threshold", "runs")
    return Grid(head, tuple(rows))


def arm_grid(means: Sequence[ArmMean], source: str) -> Grid:
    """Table of arms averaged over their training runs, with the source group first."""
    groups = list(dict.fromkeys([source, *(group for mean in means for group in mean.gain)]))
    several = len({mean.arm for mean in means}) < len(means)
    rows = []
    for mean in means:
        trained = several and not math.isnan(mean.learning_rate)
        label = name(mean.arm) + (f" at {mean.learning_rate:g}" if trained else "")
        rows.append(
            (
                label,
                views.digits(mean.runs),
                _over_runs(mean.gain.get(source)),
                _over_runs(mean.retention),
                *(_over_runs(mean.gain.get(group)) for group in groups[1:]),
                _over_runs(mean.shift.get("kl"), 3),
                _over_runs(mean.shift.get("d_layerwise"), 2),
                views.cost("seconds", mean.seconds),
            )
        )
    head = ("arm", "runs", f"{words.group_name(source)} (source)", "retention")
    others = tuple(words.group_name(group) for group in groups[1:])
    return Grid((*head, *others, "KL(tuned ‖ base)", "PCA shift", "time per run"), tuple(rows))


def _over_runs(found: RunMean | None, places: int = 1) -> str:
    """``+16.9 (13.2 to 20.5)``; only the mean if there are too few runs."""
    if found is None:
        return "n/a"
    mean = words.signed(found.mean, places)
    return mean if found.ci is None else f"{mean} ({words.interval(found.ci, places)})"
