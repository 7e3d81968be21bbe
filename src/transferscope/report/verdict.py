"""The verdict on one tuned model in sentences, the same in every output.

If a loss is mostly due to answers that failed for their form, or does not appear when the same
answers are read in another way, the headline says so. It also names benchmarks that both inputs
have but that were not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.attribution import add_up, because, flagged_answers
from ..core.disagreement import format_share
from ..core.shown import listed
from .escaping import minus, name, sentence
from .words import change, group_name, index_value

if TYPE_CHECKING:
    from ..core.attribution import Attribution
    from ..core.index import IndexResult
    from ..documents.comparison import PlanePoint, TunedResult
    from ..documents.ranking import RankedModel

SHOWN = 3
"""Number of names listed in the verdict; the tables have all of them."""
LEARNED = {
    "gain": "Better on {}",
    "loss": "Worse on {}",
    "gain suggested": "A gain on {} is suggested, not established",
    "loss suggested": "A loss on {} is suggested, not established",
    "open": "No change established on {}",
    "too few": "Too few questions to judge {}",
    "unknown": "The change on {} can't be judged (no interval available)",
}
KEPT = {
    "gain": "better elsewhere",
    "loss": "worse elsewhere",
    "gain suggested": "a gain elsewhere is suggested, not established",
    "loss suggested": "a loss elsewhere is suggested, not established",
    "open": "no change established elsewhere",
    "too few": "too few questions to judge the rest",
    "unknown": "the change elsewhere can't be judged (no interval available)",
}


def headline(result: TunedResult, source: str) -> str:
    """The verdict in one line: what the model learned, what happened to the rest, and why.

    If no loss is established for all other groups together, single groups with a loss are named.
    """
    causes = result.attribution
    point = result.plane.get(source)
    if point is None:
        learned = f"No {name(group_name(source))} benchmark could be compared"
    else:
        learned = LEARNED[point.standing].format(name(group_name(source)))
        learned += _reservation(result, [source], point, causes.groups.get(source))
    said = [learned]
    kept = result.retention
    if point is not None and kept is not None and point.standing == kept.standing == "unknown":
        where = f"neither the change on {name(group_name(source))} nor the change elsewhere"
        said = [f"No intervals are available, so {where} can be judged"]
        kept = None
    others = [group for group in result.plane if group != source]
    if kept is not None:
        told = KEPT[kept.standing]
        groups_said: list[str] = []
        if kept.standing != "loss":
            groups_said = [
                f"worse on {name(group_name(group))}"
                + _reservation(result, [group], result.plane[group], causes.groups.get(group))
                for group in others
                if result.plane[group].standing == "loss" and len(others) > 1
            ]
        if groups_said:  # the mean and one of its groups differ in verdict
            told, groups_said[0] = f"{told} on average", f"but {groups_said[0]}"
        said.append(told + _reservation(result, others, kept, causes.retention))
        if kept.standing != "loss":
            said += groups_said or _hidden(result, others) or _shown_alone(result, others)
    text = ", ".join(said)
    if missed := not_judged(result):
        text += f"; {missed}"
    if wrong := contradicted(result.contradictions):
        text = f"{wrong} {text}"
    return f"{text}."


def contradicted(found: Mapping[str, str]) -> str:
    """The first sentence if samples contradict the reported results, else nothing.

    It is then unknown which of the two a change is due to.
    """
    if not found:
        return ""
    said = [f"{name(benchmark)} ({name(what)})" for benchmark, what in list(found.items())[:SHOWN]]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    listed = ", ".join(said) + more
    return f"Samples contradict the reported results: {listed}."


def verdicts(result: TunedResult, source: str) -> list[str]:
    """Sentences on the source, the retention, every other group and what caused their changes.

    Benchmarks whose metrics disagree and what could not be compared follow.
    """
    causes = result.attribution
    others = [g for g in result.plane if g != source]
    told = [(_group(g), [g], result.plane[g], causes.groups.get(g)) for g in others]
    if result.retention is not None and len(others) > 1:
        told.insert(0, ("all other groups together", others, result.retention, causes.retention))
    if source in result.plane:
        point = result.plane[source]
        told.insert(0, (_group(source), [source], point, causes.groups.get(source)))
    out = [
        change(what, point, found, reservation=_format(result, groups, point))
        for what, groups, point, found in told
    ]
    sentences = [f"{text[0].upper()}{text[1:]}." for text in out]
    sentences += made_by(result)
    sentences += [
        f"{name(found.benchmark)}: {sentence(found.sentence)}."
        for found in result.disagreements[:SHOWN]
    ]
    if (left := len(result.disagreements) - SHOWN) > 0:
        sentences.append(f"The metrics of {left} more benchmarks disagree; --json lists them.")
    return sentences + _not_compared(result)


def made_by(result: TunedResult) -> list[str]:
    """Sentences on benchmarks whose change is largely due to flagged answers, largest first."""
    notable = [(b, found) for b, found in result.attribution.benchmarks.items() if found.notable]
    notable.sort(key=lambda item: -abs(item[1].flagged))
    out = [
        f"{name(b)}: {because(found)} ({found.flagged_n} of {found.n} items flagged)."
        for b, found in notable[:SHOWN]
    ]
    if (left := len(notable) - SHOWN) > 0:
        out.append(
            f"Flagged answers also account for much of the change on {left} more benchmarks."
        )
    return out


def not_judged(result: TunedResult | RankedModel) -> str:
    """``BoolQ and MMLU are not judged (in both inputs, but in no group; see --map)``, or nothing.

    Benchmarks of both inputs that can't be compared follow; the reasons are given elsewhere.
    """
    clauses = [
        (result.not_judged, "in no group; see --map"),
        (result.incomparable, "not comparable"),
    ]
    return "; ".join(
        f"{listed(names, SHOWN)} {_are(names)} not judged (in both inputs, but {why})"
        for names, why in clauses
        if names
    )


def missing(row: RankedModel) -> str:
    """``drop is not judged (only in the base)``, or nothing."""
    if not row.missing:
        return ""
    return f"{listed(row.missing, SHOWN)} {_are(row.missing)} not judged (only in the base)"


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


def index_sentences(robust: IndexResult, linear: IndexResult | None, label: str) -> list[str]:
    """One sentence per group on its index; groups undefined for the same reason share one.

    If the definitions disagree on what is established, the sentences give both and follow
    ``linear``, whose interval has better coverage (docs/coverage.md).
    """
    differ = index_differences(robust, linear, label)
    undefined: dict[str, list[str]] = {}
    out = []
    for group, value in robust.ti.items():
        if group in differ:
            out.append(differ[group])
        elif value is None:
            why = robust.undefined_reason.get(group, "no reason recorded")
            undefined.setdefault(why, []).append(name(group_name(group)))
        else:
            out.append(f"{label} {name(group_name(group))}: {index_value(robust, group)}.")
    for why, groups in undefined.items():
        out.append(f"{label} {' and '.join(groups)} {_are(groups)} undefined: {minus(why)}.")
    return out


def index_differences(
    robust: IndexResult | None, linear: IndexResult | None, label: str
) -> dict[str, str]:
    """A sentence for every group on which the definitions disagree about what is established."""
    if robust is None or linear is None:
        return {}
    return {
        group: (
            f"{label} {name(group_name(group))}: the definitions disagree. "
            f"Linear: {_index_verdict(linear, group)}. Robust: {_index_verdict(robust, group)}. "
            "Linear decides: its interval has better coverage."
        )
        for group in robust.ti
        if group in linear.ti and _established(robust, group) != _established(linear, group)
    }


def _index_verdict(result: IndexResult, group: str) -> str:
    """``42 % (95 % interval 5 to 69), transfer established``."""
    if result.ti.get(group) is None:
        return f"undefined ({minus(result.undefined_reason.get(group, 'no reason recorded'))})"
    value = index_value(result, group)
    return f"{value}, {_established(result, group)}" if result.ci.get(group) else value


def _established(result: IndexResult, group: str) -> str:
    """What an index shows; equal texts mean equal verdicts."""
    if result.ti.get(group) is None:
        return "undefined"
    ci = result.ci.get(group)
    if ci is None:
        return "no interval"
    if ci[0] > 0:
        return "transfer established"
    return "loss established" if ci[1] < 0 else "neither transfer nor loss established"


def _reservation(
    result: TunedResult, groups: Sequence[str], point: PlanePoint, found: Attribution | None
) -> str:
    """A qualification in brackets after a change that flagged answers or their format caused."""
    if point.standing not in ("gain", "loss", "gain suggested", "loss suggested"):
        return ""
    if by_format := _format(result, groups, point):
        return f" ({by_format})"
    if found is None or not found.notable:
        return ""
    total, flagged, *_ = add_up(found.change, [found.flagged, found.clean_points, found.unknown])
    verb = "lost" if total < 0 else "gained"
    clean = ""
    if found.established and found.clean_established is False:
        clean = "; not established on clean answers"
    answers = f"in {flagged_answers(found)}"
    if flagged * total > 0 and abs(flagged) <= abs(total):
        return f" ({abs(flagged):.1f} of the {abs(total):.1f} points {verb} {answers}{clean})"
    return f" ({'lost' if flagged < 0 else 'gained'} {abs(flagged):.1f} points {answers}{clean})"


def _hidden(result: TunedResult, groups: Sequence[str]) -> list[str]:
    """The benchmark with an established loss from flagged answers that the means hide."""
    rows = [
        (row.benchmark, found)
        for row in result.benchmarks
        if row.group in groups
        and row.standing == "loss"
        and (found := result.attribution.benchmarks.get(row.benchmark)) is not None
        and found.notable
    ]
    if not rows:
        return []
    benchmark, found = min(rows, key=lambda row: row[1].flagged)
    more = f"; likewise on {len(rows) - 1} more" if len(rows) > 1 else ""
    return [f"but on {name(benchmark)} {because(found)}{more}"]


def _shown_alone(result: TunedResult, groups: Sequence[str]) -> list[str]:
    """Benchmarks with an established loss in groups whose mean change is unknown."""
    lost = [
        row.benchmark
        for row in result.benchmarks
        if row.group in groups
        and row.standing == "loss"
        and result.plane[row.group].standing == "unknown"
    ]
    return [f"but worse on {listed(lost, SHOWN)}"] if lost else []


def _format(result: TunedResult, groups: Sequence[str], point: PlanePoint) -> str:
    """A remark if at least half of a change disappears when the answers are read differently."""
    rows = [row for row in result.benchmarks if row.group in groups]
    sizes = {group: sum(row.group == group for row in rows) for group in groups}
    here = [group for group in groups if sizes[group]]
    shares = {row.benchmark: 1.0 / (len(here) * sizes[row.group]) for row in rows}
    found = [d for d in result.disagreements if d.benchmark in shares and d.format]
    points = format_share(found, shares)
    if points * point.gain <= 0 or abs(points) < 0.5 * abs(point.gain):
        return ""
    said = "a change of format, not of ability"
    if abs(points) < 0.9 * abs(point.gain):
        said = "mostly a change of format"
    return f"{said}: see {listed([d.benchmark for d in found], SHOWN)}"


def _not_compared(result: TunedResult) -> list[str]:
    """A sentence on benchmarks in a group that could not be compared, with the reasons."""
    left = {b: why for b, why in result.not_compared.items() if b not in result.not_judged}
    if not left:
        return []
    said = [f"{name(b)} ({sentence(why)})" for b, why in list(left.items())[:SHOWN]]
    more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
    return [f"Not compared: {', '.join(said)}{more}."]


def _group(group: str) -> str:
    return name(group_name(group))
