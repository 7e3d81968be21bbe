"""Metrics or filters of one benchmark that disagree about a change. No numpy.

Harnesses score the same answers in several ways: lm-eval's ``exact_match`` requires one form of
answer with the filter ``strict-match`` and takes the last number with ``flexible-extract``. If the
strict score falls and the lenient one does not, the format changed, not the ability.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from .standing import Standing
from .typed_record import record

MINUS = "\u2212"
AGREEING = 1.0 / 3.0
"""Two metrics agree if the smaller change is at least this share of the larger one."""
STAYS = 0.1
"""The lenient score counts as unchanged up to this share of the strict score's change."""
SHOWN_ERRORS = 3.0
"""The change of an untested metric counts from this number of standard errors on."""
Scores = Mapping[str, Mapping[str, float]]
"""Benchmark -> metric ("metric,filter") -> score, 0..1; the first metric is the compared one."""
_STRICT = re.compile(r"strict", re.IGNORECASE)
_LENIENT = re.compile(r"flexible|loose|lenient|relaxed", re.IGNORECASE)


@record(derived=("sentence",))
class Disagreement:
    """A metric that moved, and another one on the same answers that did not; in points.

    ``format``: the metric that moved is the strict variant of the other. ``compared``: the metric
    whose scores the comparison uses.
    """

    benchmark: str
    moved: str
    moved_by: float
    other: str
    other_by: float
    compared: str
    format: bool

    @property
    def difference(self) -> float:
        """The part of the compared metric's change, in points, that the other does not share."""
        mine, theirs = self.moved_by, self.other_by
        return mine - theirs if self.compared == self.moved else theirs - mine

    @property
    def sentence(self) -> str:
        """One clause: ``strict-match falls 61.0 points but flexible-extract changes by +0.3: ...``.

        It does not name the benchmark.
        """
        moved, other = _names(self.moved, self.other)
        if self.format:
            meaning = _meaning(self.moved_by, self.other_by)
        elif _metric(self.moved) == _metric(self.other):
            meaning = "the change depends on how the answers are read"
        else:
            meaning = "the change depends on the metric"
        return f"{moved} {_moves(self.moved_by)} but {other} {_stays(self)}: {meaning}"


def disagreements(
    base: Scores, tuned: Scores, judged: Mapping[str, tuple[Standing, int | None]]
) -> tuple[Disagreement, ...]:
    """At most one per benchmark of ``judged`` (standing of its change, number of items).

    The larger change must be shown: by its standing if it is the compared metric's, otherwise by
    three standard errors of two independent proportions. Among several metrics, one that applies
    another filter to the same answers is preferred, then the one that differs most.
    """
    found = []
    for name, (standing, n) in judged.items():
        before, after = base.get(name, {}), tuned.get(name, {})
        compared = next(iter(before), None)
        if compared is None or compared != next(iter(after), None):
            continue
        change_of = {m: 100.0 * (after[m] - before[m]) for m in before if m in after}
        pairs = [_pair(name, compared, m, change_of) for m in change_of if m != compared]
        errors = {m: _error(before[m], after[m], n) for m in change_of}
        shown = [
            pair
            for pair in pairs
            if _apart(pair)
            and (
                standing in ("gain", "loss")
                if pair.moved == compared
                else abs(pair.moved_by) > SHOWN_ERRORS * errors[pair.moved]
            )
        ]
        found += sorted(shown, key=lambda pair: (not pair.format, -abs(pair.difference)))[:1]
    return tuple(found)


def format_share(found: Sequence[Disagreement], share_B: Mapping[str, float]) -> float:
    """Points of a mean change, over benchmarks with these shares, that are due to format."""
    return math.fsum(share_B.get(d.benchmark, 0.0) * d.difference for d in found if d.format)


def _pair(name: str, compared: str, metric: str, change_of: Mapping[str, float]) -> Disagreement:
    moved, other = compared, metric
    if abs(change_of[metric]) > abs(change_of[compared]):
        moved, other = metric, compared
    strict = bool(_STRICT.search(_filter(moved)) or _LENIENT.search(other))
    return Disagreement(
        benchmark=name,
        moved=moved,
        moved_by=change_of[moved],
        other=other,
        other_by=change_of[other],
        compared=compared,
        format=strict and _stem(moved) == _stem(other) and not _LENIENT.search(moved),
    )


def _apart(pair: Disagreement) -> bool:
    along = pair.other_by * math.copysign(1.0, pair.moved_by)
    return along < AGREEING * abs(pair.moved_by) - 1e-9


def _error(before: float, after: float, n: int | None) -> float:
    """Standard error in points of the difference of two independent proportions."""
    if not n:
        return math.inf
    return 100.0 * math.sqrt((before * (1.0 - before) + after * (1.0 - after) + 1.0 / n) / n)


def _metric(key: str) -> str:
    return key.partition(",")[0]


def _filter(key: str) -> str:
    """The filter; without one the full name, for example "prompt_level_strict_acc"."""
    metric, _, filter_ = key.partition(",")
    return metric if filter_ in ("", "none") else filter_


def _stem(key: str) -> str:
    """The metric without words for strictness: keys with equal stems score the same answers."""
    return _LENIENT.sub("", _STRICT.sub("", _metric(key)))


def _names(moved: str, other: str) -> tuple[str, str]:
    """Names that tell the two apart: the filters of one metric, otherwise the metrics."""
    if _metric(moved) == _metric(other):
        return _filter(moved), _filter(other)
    if _filter(moved) == _filter(other):
        return _metric(moved), _metric(other)
    return moved.removesuffix(",none"), other.removesuffix(",none")


def _meaning(strict: float, lenient: float) -> str:
    """What the strict score's change means, given the lenient one's."""
    if abs(lenient) <= STAYS * abs(strict):
        return "a change of format, not of ability"
    if strict * lenient < 0:
        return "the format hides a change the other way"
    return "mostly a change of format"


def _moves(points: float) -> str:
    return f"{'falls' if points < 0 else 'rises'} {abs(points):.1f} points"


def _stays(found: Disagreement) -> str:
    text = f"{found.other_by:+.1f}".replace("-", MINUS)
    return f"changes by {'0.0' if text[1:] == '0.0' else text}"
