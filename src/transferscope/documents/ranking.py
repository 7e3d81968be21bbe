"""``rank``: tuned models in order, what tells neighbours apart, and what a router would gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ..core.typed_record import Bounds, record
from .comparison import PlanePoint
from .short_table import Shown

Kept = Literal["kept", "open", "lost"]


@record()
class PublishedContrast:
    """A published model of the same base: the change here minus the change there, in points.

    The paper prints no answers, so a contrast with it has no interval.
    """

    model: str
    method: str
    gain: float
    retention: float


@record()
class Placement:
    """Places (1 is the best) by source gain and by retention among ``of`` models, this one in."""

    gain: int
    retention: int
    of: int
    same_base: tuple[PublishedContrast, ...]


@record()
class RankedModel:
    """One model's place. ``gain``: change of the source group; ``retention``: of the other groups.

    ``kept``: "kept" where every other group's lower 95 % bound lies above minus the allowed loss,
    "lost" where one's upper bound lies below it, else "open" (also without any bound, and where
    both runs have ``not_judged`` benchmarks, in no group, or ``incomparable`` ones, or the base has
    ``missing`` ones outside the source that the model lacks: what was lost there nobody saw).
    ``worst`` is the group that decides, ``because`` what made its change, where it is not clean
    answers alone. ``pareto``: no other model is at least as good at both and better at one, by the
    estimates. ``tokens``: mean tokens an answer, ``None`` where no run recorded them.
    """

    model: str
    gain: float | None
    gain_ci: Bounds
    retention: float | None
    retention_ci: Bounds
    kept: Kept
    worst: str
    pareto: bool
    tokens: float | None
    placement: Placement | None
    not_judged: tuple[str, ...] = ()
    incomparable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    because: str = ""


@record(derived=("change",))
class ContrastPoint(PlanePoint):
    """The difference of two tuned models' changes, with its interval and test."""

    @property
    def change(self) -> float:
        """The difference in points, as ``gain`` is: in ``retention`` that name would mislead."""
        return self.gain


@record()
class Contrast:
    """``first`` minus ``second``, neighbours in the order, on the items both answered; points."""

    first: str
    second: str
    gain: ContrastPoint | None
    retention: ContrastPoint | None


@record()
class Router:
    """Score of the router and of the best single model, percent, both on items not chosen on.

    A score is the mean over groups of the mean over a group's benchmarks. ``gain`` is their
    difference in points, ``ci`` its 95 % interval with choices made anew. It speaks of routers
    chosen in this way on so many items, whichever models they choose. ``choices``: per
    benchmark the share of folds (0..1) in which it went to each model; ``single_choices`` the same
    for the best single model. ``left_out`` are benchmarks that not all models answered item by
    item, or with fewer clusters than folds.
    """

    score: float
    single: float
    gain: float
    ci: Bounds
    choices: Mapping[str, Mapping[str, float]]
    single_choices: Mapping[str, float]
    folds: int
    left_out: tuple[str, ...]


@record(shows=False)
class Ranking(Shown):
    """The order, what tells neighbours apart, and the router. ``base_tokens`` as ``tokens``."""

    base: str
    suite: str
    source: str
    allowed_loss: float
    order: tuple[RankedModel, ...]
    contrasts: tuple[Contrast, ...]
    router: Router | None
    base_tokens: float | None
    differences: tuple[str, ...] = ()
    schema: Literal[1] = 1

    def _title(self) -> str:
        return f"{len(self.order)} tuned from {self.base}, best first"

    def _table(self) -> tuple[Sequence[str], list[Sequence[str]]]:
        return ("model", "gain, points", "retention, points", "kept"), [
            (row.model, _points(row.gain), _points(row.retention), row.kept) for row in self.order
        ]


def _points(change: float | None) -> str:
    return "not compared" if change is None else f"{change:+.1f}"
