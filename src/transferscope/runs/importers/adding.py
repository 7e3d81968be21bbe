"""Add foreign results to a run folder that already has other results of the same model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ...core.errors import InputError
from ...core.records import ScoreRow
from ...core.suite import Suite
from ...documents.run_manifest import Manifest
from ..manifest import MANIFEST_FILE, write_manifest
from ..run_folder import Run, read_run
from .foreign_run import Results
from .settings import flat, is_setting, shared

_IMPORTED = "imported:"
_ANOTHER = "name another folder: --out DIR"
_TOGETHER = f"{_ANOTHER} (or import the folder of all results: each task's newest are read)"


class Addition(NamedTuple):
    """The results that remain to be written, the joint manifest, and notes for the user."""

    results: Results
    manifest: Manifest
    notes: tuple[str, ...] = ()


def added(out: Path, results: Results, manifest: Manifest, *, source: str | None) -> Addition:
    """Join ``results`` and their ``manifest`` with what the run folder ``out`` contains.

    The folder's manifest is replaced by the joint one; its answers are not changed. An import that
    was killed is resumed. Benchmarks that the folder already has with the same answers are skipped.
    Raises :class:`InputError`, without changing the folder, for a run of another model, a run that
    was evaluated here, and benchmarks that the folder has with different answers.
    """
    if not (out / MANIFEST_FILE).is_file():
        return Addition(results, manifest)
    run = read_run(out, allow_unfinished=True)
    there = run.manifest
    if there.status != "complete" and there.identity() == manifest.identity():
        return Addition(results, manifest)
    _refuse_another(there, manifest, out)
    names = dict.fromkeys((*results.samples, *(row.benchmark for row in results.scores)))
    both = joined(there, manifest, str(out), names=list(names), source=source)
    known = [name for name in results.samples if name in there.complete]
    for name in known:
        _refuse_other_answers(run, name, results, out)
    samples = {name: read for name, read in results.samples.items() if name not in known}
    rows = {(row.benchmark, row.subset): row for row in run.scores}
    new: list[ScoreRow] = []
    for row in results.scores:
        if row.benchmark in run.by_benchmark or rows.get(_key(row), row) != row:
            raise _already(row.benchmark, "a different score", out)
        if _key(row) in rows:
            known.append(row.benchmark)
        else:
            new.append(row)
    write_manifest(out, both)
    passed_over = ", ".join(dict.fromkeys(known))
    notes = (f"already in {out} and unchanged: {passed_over}",) if known else ()
    scores = (*run.scores, *new) if new else ()
    return Addition(replace(results, samples=samples, scores=scores), both, notes)


def are_parts(one: Run, other: Run) -> bool:
    """Whether both are foreign results of the same model on different benchmarks."""
    if one.origin is None or other.origin is None:
        return False
    shared_names = set(one.manifest.complete) & set(other.manifest.complete)
    return not shared_names and _another(one.manifest, other.manifest) is None


def _key(row: ScoreRow) -> tuple[str, str]:
    return row.benchmark, row.subset


def _already(benchmark: str, what: str, out: Path) -> InputError:
    return InputError(f"already has {benchmark}, with {what}", place=str(out), remedy=_TOGETHER)


def _another(there: Manifest, new: Manifest) -> str | None:
    """How two models differ, else ``None``. A field that one side lacks is not compared."""
    pairs = {
        "model": (there.model.name, new.model.name),
        "base": (there.model.base, new.model.base),
        "revision": (there.model.revision, new.model.revision),
        "model fingerprint": (there.model.fingerprint, new.model.fingerprint),
    }
    for name, (existing, asked) in pairs.items():
        if None not in (existing, asked) and existing != asked:
            return f"contains a run with a different {name}: it has {existing}, requested {asked}"
    return None


def _refuse_another(there: Manifest, new: Manifest, out: Path) -> None:
    if what := _another(there, new):
        raise InputError(what, place=str(out), remedy=_ANOTHER)
    if not there.provenance.startswith(_IMPORTED):
        raise InputError("contains a run that was evaluated here", place=str(out), remedy=_ANOTHER)


def _refuse_other_answers(run: Run, name: str, results: Results, out: Path) -> None:
    existing = {outcome.key: outcome.score for outcome in run.by_benchmark.get(name, ())}
    asked = {s.outcome.key: s.outcome.score for s in results.samples[name]()}
    if existing != asked:
        raise _already(name, "different answers" if existing else "only a score", out)


def joined(
    there: Manifest,
    new: Manifest,
    place: str,
    *,
    names: Sequence[str] | None = None,
    source: str | None = None,
) -> Manifest:
    """The joint manifest of both; settings in which they differ are stored per benchmark.

    ``names`` are the benchmarks of ``new``, by default those that are complete. A benchmark that
    both have (with different subsets) keeps its settings. Raises :class:`InputError` naming
    ``place`` for suites that put one benchmark into two groups, and for a different ``source``.
    """
    names = list(new.complete) if names is None else names
    settings = {name: _settings(new, name) for name in names}
    settings |= {name: _settings(there, name) for name in there.complete}
    same = shared(settings)
    decoding = {**new.decoding, **there.decoding}
    suite = _suite(there, new, place, source=source)
    formats = {p.removeprefix(_IMPORTED) for p in (there.provenance, new.provenance)}
    return replace(
        there,
        model=replace(
            there.model,
            base=there.model.base or new.model.base,
            revision=there.model.revision or new.model.revision,
            fingerprint=there.model.fingerprint or new.model.fingerprint,
        ),
        suite=suite.model_dump(mode="json"),
        suite_hash=suite.hash,
        engine=same.engine,
        template=same.template,
        seed=same.seed,
        limit=same.limit,
        decoding={
            name: {**decoding.get(name, {}), **same.apart.get(name, {})}
            for name in (*there.decoding, *(n for n in names if n not in there.decoding))
            if name in decoding or name in same.apart
        },
        versions={
            name: there.versions.get(name, version)
            if new.versions.get(name, version) == there.versions.get(name, version)
            else f"{there.versions[name]}, {new.versions[name]}"
            for name, version in {**there.versions, **new.versions}.items()
        },
        provenance=_IMPORTED + "+".join(sorted(formats)),
        status="running",
        left_out={
            task: why
            for task, why in {**new.left_out, **there.left_out}.items()
            if task not in there.complete and task not in names
        },
        metrics={**new.metrics, **there.metrics},
    )


def _settings(manifest: Manifest, benchmark: str) -> dict[str, Any]:
    """The settings of ``benchmark``: the run's, or its own ones if runs were joined."""
    common = flat(
        manifest.engine, template=manifest.template, seed=manifest.seed, limit=manifest.limit
    )
    own = manifest.decoding.get(benchmark)
    return {**common, **{k: v for k, v in (own or {}).items() if is_setting(k)}}


def _suite(there: Manifest, new: Manifest, place: str, *, source: str | None) -> Suite:
    existing, asked = there.load_suite(), new.load_suite()
    if source is not None and source != existing.source:
        what = f"contains a run with source group {existing.source!r}"
        raise InputError(what, place=place, remedy=f"remove --source {source}, or {_ANOTHER}")
    for name, group in asked.group_of.items():
        if existing.group_of.get(name, group) != group:
            what = f"has {name} in group {existing.group_of[name]!r}, not {group!r}"
            raise InputError(what, place=place, remedy="use the same --map")
    groups = {
        group: tuple(dict.fromkeys((*existing.groups.get(group, ()), *asked.groups.get(group, ()))))
        for group in dict.fromkeys((*existing.groups, *asked.groups))
    }
    benchmarks = {**asked.benchmarks, **existing.benchmarks}
    return Suite(name=existing.name, source=existing.source, groups=groups, benchmarks=benchmarks)
