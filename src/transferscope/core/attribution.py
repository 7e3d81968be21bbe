"""Attribution of a change to flagged answers (failures of form) and clean answers. No numpy.

A change in points is the sum of three parts: items with a flagged answer, items whose answers are
clean on both sides, and benchmarks whose answers were not kept. The parts have the same weights as
the change, so that they add up to it. The mean change over the clean items alone is a different,
larger number.

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
"""Flagged answers are mentioned if they carry at least this share of the change."""
LEAST = 1.0
"""If the change is not established, flagged answers must carry at least this many points."""
NAMED_SHARE = 0.2
"""A flag is named if it carries at least this share of the flagged points."""
MINUS = "\u2212"
FLAG_WORDS: Mapping[str, str] = {
    "truncated": "were cut off",
    "stop_cut": "were cut by a stop string",
    "empty": "were empty",
    "looped": "ran in a loop",
    "unclosed_think": "never closed their reasoning",
    "prompt_echo": "repeated the prompt",
    "role_leak": "continued in another role",
    "extraction_failed": "had no extractable final answer",
    "tied": "tied with another option",
}
"""What happened to an answer with this flag; follows the words "answers that"."""


@record(derived=("clean_points", "clean_established", "because"))
class Attribution:
    """A change in points and its parts; ``flagged + clean_points + unknown`` equals ``change``.

    ``flagged``: points from items with a flagged answer on either side. ``by_flag`` splits them: an
    item's share goes in equal parts to the flags of the answer that caused it (if both answers are
    flagged, of the wrong one). ``of_base``: the share (0..1) of them caused by the base model's
    answers, as in a gain where its answers were cut off. ``flagged_n`` of ``n`` items are flagged.
    ``unknown``: points from benchmarks with scores only. ``clean_p``: p of the row's own test on
    the clean part alone (NaN: not tested), after Holm's correction if the row has one.
    ``standing``: what is shown of the whole change.
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
        """The part of the change from items whose answers are clean on both sides."""
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
        """Whether the change must be reported together with its flagged part.

        True if flagged answers carry at least a third of it, or if the change is established but
        its clean part alone is not.
        """
        if not self.flagged_n:
            return False
        large = abs(self.flagged) >= NOTABLE * abs(self.change) - 1e-9 and self.flagged != 0
        if not self.established:
            return large and abs(self.flagged) >= LEAST
        return large or self.clean_established is False

    @property
    def share(self) -> float:
        """The flagged part as a share of the change; NaN if there is no change."""
        return self.flagged / self.change if self.change else math.nan

    @property
    def because(self) -> str:
        """The explanatory clause; see :func:`because`."""
        return because(self)


@record()
class Causes:
    """The attributions of one tuned model: per benchmark, per group, and for the retention."""

    benchmarks: Mapping[str, Attribution]
    groups: Mapping[str, Attribution]
    retention: Attribution | None = None


def because(found: Attribution) -> str:
    """One clause that explains a change in points; empty if clean answers account for it."""
    if not found.notable:
        return ""
    total = add_up(found.change, [found.flagged, found.clean_points, found.unknown])[0]
    if _nested(found):
        return f"{abs(total):.1f} points {_verb(total)}, {parts(found)}{_on_clean(found)}"
    return f"{parts(found)}{_on_clean(found)}"


def parts(found: Attribution) -> str:
    """``20.0 of them in answers that were cut off and 2.4 in clean answers``.

    If the parts have different signs: what each of them lost or gained.
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
    """``answers that were cut off``, with "of the base" or "of either model" where it applies.

    The model is named if the base's answers cause at least :data:`NAMED_SHARE` of the points.
    Without a name, the answers are the tuned model's.
    """
    whose = ""
    if found.of_base >= NAMED_SHARE:
        whose = " of the base" if found.of_base > 1.0 - NAMED_SHARE else " of either model"
    return f"answers{whose} that {flag_words(found)}"


def flag_words(found: Attribution) -> str:
    """What happened to the flagged answers, for example ``were cut off or ran in a loop``."""
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
    """Round ``total`` and its ``summands`` to ``digits`` such that they still add up.

    Each is rounded as usual. The remainder goes to the summands that rounding moved most, so that
    none is off by a full unit in the last digit.

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
    """Whether every part has the sign of the change, so that the phrase "of them" applies."""
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
