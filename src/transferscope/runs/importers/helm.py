"""Import HELM: ``runs/SUITE/RUN/`` with run_spec, stats, per_instance_stats, scenario_state.

Reads the schema of crfm-helm 0.5. Of the many numbers of a run, HELM's main metric for the scenario
is read, on instances of the split "test", else "valid". Perturbed instances are not read. If there
is only ``stats.json``, without per-instance stats, the score and the number of instances are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ...core.errors import InputError
from ...core.records import ModelRef
from ...core.tasknames import without_model
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_name
from .assemble import Part, pick, read_first, results_of
from .contradictions import contradiction
from .documents import document, files_named, head, hollow_in
from .foreign_run import Importer, Results
from .helm_rows import Instances, failed_of, instances_of, named, read_instances
from .naming import Place, of_model, places_of, plain
from .values import listed, mapping, number

_REMEDY = "name the folder of a HELM run (with run_spec.json and stats.json), or of its suite"
_SPEC = "run_spec.json"
_OWN = (
    *("final_number_exact_match", "math_equiv_chain_of_thought", "math_equiv"),
    *("chain_of_thought_correctness", "ifeval_strict_accuracy", "omni_math_accuracy"),
    *("wildbench_score_rescaled", "bbq_accuracy", "safety_score", "air_score", "pass"),
    *("exact_match_indicator", "f1_set_match"),
)
"""Main metrics of particular scenarios, which no other scenario has. They take precedence over the
taxonomy's metrics."""
_FREE = ("f1_score", "quasi_exact_match", "exact_match", "rouge_2", "rouge_l", "bleu_4")
_CHOICE = ("exact_match", "quasi_exact_match")
_SCORE = re.compile(
    r"accuracy|exact_match|(^|_)f1|rouge|bleu|equiv|correct|^pass|^(RR|NDCG)@|_score|score_|indicator"
    r"|perplexity|bits_per_byte|error_rate|(^|_)wer|toxic_frac"
)
"""Names of numbers that are scores, unlike runtimes, token counts and finish reasons."""
_OPTIONS = ("temperature", "max_tokens", "num_outputs", "stop_sequences", "max_train_instances")


class _Run(NamedTuple):
    folder: Path
    task: str
    model: str
    adapter: dict[str, Any]


