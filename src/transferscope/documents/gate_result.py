"""``gate``: PASS, REGRESSED or INCONCLUSIVE, and the guards that decide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Literal

from ..core.typed_record import record
from .short_table import Shown

Verdict = Literal["PASS", "REGRESSED", "INCONCLUSIVE"]
Tier = Literal["critical", "supporting", "advisory"]


@record()
class Guard:
    """One guarded quantity compared with one reference; ``change`` and ``bound`` in points.

    ``bound`` is the one-sided 95 % lower bound of ``test``, ``p`` that of "the drop exceeds the
    margin" after Holm's correction (``None``: not tested), ``detectable`` the drop that could have
    been detected with 80 % power. ``why`` is the reason of an inconclusive verdict. ``artefacts``
    says, for any verdict, that too many answers are artefacts or that their number is unknown.
    ``flagged`` says what caused a loss, if clean answers alone did not: flagged answers, in points,
    or one way of reading the answers while another does not show the loss. ``members``: change in
    points of every benchmark behind a guard over several.
    """

    name: str
    against: str
    tier: Tier
    margin: float
    verdict: Verdict
    change: float | None = None
    bound: float | None = None
    n: int = 0
    test: str = ""
    p: float | None = None
    detectable: float | None = None
    why: str = ""
    artefacts: str = ""
    flagged: str = ""
    members: Mapping[str, float] = field(default_factory=dict)

    @property
    def beside(self) -> str:
        """Remarks that belong to any verdict of the guard."""
        return "; ".join(text for text in (self.artefacts, self.flagged) if text)


@record(shows=False)
class GateResult(Shown):
    """The verdict with its reasons. ``exit_code``: 0 pass, 1 regressed, 3 inconclusive.

    ``unjudged``: benchmarks of both runs that could not be judged, with the reason: their samples
    contradict their results, or they are in no group and the policy doesn't ignore that.
    ``unguarded``: benchmarks in a group that no guard of the policy covers. ``differences``: what
    differs between the runs, as in a comparison.
    """

    model: str
    base: str
    verdict: Verdict
    exit_code: int
    reasons: tuple[str, ...]
    guards: tuple[Guard, ...]
    unjudged: Mapping[str, str] = field(default_factory=dict)
    unguarded: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    schema: Literal[1] = 1

    def _title(self) -> str:
        return f"{self.verdict}: {self.model}"

    def _table(self) -> tuple[Sequence[str], list[Sequence[str]]]:
        return ("guard", "margin", "change, points", "verdict"), [
            (
                f"{guard.name} against {guard.against}",
                f"{guard.margin:.1f}",
                "" if guard.change is None else f"{guard.change:+.1f}",
                guard.verdict,
            )
            for guard in self.guards
        ]
