"""``rank``: tuned models in order, contrasts between neighbours, and the gain from a router."""

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
    """Ranks (1 is best) by source gain and by retention among ``of`` models, including this one."""

    gain: int
    retention: int
    of: int
    same_base: tuple[PublishedContrast, ...]


@record()
class RankedModel:
    """One model's place. ``gain``: change of the source group; ``retention``: of the other groups.

    ``kept``: "kept" if every other group's lower 95 % bound is at least minus the allowed loss,
    "lost" if the upper bound of one of them is below it, else "open". It is also "open" without
    any bound, and if a loss may be hidden in benchmarks that were not judged: ``not_judged`` ones,
    which are in no group, ``incomparable`` ones, and ``missing`` ones outside the source, which
    only the base has. ``worst`` is the deciding group, ``because`` what caused its change if clean
    answers alone did not. ``pareto``: by the estimates, no other model is at least as good at both
    and better at one. ``tokens``: mean tokens per answer, ``None`` if they were not recorded.
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
    """Scores of the router and of the best single model on held-out items, in percent.

    A score is the mean over groups of the mean over a group's benchmarks. ``gain`` is their
    difference in points, ``ci`` its 95 % interval with choices repeated. It applies to routers
    chosen in this way on this number of items, whichever models they choose. ``choices``: for
    each benchmark the share of folds (0..1) in which it went to each model; ``single_choices``: the
    share of folds in which each model was the best single one. ``left_out``: benchmarks that not
    all models answered item by item, or with fewer clusters than folds.
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
    """The order, contrasts between neighbours, and the router. ``base_tokens``: as ``tokens``."""

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
