"""Two runs side by side: paired by (benchmark, id, repeat), never by position."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.records import Outcome, guessing
from .folder import Run
from .manifest import Manifest
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
    weighted mean score of guessing. Flags are the union over an item's repeats.
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
    chance: float
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
    comparison but belong in front of it.
    """

    benchmarks: Mapping[str, PairedBenchmark]
    excluded: Mapping[str, str]
    differences: tuple[str, ...]
    unpaired: Mapping[str, UnpairedBenchmark] = field(default_factory=dict)


def pair(base: Run, tuned: Run) -> Pairing:
    """Pair two runs benchmark by benchmark.

    A benchmark is excluded with a reason when one run lacks it, the tuned run has fewer items (or
    repeats) than the base, or the messages of an item differ; so is a task that the import of
    either run had to leave out.
    """
    paired: dict[str, PairedBenchmark] = {}
    excluded: dict[str, str] = {}
    differences = _settings(base, tuned)
    scored = unpaired(base, tuned)
    differences += [f"{name}: no answers on both sides, compared unpaired" for name in scored]
    known = (*base.by_benchmark, *tuned.by_benchmark, *(r.benchmark for r in base.scores))
    for name in dict.fromkeys((*known, *(r.benchmark for r in tuned.scores))):
        if name in scored:
            continue
        mine = {o.key: o for o in base.by_benchmark.get(name, ())}
        theirs = {o.key: o for o in tuned.by_benchmark.get(name, ())}
        if reason := _why_not(mine, theirs):
            excluded[name] = reason
            continue
        keys = sorted(mine)
        differences += _notes(name, [(mine[k], theirs[k]) for k in keys], len(theirs) - len(keys))
        paired[name] = _align(name, [mine[k] for k in keys], [theirs[k] for k in keys])
    for name, reason in {**tuned.manifest.left_out, **base.manifest.left_out}.items():
        if name not in paired and name not in scored:
            excluded[name] = reason
    return Pairing(paired, excluded, tuple(differences), scored)


def _why_not(
    base: Mapping[tuple[str, str, int], Outcome], tuned: Mapping[tuple[str, str, int], Outcome]
) -> str | None:
    if not tuned:
        return "missing in tuned"
    if not base:
        return "missing in base"
    items = {key[1] for key in base}
    whole = items - {key[1] for key in base if key not in tuned}
    if len(whole) < len(items):
        if items <= {key[1] for key in tuned}:
            here = sum(key in tuned for key in base)
            return f"fewer repeats than the base: {here} of {len(base)} answers"
        return f"fewer items than the base: {len(whole)} of {len(items)}"
    changed = {
        key[1]
        for key, outcome in base.items()
        if None not in (hashes := (outcome.message_hash, tuned[key].message_hash))
        and hashes[0] != hashes[1]
    }
    return f"different messages ({len(changed)} of {len(items)} items)" if changed else None


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
        chance=float(np.average([guessing(o.chance) for o in heads], weights=weights)),
        base_flags=_flags(base, ids),
        tuned_flags=_flags(tuned, ids),
    )


def _codes(labels: Sequence[Hashable]) -> tuple[Codes, tuple[Hashable, ...]]:
    """Labels numbered in the order of their first appearance, and the labels."""
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64), tuple(numbers)


def _flags(outcomes: Sequence[Outcome], ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    union: dict[str, set[str]] = {id_: set() for id_ in ids}
    for outcome in outcomes:
        union[outcome.id].update(outcome.flags)
    return tuple(tuple(sorted(union[id_])) for id_ in ids)


def _notes(name: str, pairs: Sequence[tuple[Outcome, Outcome]], extra: int) -> list[str]:
    """What differs inside a benchmark that is compared nevertheless."""
    notes = []
    if extra > 0:
        notes.append(f"{name}: {extra} answers that only the tuned run has are ignored")
    if unknown := sum(None in (a.message_hash, b.message_hash) for a, b in pairs):
        notes.append(f"{name}: messages can't be checked ({unknown} of {len(pairs)} answers)")
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
