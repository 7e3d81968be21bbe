"""Two runs side by side: paired by (benchmark, id, repeat), never by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .alignment import PairedBenchmark, Sides, align
from .manifest import Manifest, contradicts
from .run_folder import Run
from .unpaired import UnpairedBenchmark, unpaired


@dataclass(frozen=True, eq=False)
class Pairing:
    """What can be compared (``benchmarks``), what not and why (``excluded``), and what differs.

    ``unpaired`` benchmarks can only be compared as two scores. ``differences`` don't prevent the
    comparison but belong in front of it. ``fewer``: benchmarks of which the tuned run lacks items,
    compared on the shared ones; how many those are, and how many the base has. ``contradictions``:
    benchmarks of which a run's samples contradict its results, in what; first of the differences.
    ``unanswered``: unpaired benchmarks with requests that failed, how many of whose and why. Their
    items can't be left out of both scores.
    """

    benchmarks: Mapping[str, PairedBenchmark]
    excluded: Mapping[str, str]
    differences: tuple[str, ...]
    unpaired: Mapping[str, UnpairedBenchmark] = field(default_factory=dict)
    fewer: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    contradictions: Mapping[str, str] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)


def pair(base: Run, tuned: Run) -> Pairing:
    """Pair two runs benchmark by benchmark, on the items that both have.

    A benchmark is excluded with a reason when one run lacks it, no item is shared, the tuned run
    has fewer repeats of a shared item than the base, or the messages of a shared item differ; so is
    a task that the import of either run had to leave out. An item to which an answer failed in
    either run is left out of both. Items that the tuned run lacks lead the differences: what it
    left out may be what it can't do.
    """
    paired: dict[str, PairedBenchmark] = {}
    excluded: dict[str, str] = {}
    fewer: dict[str, tuple[int, int]] = {}
    differences = _settings(base, tuned)
    scored = unpaired(base, tuned)
    differences += [f"{name}: no answers on both sides, compared unpaired" for name in scored]
    known = (*base.by_benchmark, *tuned.by_benchmark, *(r.benchmark for r in base.scores))
    known = (*known, *base.failed, *tuned.failed)
    failed: list[str] = []
    unanswered: dict[str, str] = {}
    for name in dict.fromkeys((*known, *(r.benchmark for r in tuned.scores))):
        lost = [{failure.id for failure in run.failed.get(name, ())} for run in (base, tuned)]
        said = _failed(name, base, tuned) if any(lost) else ""
        if said:
            left_out_of = "are in no score" if name in scored else "are left out of both"
            failed.append(f"{name}: {said}; they {left_out_of}")
        if name in scored:
            unanswered |= {name: said} if said else {}
            continue
        if reason := _missing(name, base, tuned):
            excluded[name] = said or reason
            continue
        sides = Sides(base.by_benchmark[name], tuned.by_benchmark[name], lost[0] | lost[1])
        if reason := _why_not(sides):
            excluded[name] = said or reason
            continue
        # What failed in the tuned run alone may be what it can't do.
        answered = len(set(sides.base.column("id")) - lost[0])
        if sides.shared < answered:
            fewer[name] = (sides.shared, answered)
        differences += _more(name, sides)
        differences += _notes(name, sides)
        paired[name] = align(name, sides)
    left_out = {**tuned.manifest.left_out, **base.manifest.left_out}
    for name, reason in left_out.items():
        if name not in paired and name not in scored:
            here, there = (_has(run, name) for run in (base, tuned))
            where = "tuned" if here else "base"
            excluded[name] = reason if here and there else f"missing in {where} ({reason})"
    lacking = [
        f"{name}: compared on the {shared} items that both runs have; the tuned run lacks "
        f"{total - shared} of the base's {total}"
        for name, (shared, total) in fewer.items()
    ]
    wrong = _contradictions(base, tuned, (*paired, *scored))
    told = [f"{name}: {contradicts(what)}" for name, what in wrong.items()]
    notes = (*told, *failed, *lacking, *differences)
    return Pairing(paired, excluded, notes, scored, fewer, wrong, unanswered)


def _failed(name: str, base: Run, tuned: Run) -> str:
    """How many items of each run have no answer, and why most of them have none."""
    counts, reasons = [], Counter[str]()
    for run, whose in ((base, "base"), (tuned, "tuned run")):
        lost = run.failed.get(name, ())
        reasons.update(failure.why for failure in lost)
        ids = {failure.id for failure in lost}
        if every := ids | {o.id for o in run.by_benchmark.get(name, ())}:
            counts.append(f"{len(ids)} of the {whose}'s {len(every)} items")
    ((why, _),) = reasons.most_common(1)
    return f"requests failed for {' and '.join(counts)} ({why})"


def _contradictions(base: Run, tuned: Run, compared: Iterable[str]) -> dict[str, str]:
    sides = [("base", base.manifest.contradictions), ("tuned", tuned.manifest.contradictions)]
    return {
        name: "; ".join(f"{side}: {found[name]}" for side, found in sides if name in found)
        for name in compared
        if any(name in found for _, found in sides)
    }


def _missing(name: str, base: Run, tuned: Run) -> str | None:
    if not _measured(tuned, name):
        return "missing in tuned"
    return None if _measured(base, name) else "missing in base"


def _measured(run: Run, name: str) -> bool:
    return name in run.by_benchmark or any(row.benchmark == name for row in run.scores)


def _has(run: Run, name: str) -> bool:
    return _measured(run, name) or name in run.manifest.left_out


def on_shared_items(parts: Sequence[PairedBenchmark]) -> list[PairedBenchmark]:
    """One benchmark paired with several tuned runs, cut to the items that all of them have.

    Raises :class:`ValueError` where they share none.
    """
    shared = set(parts[0].ids).intersection(*(part.ids for part in parts[1:]))
    if not shared:
        raise ValueError(f"no item of {parts[0].benchmark} is in all runs")
    return [part if len(shared) == part.n else _cut(part, shared) for part in parts]


def _cut(part: PairedBenchmark, shared: set[str]) -> PairedBenchmark:
    at = [i for i, id_ in enumerate(part.ids) if id_ in shared]
    return replace(
        part,
        ids=tuple(part.ids[i] for i in at),
        base_scores=part.base_scores[at],
        tuned_scores=part.tuned_scores[at],
        weights=part.weights[at],
        clusters=part.clusters[at],
        subsets=part.subsets[at],
        base_flags=tuple(part.base_flags[i] for i in at),
        tuned_flags=tuple(part.tuned_flags[i] for i in at),
    )


def _why_not(sides: Sides) -> str | None:
    """Why a benchmark can't be compared."""
    if not sides.asked:
        return f"no item of the base's {sides.base_items} is in the tuned run"
    if (here := len(sides.base_rows)) < sides.asked:
        return f"fewer repeats than the base: {here} of {sides.asked} answers"
    differ = sides.differ("message_hash", known=True)
    if not differ.any():
        return None
    ids = sides.base.column("id")
    items = {ids[at] for at in sides.base_rows}
    changed = {ids[at] for at in sides.base_rows[differ]}
    return f"different messages ({len(changed)} of {len(items)} items)"


