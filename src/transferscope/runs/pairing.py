"""Two runs side by side: paired by (benchmark, id, repeat), never by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..documents.run_manifest import Manifest
from .benchmark_answers import BenchmarkAnswers, Codes, Floats
from .manifest import contradicts
from .run_folder import Run
from .unpaired import UnpairedBenchmark, unpaired


@dataclass(frozen=True, eq=False)
class PairedBenchmark:
    """One benchmark of two runs, aligned by item; items are sorted by id.

    ``base_scores`` and ``tuned_scores`` (n_items,) are means over an item's repeats, 0..1.
    ``weights`` (n_items,) are relative; ``clusters`` (n_items,) numbers what shares a story or
    passage, ``subsets`` (n_items,) indexes ``subset_names``. ``repeats`` is the largest number of
    repeats of an item. ``binary``: one repeat per item and every score 0 or 1. ``chance`` is the
    weighted mean score of guessing, ``None`` where an item's is unknown. Flags are the union over
    an item's repeats.
    """

    benchmark: str
    ids: tuple[str, ...]
    base_scores: Floats
    tuned_scores: Floats
    weights: Floats
    clusters: Codes
    subsets: Codes
    subset_names: tuple[str, ...]
    repeats: int
    binary: bool
    chance: float | None
    base_flags: tuple[tuple[str, ...], ...]
    tuned_flags: tuple[tuple[str, ...], ...]

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.ids)


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
        left = lost[0] | lost[1]
        # The base's columns are kept for the next tuned run.
        every, theirs = base.answers(name), BenchmarkAnswers.of(tuned.by_benchmark.get(name, ()))
        before, after = (side.on(side.items - left) for side in (every, theirs))
        # What failed in the tuned run alone may be what it can't do.
        answered = every.items - lost[0]
        kept = before.on(after.items)
        if reason := _missing(name, base, tuned) or _why_not(before, kept, after):
            excluded[name] = said or reason
            continue
        if len(kept.ids) < len(answered):
            fewer[name] = (len(kept.ids), len(answered))
        extra = len(after.items - before.items)
        differences += _more(name, extra, len(after.outcomes), len(kept.outcomes))
        used = _same_keys(kept, after)
        differences += _notes(name, kept, used)
        paired[name] = _align(name, kept, used)
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


def _same_keys(base: BenchmarkAnswers, tuned: BenchmarkAnswers) -> BenchmarkAnswers:
    """The answers of ``tuned`` to just the keys of ``base``, all of which it has."""
    if base.keys == tuned.keys:
        return tuned
    return tuned.at(set(base.keys))


def _why_not(
    every: BenchmarkAnswers, base: BenchmarkAnswers, tuned: BenchmarkAnswers
) -> str | None:
    """Why a benchmark can't be compared; ``base``: those of ``every`` answer to shared items."""
    if not base.outcomes:
        return f"no item of the base's {len(every.ids)} is in the tuned run"
    found = _same_keys(base, tuned) if len(tuned.outcomes) >= len(base.outcomes) else tuned
    if len(found.outcomes) < len(base.outcomes):
        here = len(set(tuned.keys).intersection(base.keys))
        return f"fewer repeats than the base: {here} of {len(base.outcomes)} answers"
    columns = base.column("message_hash"), found.column("message_hash")
    if columns[0] == columns[1]:
        return None
    changed = {
        id_
        for (id_, _), *hashes in zip(base.keys, *columns, strict=True)
        if None not in hashes and hashes[0] != hashes[1]
    }
    return f"different messages ({len(changed)} of {len(base.ids)} items)" if changed else None


def _more(name: str, items: int, answers: int, used: int) -> list[str]:
    """What the tuned run has more of; nothing of it is compared."""
    count, what = (items, "item") if items else (answers - used, "answer")
    if count <= 0:
        return []
    counted, are = (f"1 {what}", "is") if count == 1 else (f"{count} {what}s", "are")
    return [f"{name}: {counted} that only the tuned run has {are} ignored"]


def _align(name: str, base: BenchmarkAnswers, tuned: BenchmarkAnswers) -> PairedBenchmark:
    """Both have answers to the same keys."""
    subsets, names = base.subsets
    return PairedBenchmark(
        benchmark=name,
        ids=base.ids,
        base_scores=base.scores,
        tuned_scores=tuned.scores,
        weights=base.weights,
        clusters=base.clusters,
        subsets=subsets,
        subset_names=names,
        repeats=base.repeats,
        binary=base.repeats == 1 and base.binary and tuned.binary,
        chance=base.chance,
        base_flags=base.flags,
        tuned_flags=tuned.flags,
    )


def _notes(name: str, base: BenchmarkAnswers, tuned: BenchmarkAnswers) -> list[str]:
    """What differs inside a benchmark that is compared nevertheless."""
    notes = []
    n = len(base.outcomes)
    asked = [side.column("message_hash") for side in (base, tuned)]
    if any(None in column for column in asked):
        unknown = sum(None in pair for pair in zip(*asked, strict=True))
        count = "all" if unknown == n else f"{unknown} of {n}"
        notes.append(f"{name}: messages can't be checked ({count} answers)")
    given = [side.column("rendered_hash") for side in (base, tuned)]
    if given[0] != given[1] and (
        rendered := sum(None not in p and p[0] != p[1] for p in zip(*given, strict=True))
    ):
        notes.append(f"{name}: same messages, rendered differently ({rendered} of {n} answers)")
    for what in ("weight", "cluster", "subset", "chance"):
        if base.column(what) != tuned.column(what):
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
        mine, theirs = getattr(a, what), getattr(b, what)
        for key in sorted(set(mine) | set(theirs)):
            of_a_task = what == "decoding" or key.startswith("task ")
            if of_a_task and (key not in mine or key not in theirs):
                continue  # a benchmark of one run only: said where benchmarks are excluded
            notes += _note(f"{what} {key}", mine.get(key), theirs.get(key))
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


def _note(name: str, mine: Any, theirs: Any) -> list[str]:
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        inner = sorted(set(mine) | set(theirs))
        return [n for k in inner for n in _note(f"{name} {k}", mine.get(k), theirs.get(k))]
    return [f"{name}: {mine} / {theirs}"] if mine != theirs else []
