"""Two runs side by side: paired by (benchmark, id, repeat), never by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.records import Outcome
from ..documents.run_manifest import Manifest
from .manifest import contradicts
from .run_folder import Run
from .unpaired import UnpairedBenchmark, unpaired

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


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
        mine, theirs = (
            {o.key: o for o in run.by_benchmark.get(name, ()) if o.id not in left}
            for run in (base, tuned)
        )
        items, others = _ids(mine), _ids(theirs)
        keys = sorted(key for key in mine if key[1] in others)
        if reason := _missing(name, base, tuned) or _why_not(mine, theirs, keys):
            excluded[name] = said or reason
            continue
        shared = len(items & others)
        # What failed in the tuned run alone may be what it can't do.
        answered = {o.id for o in base.by_benchmark[name]} - lost[0]
        if shared < len(answered):
            fewer[name] = (shared, len(answered))
        pairs = [(mine[key], theirs[key]) for key in keys]
        differences += _more(name, len(others - items), len(theirs), len(keys))
        differences += _notes(name, pairs)
        paired[name] = _align(name, [a for a, _ in pairs], [b for _, b in pairs])
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


Keyed = Mapping[tuple[str, str, int], Outcome]
"""One benchmark's outcomes by (benchmark, id, repeat)."""


def _ids(outcomes: Keyed) -> set[str]:
    return {key[1] for key in outcomes}


def _why_not(base: Keyed, tuned: Keyed, keys: Sequence[tuple[str, str, int]]) -> str | None:
    """Why a benchmark can't be compared; ``keys``: the base's answers to shared items."""
    if not keys:
        return f"no item of the base's {len(_ids(base))} is in the tuned run"
    if (here := sum(key in tuned for key in keys)) < len(keys):
        return f"fewer repeats than the base: {here} of {len(keys)} answers"
    changed = {
        key[1]
        for key in keys
        if None not in (hashes := (base[key].message_hash, tuned[key].message_hash))
        and hashes[0] != hashes[1]
    }
    items = {key[1] for key in keys}
    return f"different messages ({len(changed)} of {len(items)} items)" if changed else None


def _more(name: str, items: int, answers: int, used: int) -> list[str]:
    """What the tuned run has more of; nothing of it is compared."""
    count, what = (items, "item") if items else (answers - used, "answer")
    if count <= 0:
        return []
    counted, are = (f"1 {what}", "is") if count == 1 else (f"{count} {what}s", "are")
    return [f"{name}: {counted} that only the tuned run has {are} ignored"]


def _align(name: str, base: Sequence[Outcome], tuned: Sequence[Outcome]) -> PairedBenchmark:
    """Both sequences hold the same keys, sorted by (id, repeat)."""
    ids = tuple(dict.fromkeys(o.id for o in base))
    position = {id_: i for i, id_ in enumerate(ids)}
    item = np.array([position[o.id] for o in base])
    counts = np.bincount(item)
    first = np.searchsorted(item, np.arange(len(ids)))
    heads = [base[i] for i in first]
    scores = [np.bincount(item, weights=[o.score for o in side]) / counts for side in (base, tuned)]
    weights = np.array([o.weight for o in heads])
    clusters, _ = _codes([("story", o.cluster) if o.cluster else ("item", o.id) for o in heads])
    subsets, names = _codes([o.subset for o in heads])
    repeats = int(counts.max())
    return PairedBenchmark(
        benchmark=name,
        ids=ids,
        base_scores=scores[0],
        tuned_scores=scores[1],
        weights=weights,
        clusters=clusters,
        subsets=subsets,
        subset_names=tuple(str(n) for n in names),
        repeats=repeats,
        binary=repeats == 1 and all(o.score in (0.0, 1.0) for o in (*base, *tuned)),
        chance=_chance(heads, weights),
        base_flags=_flags(base, ids),
        tuned_flags=_flags(tuned, ids),
    )


def _chance(heads: Sequence[Outcome], weights: Floats) -> float | None:
    """Weighted mean over the items; ``None`` where that of one of them is unknown."""
    known = [o.chance for o in heads if o.chance is not None]
    return float(np.average(known, weights=weights)) if len(known) == len(heads) else None


def _codes(labels: Sequence[Hashable]) -> tuple[Codes, tuple[Hashable, ...]]:
    """Labels numbered in the order of their first appearance, and the labels."""
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64), tuple(numbers)


def _flags(outcomes: Sequence[Outcome], ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    union: dict[str, set[str]] = {id_: set() for id_ in ids}
    for outcome in outcomes:
        union[outcome.id].update(outcome.flags)
    return tuple(tuple(sorted(union[id_])) for id_ in ids)


def _notes(name: str, pairs: Sequence[tuple[Outcome, Outcome]]) -> list[str]:
    """What differs inside a benchmark that is compared nevertheless."""
    notes = []
    if unknown := sum(None in (a.message_hash, b.message_hash) for a, b in pairs):
        count = "all" if unknown == len(pairs) else f"{unknown} of {len(pairs)}"
        notes.append(f"{name}: messages can't be checked ({count} answers)")
    rendered = sum(
        None not in (a.rendered_hash, b.rendered_hash) and a.rendered_hash != b.rendered_hash
        for a, b in pairs
    )
    if rendered:
        notes.append(
            f"{name}: same messages, rendered differently ({rendered} of {len(pairs)} answers)"
        )
    for what in ("weight", "cluster", "subset", "chance"):
        if any(getattr(a, what) != getattr(b, what) for a, b in pairs):
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