def accepts(path: Path) -> bool:
    """Whether ``path`` is a run's folder, one of its files, or a folder that contains runs."""
    if path.is_dir():
        return next(_specs(path), None) is not None
    return path.is_file() and _spec_in(path.parent) is not None and bool(_kind(path))


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the runs at ``path``.

    Raises :class:`InputError` for two models, two runs of one scenario, and invalid files.
    """
    specs = sorted(_specs(path)) if path.is_dir() else [_spec_in(path.parent)]
    runs = [_run(spec) for spec in specs if spec is not None]
    if not runs:
        raise InputError("contains no run", place=str(path), remedy=_REMEDY)
    model, runs = of_model(runs, lambda run: (run.model, run.folder), wanted, path)
    first: dict[str, _Run] = {}
    for run in runs:
        if (other := first.setdefault(run.task, run)) is not run:
            what = f"duplicate run of {run.task} (the other is {other.folder})"
            raise InputError(what, place=str(run.folder), remedy="name the folder of one suite")
    notes = hollow_in(path, f"{_SPEC}*") if path.is_dir() else []
    places = places_of([run.task for run in runs], taxonomy)
    parts = [_part(run, places[run.task], notes, path) for run in runs]
    return results_of(
        parts,
        path=path,
        model=ModelRef(model),
        provenance="imported:helm",
        notes=notes,
        engine={"engine": "helm"},
    )


IMPORTER = Importer(accepts, read, read)


def _kind(path: Path) -> str:
    known = (_SPEC, "stats.json", "per_instance_stats.json", "scenario_state.json")
    return bare_name(path) if bare_name(path) in known else ""


def _spec_in(folder: Path) -> Path | None:
    for name in (_SPEC, f"{_SPEC}.gz"):
        if b'"name"' in head(folder / name):
            return folder / name
    return None


def _specs(folder: Path) -> Iterator[Path]:
    found = files_named(folder, _SPEC, f"{_SPEC}.gz")
    return (spec for spec in found if _spec_in(spec.parent) == spec)


def _run(spec: Path) -> _Run:
    raw = document(spec, remedy=_REMEDY)
    adapter = mapping(mapping(raw).get("adapter_spec"))
    name = mapping(raw).get("name")
    if not isinstance(name, str) or not adapter:
        raise InputError("has no name or no adapter_spec", place=str(spec), remedy=_REMEDY)
    said = adapter.get("model") or adapter.get("model_deployment")
    return _Run(spec.parent, without_model(name), str(said or spec.parent.name), adapter)


def _part(run: _Run, place: Place, notes: list[str], path: Path) -> Part:
    stats = _stats(run.folder)
    splits = {split for name, split in stats if _SCORE.search(name)}
    split = next((known for known in ("test", "valid") if known in splits), min(splits, default=""))
    scores = {name: v for (name, at), v in stats.items() if at == split and _SCORE.search(name)}
    metric, why = _main(scores, place, run)
    count = stats.get(("num_instances", split))
    part = Part(
        place=place,
        file=path,
        metric=metric or next(iter(scores), ""),
        others=tuple(name for name in scores if name != metric),
        n=int(count) if count and count >= 1 else None,
        score=scores.get(metric or ""),
        scores=read_first(scores, metric),
        decoding=plain({name: run.adapter.get(name) for name in _OPTIONS}),
        left_out=why,
    )
    items = named(run.folder, "per_instance_stats.json")
    if metric is None or items is None:
        return part
    return _with_items(part, run, instances_of(items, metric, split), notes)


def _with_items(part: Part, run: _Run, found: Instances, notes: list[str]) -> Part:
    failed = failed_of(run.folder)
    kept = {at: score for at, score in found.scores.items() if at not in failed}
    task = part.place.task
    if lost := len(found.scores) - len(kept):
        counts = f"{lost:,} of {len(found.scores):,}"
        notes.append(f"{task}: {counts} answers left out, their requests failed")
    if not kept:
        if found.rows:
            return replace(part, left_out=f"all {found.rows:,} requests failed")
        return part
    mean = sum(found.scores.values()) / len(found.scores)
    wrong = contradiction(mean=mean, said=part.score)
    items = {item for item, _ in kept}
    read_ = partial(read_instances, run.folder, part.place, kept, choice=_choice(run))
    return replace(part, n=len(items), read=read_, contradiction=wrong)


def _main(scores: Mapping[str, float], place: Place, run: _Run) -> tuple[str | None, str]:
    """HELM's main metric of the scenario, else the taxonomy's, else the usual one."""
    for name in _OWN:
        if 0.0 <= scores.get(name, -1.0) <= 1.0 and not place.lower_is_better:
            return name, ""
    return pick(scores, place, first=_CHOICE if _choice(run) else _FREE)


def _choice(run: _Run) -> bool:
    return str(run.adapter.get("method")).startswith("multiple_choice")


def _stats(folder: Path) -> dict[tuple[str, str], float]:
    """The mean of every unperturbed statistic, by name and split."""
    file = named(folder, "stats.json")
    if file is None:
        what = "has no stats.json: the run was stopped or is still running"
        raise InputError(what, place=str(folder), remedy="finish it with helm-run, or remove it")
    raw = document(file, remedy=_REMEDY)
    found: dict[tuple[str, str], float] = {}
    for stat in map(mapping, listed(raw)):
        name, mean = mapping(stat.get("name")), number(stat.get("mean"))
        if mean is not None and "perturbation" not in name:
            found.setdefault((str(name.get("name")), str(name.get("split", ""))), mean)
    return found
