"""Pair two runs by (benchmark, id, repeat), never by position."""

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
    """One benchmark of two runs, aligned by item and sorted by id.

    ``base_scores`` and ``tuned_scores`` (n_items,) are means over an item's repeats, 0..1.
    ``weights`` (n_items,) are relative. Items that share a story or passage have the same number in
    ``clusters`` (n_items,); ``subsets`` (n_items,) indexes ``subset_names``. ``repeats`` is the
    largest number of repeats of an item. ``binary`` means one repeat per item and only scores of 0
    or 1. ``samples`` is the number of repeats if all items have the same, above 1, and all scores
    are 0 or 1, else ``None``. ``chance`` is the weighted mean score of guessing, ``None`` if it is
    unknown for any item. Flags are the union over an item's repeats.
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
    samples: int | None = None

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Pairing:
    """What can be compared (``benchmarks``), what can't and why (``excluded``), and what differs.

    - ``differences`` don't prevent the comparison, but a reader must see them before it.
    - ``unpaired`` benchmarks can only be compared as two scores.
    - ``fewer`` lists benchmarks where the tuned run lacks items, which are compared on the shared
      ones: (number of shared items, number of the base's items).
    - ``contradictions`` says, per benchmark, how a run's samples contradict its own results. They
      come first in ``differences``.
    - ``unanswered`` lists unpaired benchmarks with failed requests: how many, in which run, and
      why. Their items can't be left out of both scores.
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

    A benchmark is excluded, with a reason, if one run lacks it, no item is shared, the tuned run
    has fewer repeats of a shared item than the base, or the messages of a shared item differ. Tasks
    that the import of either run left out are excluded too. An item with a failed request in
    either run is left out of both. Items that the tuned run lacks are listed first in the
    differences, because they may be the ones it can't solve.
    """
    paired: dict[str, PairedBenchmark] = {}
    excluded: dict[str, str] = {}
    fewer: dict[str, tuple[int, int]] = {}
    differences = _settings(base, tuned)
    scored = unpaired(base, tuned)
    differences += [
        f"{name}: only scores in at least one run, compared unpaired" for name in scored
    ]
    known = (*base.by_benchmark, *tuned.by_benchmark, *(r.benchmark for r in base.scores))
    known = (*known, *base.failed, *tuned.failed)
    failed: list[str] = []
    unanswered: dict[str, str] = {}
    for name in dict.fromkeys((*known, *(r.benchmark for r in tuned.scores))):
        lost = [{failure.id for failure in run.failed.get(name, ())} for run in (base, tuned)]
        said = _failed(name, base, tuned) if any(lost) else ""
        if said:
            left_out_of = "don't count in a score" if name in scored else "are left out of both"
            failed.append(f"{name}: {said}; they {left_out_of}")
        if name in scored:
            unanswered |= {name: said} if said else {}
            continue
        left = lost[0] | lost[1]
        # The base's columns are kept for the next tuned run.
        every, tuned_answers = (
            base.answers(name),
            BenchmarkAnswers.of(tuned.by_benchmark.get(name, ())),
        )
        before, after = (side.on(side.items - left) for side in (every, tuned_answers))
        # Items that failed only in the tuned run still count as lacking: it may be unable to
        # answer them.
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
    """How many items of each run have no answer, and the most frequent reason."""
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
    """Restrict one benchmark, paired with several tuned runs, to the items that all runs have.

    Raises :class:`ValueError` if they share no item.
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
    """The answers of ``tuned`` with the keys of ``base``; ``tuned`` must have all of them."""
    if base.keys == tuned.keys:
        return tuned
    return tuned.at(set(base.keys))


def _why_not(
    every: BenchmarkAnswers, base: BenchmarkAnswers, tuned: BenchmarkAnswers
) -> str | None:
    """Why a benchmark can't be compared, else ``None``.

    ``every`` has all of the base's answers, ``base`` those to shared items.
    """
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
    """A note on items or answers that only the tuned run has. They are not compared."""
    count, what = (items, "item") if items else (answers - used, "answer")
    if count <= 0:
        return []
    counted, are = (f"1 {what}", "is") if count == 1 else (f"{count} {what}s", "are")
    return [f"{name}: {counted} that only the tuned run has {are} ignored"]


def _align(name: str, base: BenchmarkAnswers, tuned: BenchmarkAnswers) -> PairedBenchmark:
    """The paired benchmark. Both sides have the same keys."""
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
        samples=_samples(base, tuned),
    )


def _samples(base: BenchmarkAnswers, tuned: BenchmarkAnswers) -> int | None:
    repeats = base.repeats
    alike = repeats > 1 and len(base.outcomes) == repeats * len(base.ids)
    return repeats if alike and base.binary and tuned.binary else None


def _notes(name: str, base: BenchmarkAnswers, tuned: BenchmarkAnswers) -> list[str]:
    """Notes on differences within a benchmark that don't prevent the comparison."""
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
        in_base, in_tuned = getattr(a, what), getattr(b, what)
        for key in sorted(set(in_base) | set(in_tuned)):
            of_a_task = what == "decoding" or key.startswith("task ")
            if of_a_task and (key not in in_base or key not in in_tuned):
                continue  # only one run has this benchmark: `excluded` says so
            notes += _note(f"{what} {key}", in_base.get(key), in_tuned.get(key))
    return notes


def _shared(one: Manifest, other: Manifest) -> dict[str, Any]:
    """The source group of ``one``'s suite, and its entries for benchmarks ``other`` also has.

    Suites of foreign results are built from the tasks that were run, so an additional task does
    not count as a difference.
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
