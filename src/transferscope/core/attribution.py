"""What made a change: answers that failed for their form, or clean ones. No numpy.

A change in points is the sum of what lies in items with a flagged answer, what lies in items whose
answers are clean on both sides, and what lies in benchmarks without kept answers. The three
are weighted as the change is, so that they add up to it; the mean change of the clean items by
themselves is another number, and larger.

>>> cut = Attribution(-22.4, -20.0, {"truncated": -20.0}, 40, 125, clean_p=0.45, standing="loss")
>>> because(cut)
'22.4 points lost, 20.0 of them in answers that were cut off and 2.4 in clean answers; on clean \
answers alone no loss is established'
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .standing import ALPHA, Standing
from .typed_record import Known, record

NOTABLE = 1.0 / 3.0
"""Share of a change from which on flagged answers are named beside it."""
LEAST = 1.0
"""Points that flagged answers must carry to be named beside a change that is not established."""
NAMED_SHARE = 0.2
"""Share of the flagged points from which on a flag is named by itself."""
MINUS = "\u2212"
FLAG_WORDS: Mapping[str, str] = {
    "truncated": "were cut off",
    "stop_cut": "were cut by a stop string",
    "empty": "were empty",
    "looped": "ran in a loop",
    "unclosed_think": "never closed their reasoning",
    "prompt_echo": "repeat the prompt",
    "role_leak": "continue in another role",
    "extraction_failed": "contain no answer that could be extracted",
}
"""What happened to an answer with this flag, after "answers that"."""


@record(derived=("clean_points", "clean_established", "because"))
class Attribution:
    """A change in points and its parts; ``flagged + clean_points + unknown`` is ``change``.

    ``flagged``: from items with a flagged answer on either side. ``by_flag`` splits it: an item's
    share goes to the flags of the answer that made it (of two flagged ones, the wrong one's), in
    equal parts. ``of_base``: the share (0..1) of that which the base's answers made, as in a gain
    where its own were cut off. ``flagged_n`` of ``n`` items are flagged. ``unknown``: from
    benchmarks of which only scores are known. ``clean_p``: the row's own test on the clean part
    alone (NaN: not tested), after Holm's correction where the row has one. ``standing``: of the
    whole change.
    """

    change: float
    flagged: float
    by_flag: Mapping[str, float]
    flagged_n: int
    n: int
    clean_p: Known = math.nan
    standing: Standing = "open"
    unknown: float = 0.0
    of_base: float = 0.0

    @property
    def clean_points(self) -> float:
        """The part of the change that lies in items whose answers are clean on both sides."""
        return self.change - self.flagged - self.unknown

    @property
    def clean_established(self) -> bool | None:
        """Whether the clean part alone establishes a change that way; ``None``: not tested."""
        if math.isnan(self.clean_p):
            return None
        return self.clean_p < ALPHA and self.clean_points * self.change > 0

    @property
    def established(self) -> bool:
        """Whether the whole change is established."""
        return self.standing in ("gain", "loss")

    @property
    def notable(self) -> bool:
        """Whether the change must not be told without its flagged part.

        Flagged answers carry a third of it or more, or it is established and its clean part is not.
        """
        if not self.flagged_n:
            return False
        large = abs(self.flagged) >= NOTABLE * abs(self.change) - 1e-9 and self.flagged != 0
        if not self.established:
            return large and abs(self.flagged) >= LEAST
        return large or self.clean_established is False

    @property
    def share(self) -> float:
        """The flagged part over the change; NaN without a change."""
        return self.flagged / self.change if self.change else math.nan

    @property
    def because(self) -> str:
        """The clause of :func:`because`."""
        return because(self)


@record()
class Causes:
    """The attributions of one tuned model: by benchmark, by group, and of the retention."""

    benchmarks: Mapping[str, Attribution]
    groups: Mapping[str, Attribution]
    retention: Attribution | None = None


def because(found: Attribution) -> str:
    """One clause on what made a change, in points; empty where clean answers made it."""
    if not found.notable:
        return ""
    total = add_up(found.change, [found.flagged, found.clean_points, found.unknown])[0]
    if _nested(found):
        return f"{abs(total):.1f} points {_verb(total)}, {parts(found)}{_on_clean(found)}"
    return f"{parts(found)}{_on_clean(found)}"


def parts(found: Attribution) -> str:
    """``20.0 of them in answers that were cut off and 2.4 in clean answers``.

    Where the parts have different signs: what each of them lost and gained.
    """
    _, flagged, clean, unknown = add_up(
        found.change, [found.flagged, found.clean_points, found.unknown]
    )
    answers = flagged_answers(found)
    if _nested(found):
        said = [f"{abs(flagged):.1f} of them in {answers}"]
        said += [f"{abs(clean):.1f} in clean answers"] if clean or not unknown else []
        said += [f"{abs(unknown):.1f} where no answers were kept"] if unknown else []
    else:
        said = [f"{answers} {_moved(flagged)}", f"clean answers {_moved(clean)}"]
        said += [f"benchmarks without kept answers {_moved(unknown)}"] if unknown else []
    *first, last = said
    return f"{', '.join(first)} and {last}" if first else last


def flagged_answers(found: Attribution) -> str:
    """``answers that were cut off``; "of the base" or "of either model" where theirs count.

    Said from :data:`NAMED_SHARE` of the points on; of the tuned model where nothing is said.
    """
    whose = ""
    if found.of_base >= NAMED_SHARE:
        whose = " of the base" if found.of_base > 1.0 - NAMED_SHARE else " of either model"
    return f"answers{whose} that {flag_words(found)}"


def flag_words(found: Attribution) -> str:
    """What happened to the flagged answers: ``were cut off or ran in a loop``."""
    total = sum(abs(points) for points in found.by_flag.values())
    ranked = sorted(found.by_flag.items(), key=lambda item: (-abs(item[1]), item[0]))
    named = [flag for flag, points in ranked if abs(points) >= NAMED_SHARE * total > 0]
    named = named or [flag for flag, _ in ranked[:1]]
    said = [FLAG_WORDS.get(flag, f"are flagged {flag}") for flag in named]
    if any(points for flag, points in ranked if flag not in named):
        said.append("failed in another way")
    *first, last = said or ["were flagged"]
    return f"{', '.join(first)} or {last}" if first else last


def add_up(total: float, summands: Sequence[float], *, digits: int = 1) -> list[float]:
    """``total`` and its ``summands`` rounded to ``digits`` so that they still add up.

    Each is rounded as usual; what is missing goes to those that rounding moved most, so that none
    is off by a whole last digit.

    >>> add_up(-0.3, [-0.15, -0.15])
    [-0.3, -0.1, -0.2]
    """
    unit = 10**digits
    scaled = [value * unit for value in summands]
    near = [round(value) for value in scaled]
    whole = round(float(f"{total:.{digits}f}") * unit)
    step = 1 if whole > sum(near) else -1
    order = sorted(range(len(near)), key=lambda at: (step * (near[at] - scaled[at]), at))
    for at in order[: abs(whole - sum(near))]:
        near[at] += step
    return [whole / unit, *(value / unit for value in near)]


def _nested(found: Attribution) -> bool:
    """Whether every part points the same way as the change, so that "of them" can be said."""
    sizes = (found.flagged, found.clean_points, found.unknown)
    return all(part * found.change > -1e-9 for part in sizes) and found.change != 0


def _on_clean(found: Attribution) -> str:
    if not found.established or found.clean_established is not False:
        return ""
    return f"; on clean answers alone no {found.standing} is established"


def _verb(points: float) -> str:
    return "lost" if points < 0 else "gained"


def _moved(points: float) -> str:
    return f"{_verb(points)} {abs(points):.1f} points" if points else "did not change it"
