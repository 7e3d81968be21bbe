"""Words for numbers, shared by the page, the Markdown and the terminal.

A change is *established* if its test's p is below 0.05, which is exactly when its 95 % interval
excludes 0. For one benchmark among several, Holm's corrected p must be below 0.05; if only its own
p is, the change is *suggested*. An open change is never called "no loss": the words say how large a
change could have gone unseen. :mod:`transferscope.core.changes` has the rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.attribution import parts
from ..core.groups import group_name as group_name  # noqa: PLC0414 - the reports take it from here
from ..core.standing import ALPHA, Standing
from .escaping import minus, name

if TYPE_CHECKING:
    from ..core.attribution import Attribution
    from ..core.index import IndexResult
    from ..documents.comparison import BenchmarkChange, PlanePoint, TunedResult

MINUS = "\u2212"
STANDING_WORDS: Mapping[Standing, str] = {
    "gain": "gain established",
    "loss": "loss established",
    "gain suggested": "gain suggested",
    "loss suggested": "loss suggested",
    "open": "no change established",
    "too few": "too few to tell",
    "unknown": "unknown",
}

COVERAGE = (
    "Robust TI has a percentile interval. Instead of 95 times in 100, it contains the true value "
    "91 to 99 times with 100 items or more, and 83 to 95 times with 20 items. Linear TI has a "
    "Fieller interval, made for the ratio of two uncertain numbers: 94 to 97 and 87 to 96 times. "
    "Where the two differ, trust the linear one."
)
TERMS = (
    "Retention: the mean change over all groups but the one the model was tuned for; below 0, it "
    "forgot. DI: one number for a group's changes, weighted by how far the base was from 100 %. "
    "TI: a group's DI in percent of the source's. Scale unit: changes are in points, not divided "
    "by a spread."
)
"""Explains the terms on the first screen to a new reader."""
MEASURES = {
    "overview": (
        "Gain is the mean change on the benchmarks that the models were tuned for. Retention is "
        "the mean change on all other groups; below 0 the model forgot. Both are in points, that "
        "is, percentage points of the score."
    ),
    "plane": (
        "Two numbers summarise a tuning. Source gain is the mean change, in points (percentage "
        "points of the score), on the group of benchmarks that the model was tuned for. Retention "
        "is the mean change on all other groups: 0 means that nothing changed there, below 0 that "
        "the model forgot. Each model is a point in this plane. Right: learned more. Up: forgot "
        "less."
    ),
    "interval": (
        "A 95 % interval is the range of changes that are consistent with the data: if other "
        "questions of the same kind were drawn again and again, about 95 of 100 such intervals "
        "would contain the true change."
    ),
    "index": (
        "The Transferability Index (TI) says how much of the source's gain shows up elsewhere: 100 "
        "% means as much as on the source, 0 % nothing, below 0 % a loss. It is the ratio of two "
        "domain indices (DI). A DI sums up the changes of a group's benchmarks in one number, each "
        "weighted by how far the base was from 100 %. The ratio does not show how large the gain "
        "was, so read the plane first."
    ),
    "definitions": (
        "The robust index takes the square root of each change, so that one large change weighs "
        "less. Its scale is what changes are divided by first; the scale unit leaves them in "
        "points. The linear index uses the changes as they are. Its Fieller interval is made for "
        "the ratio of two uncertain numbers: where the gain is small, it becomes very wide or "
        "unbounded."
    ),
    "benchmarks": (
        "Both models answer the same questions, so each change is tested question by question. "
        "The interval and p refer to the benchmark by itself; Holm's p corrects for looking at "
        "many at once. A change is established if Holm's p is below 0.05, and suggested if only "
        "its own p is. MDE, the minimum detectable effect, is the smallest change that this test "
        "shows with 80 % power."
    ),
    "artefacts": (
        "An artefact is an answer that failed for its form (cut off, empty, caught in a loop), "
        "which says little about what the model knows. Answered is the share of questions with a "
        "complete answer that could be read."
    ),
    "arms": (
        "An arm is one way of training (say, supervised or reinforcement learning), run several "
        "times with different random seeds. The table shows means over its runs, in points, with "
        "95 % intervals in brackets that include the spread of the runs and the questions' "
        "uncertainty; with fewer than three runs there is none. The time per run is CPU time if "
        "all arms trained on the CPU, else wall-clock time."
    ),
    "claims": (
        "Thresholds were fixed before the first run. Intervals are over training runs (seeds) and "
        "include the questions' uncertainty (for ratios only the runs', because all models read "
        "the same texts). Fewer than three runs don't decide a claim. A contradiction is a result."
    ),
    "weights": (
        "How much of the model the tuning changed: the share of weights that moved by more than "
        "1e-5, the share that differs when both models are stored in bfloat16, the norm of the "
        "change relative to the base's, and its mean stable rank (1: one direction per matrix)."
    ),
    "predictors": (
        "Do shifts inside a model predict how much it lost elsewhere? Every run of the study and "
        "every kept checkpoint is a point; its drop is minus its retention. Trust the R² on "
        "left-out runs: below 0, predicting the mean of the other runs does better. Intervals "
        "resample runs and are not given for fewer than five."
    ),
    "selection": (
        "Clean items are easier than the rest, so the change on clean items shows where the plain "
        "change comes from; it is not a corrected score."
    ),
    "robustness": (
        "An index depends on debatable choices: how benchmarks are weighted, which are included, "
        "how gains become one number. A finding that depends on one of these choices is weak."
    ),
    "specifications": (
        "Weight is a benchmark's share of its group, by the base's headroom. Without it: the index "
        "with this benchmark left out. A specification consists of a definition (how changes "
        "become one number), a scale (what a change is divided by; unit: not divided) and a "
        "weighting; the first is the default. A scale multiplies an index and doesn't change its "
        "sign. These are point estimates; the intervals are above."
    ),
    "flips": (
        "A flip is a question whose verdict changed: lost (right before, wrong after) or won (the "
        "reverse). Equal scores can hide many flips."
    ),
    "hidden": (
        "PCA shift: how far the tuning moved the model's inner representation of the same texts, "
        "along the two main directions of the base model, layer by layer."
    ),
    "distances": (
        "d_layerwise does not depend on the arbitrary signs of the components, so read it first. "
        "d_paper is the paper's distance, in which shifts of opposite sign cancel; d_paper_max is "
        "its upper bound. CKA is the similarity of two layers (1: identical)."
    ),
    "tokens": (
        "Token shift: both models read the same text, and at every position their probabilities "
        "for the next token are compared. KL is how surprised one model is by the other, in nats; "
        "JS is a symmetric, bounded variant (at most 0.69)."
    ),
    "shifted": (
        "A positive shift means that the tuned model ranks the token higher than the base does."
    ),
    "training": "What the optimiser reported at each step.",
}


NO_AXIS = "In the other layers the base's states are the same for all texts, so there is no axis."
"""Explains why a layer is left out of the distances."""
INFINITE = (
    "At n_infinite positions one model gives probability 0 to a token that the other allows. The "
    "KL is infinite there, and so is its mean."
)
"""Explains an infinite KL."""


def number(value: float | None, digits: int = 1) -> str:
    """``12.3``; infinities as ``∞``, a missing or undefined value as ``n/a``."""
    if value is None or math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{value:.{digits}f}"
    if text.startswith("-"):
        return text[1:] if float(text) == 0 else MINUS + text[1:]
    return text


def signed(value: float | None, digits: int = 1) -> str:
    """``+12.3``, ``−0.4``, ``0.0``."""
    text = number(value, digits)
    if value is None or not value > 0 or float(f"{value:.{digits}f}") == 0:
        return text
    return f"+{text}"


def interval(ci: tuple[float, float] | None, digits: int = 1) -> str:
    """``8.0 to 16.4``; an infinite bound is written "unbounded"."""
    if ci is None or math.isnan(ci[0]):
        return "no interval"
    low, high = ci
    left = "unbounded" if low == -math.inf else number(low, digits)
    right = "unbounded" if high == math.inf else number(high, digits)
    return f"{left} to {right}"


def p_value(p: float) -> str:
    """``0.012``, or ``<0.001``."""
    return "n/a" if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"


def change(
    what: str, point: PlanePoint, made_by: Attribution | None = None, *, reservation: str = ""
) -> str:
    """One change as a sentence without its full stop, with the answers that caused it.

    ``reservation``: a qualification of a change that is shown.

    >>> change("math", PlanePoint(12.3, (8.0, 16.4), p=0.001, p_holm=0.001))
    'gained 12.3 points on math (95 % interval 8.0 to 16.4): gain established'
    """
    said, gain = point.standing, point.gain
    if said == "unknown":
        return (
            f"changed by {signed(gain)} points on {what} (no interval, so nothing is established)"
        )
    around = f"95 % interval {interval(point.ci)}"
    told = STANDING_WORDS[said]
    split = parts(made_by) if made_by is not None and made_by.notable else ""
    beside = f", {split}" if split else ""
    if said in ("gain", "loss"):
        if made_by is not None and made_by.notable and made_by.clean_established is False:
            told = f"{told}, but not on clean answers alone"
        if reservation:
            told = f"{told}, {reservation}"
        if said == "gain":
            return f"gained {number(gain)} points on {what}{beside} ({around}): {told}"
        size = number(abs(gain))
        return f"lost {size} points on {what}{beside} (change {signed(gain)}, {around}): {told}"
    start = f"changed by {signed(gain)} points on {what} ({around})"
    beside = f"; {split}" if split else ""
    if said == "too few":
        few = f"too few questions to establish anything ({smallest(point.smallest_p)})"
        return f"{start}: {few}{beside}"
    if said != "open":
        alone = f"p {p_value(point.p)} by itself, {p_value(point.p_holm)} after Holm's correction"
        reserved = f", {reservation}" if reservation else ""
        return f"{start}: {told}, not established ({alone}){reserved}{beside}"
    return f"{start}: {told}{beside}; {unseen(point.mde)}"


def smallest(p: float) -> str:
    """``the smallest possible p is 0.25``."""
    return f"the smallest possible p is {p:.3g}"


def unseen(mde: float | None) -> str:
    """How large a change could have gone unseen."""
    if mde is None:
        return "no change of any size could have been seen reliably"
    return f"a change below {number(mde)} points could not have been seen reliably"


def mde(row: BenchmarkChange) -> str:
    """The minimum detectable effect of a row; ``none`` if no change could be shown."""
    return "n/a" if math.isnan(row.p) else "none" if row.mde is None else number(row.mde)


def count(n: int | None) -> str:
    """A number of items; ``n/a`` if it is unknown."""
    return "n/a" if n is None else str(n)


def limits(result: TunedResult) -> list[str]:
    """Sentences on benchmarks with too few questions, for all rows of a model together."""
    tested = [row for row in result.benchmarks if not math.isnan(row.p)]
    few = [row for row in tested if row.standing == "too few"]
    out = []
    if few:
        least = min(row.smallest_p for row in few)
        out.append(
            f"Too few {_units(few)} to establish anything on {_names(few)}: {smallest(least)}."
        )
    barred = [r for r in tested if r not in few and r.smallest_p * len(tested) >= ALPHA]
    if barred:
        least = min(row.smallest_p for row in barred) * len(tested)
        out.append(
            f"Too few {_units(barred)} to establish anything on {_names(barred)} "
            f"after Holm's correction for {len(tested)} benchmarks, unless changes on others are "
            f"established too: {smallest(least)}."
        )
    return out


def _units(rows: Sequence[BenchmarkChange]) -> str:
    """The unit that limits p: n questions allow p = 2^(1 - n), fewer clusters only larger ones."""
    alone = all(row.n is not None and row.smallest_p <= 2.001 * 0.5**row.n for row in rows)
    return "questions" if alone else "clusters"


def _names(rows: Sequence[BenchmarkChange]) -> str:
    return ", ".join(name(row.benchmark) for row in rows)


def interval_standing(ci: tuple[float, float]) -> Standing:
    """The verdict from a 95 % interval that has no test of its own."""
    return "gain" if ci[0] > 0 else "loss" if ci[1] < 0 else "open"


def index_label(suite: str) -> str:
    """``mini-TI`` for the offline suite, whose index is never ranked in the published cohort."""
    return "mini-TI" if suite == "mini" else "TI"


def index_note(suite: str) -> str | None:
    """A note on this suite's index, if it needs one."""
    if suite == "mini":
        return (
            "mini-TI is the index on the offline mini suite. It can't be compared with the "
            "published models, which were scored on other benchmarks."
        )
    return None


def index_value(result: IndexResult, group: str) -> str:
    """``41 % (95 % interval 12 to 80)`` or ``undefined: why``."""
    value = result.ti.get(group)
    if value is None:
        return f"undefined: {minus(result.undefined_reason.get(group, 'no reason recorded'))}"
    ci = result.ci.get(group)
    if ci is None and group in result.no_interval:
        return f"{number(value, 0)} % (no interval: {result.no_interval[group]})"
    around = "no interval" if ci is None else f"95 % interval {interval(ci, 0)}"
    return f"{number(value, 0)} % ({around})"