def _more(name: str, sides: Sides) -> list[str]:
    """What the tuned run has more of; nothing of it is compared."""
    items = sides.tuned_items - sides.shared
    count = items or sides.tuned_answers - len(sides.tuned_rows)
    what = "item" if items else "answer"
    if count <= 0:
        return []
    counted, are = (f"1 {what}", "is") if count == 1 else (f"{count} {what}s", "are")
    return [f"{name}: {counted} that only the tuned run has {are} ignored"]


def _notes(name: str, sides: Sides) -> list[str]:
    """What differs inside a benchmark that is compared nevertheless."""
    notes, n = [], len(sides.base_rows)
    if unknown := int(sides.unknown("message_hash").sum()):
        count = "all" if unknown == n else f"{unknown} of {n}"
        notes.append(f"{name}: messages can't be checked ({count} answers)")
    if rendered := int(sides.differ("rendered_hash", known=True).sum()):
        notes.append(f"{name}: same messages, rendered differently ({rendered} of {n} answers)")
    for what in ("weight", "cluster", "subset", "chance"):
        if sides.differ(what).any():
            notes.append(f"{name}: {what} differs; the base's is used")
    return notes


def _settings(base: Run, tuned: Run) -> list[str]:
    """Differences between the two manifests, base first."""
    a, b = base.manifest, tuned.manifest
    notes = []
    if a.suite_hash != b.suite_hash and _shared(a, b) != _shared(b, a):
        names = f"{a.suite.get('name')} {a.suite_hash} / {b.suite.get('name')} {b.suite_hash}"
        notes.append(f"suite: {names}")
    for name in ("template", "seed", "limit", "provenance"):
        notes += _note(name, getattr(a, name), getattr(b, name))
    for what in ("engine", "decoding", "versions"):
        before, after = getattr(a, what), getattr(b, what)
        for key in sorted(set(before) | set(after)):
            of_a_task = what == "decoding" or key.startswith("task ")
            if of_a_task and (key not in before or key not in after):
                continue  # a benchmark of one run only: named among the excluded ones
            notes += _note(f"{what} {key}", before.get(key), after.get(key))
    return notes


def _shared(one: Manifest, other: Manifest) -> dict[str, Any]:
    """What ``one``'s suite says of the benchmarks that ``other``'s has too, and its source.

    Suites of foreign results are made of whatever tasks were run: another task is no difference.
    """
    benchmarks = set(one.suite["benchmarks"]) & set(other.suite["benchmarks"])
    groups = {g: sorted(benchmarks & set(names)) for g, names in one.suite["groups"].items()}
    return {
        "source": one.suite["source"],
        "groups": {group: names for group, names in groups.items() if names},
        "benchmarks": {name: one.suite["benchmarks"][name] for name in sorted(benchmarks)},
    }


def _note(name: str, base: Any, tuned: Any) -> list[str]:
    if isinstance(base, Mapping) and isinstance(tuned, Mapping):
        inner = sorted(set(base) | set(tuned))
        return [n for k in inner for n in _note(f"{name} {k}", base.get(k), tuned.get(k))]
    return [f"{name}: {base} / {tuned}"] if base != tuned else []
