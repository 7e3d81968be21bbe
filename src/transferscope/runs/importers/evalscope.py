"""Import EvalScope: ``reports/MODEL/DATASET.json`` and ``reviews/MODEL/DATASET_SUBSET.jsonl``.

Reads the schemas of EvalScope 0.17 to 1.14. The report's primary metric is read, or the first one
in old reports. Every subset becomes a subset here, weighted by its size. Answers come from the
reviews that belong to a report; without reviews, the report's scores are read. If a folder has
several runs, each data set is read from the newest one, with a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ...core.records import ModelRef
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_name, bare_stem
from .assemble import UNSCORED, Part, dated, newest, place_below, results_of, shown_below
from .contradictions import contradiction
from .documents import files_named, head, hollow_in
from .evalscope_reports import Metric, Report, is_report, read_report, review_file, root_of
from .evalscope_rows import Tally, read_reviews, tally_of
from .foreign_run import Importer, Results
from .naming import Place, not_comparable, of_model, place_of

_REVIEW_HEAD = 2**16
"""Number of bytes in which a row of reviews must be recognisable."""


def accepts(path: Path) -> bool:
    """Whether ``path`` is a report, a file of reviews, or a folder that contains either."""
    if path.is_dir():
        return next(_under(path, is_report, "*.json*"), None) is not None or bool(_reviews(path))
    return is_report(path) or _is_review(path)


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the results at ``path``; raise :class:`InputError` for two models and invalid files."""
    files = list(_under(path, is_report, "*.json*")) if path.is_dir() else [path]
    notes = hollow_in(path, "*.json", "*.jsonl") if path.is_dir() else []
    if files and is_report(files[0]):
        every = [read_report(file) for file in files]
        model, selected = of_model(every, lambda each: (each.model, each.file), wanted, path)
        reports = newest(
            selected,
            notes,
            task=lambda report: report.dataset,
            same=lambda report: report.dataset,
            when=lambda report: dated(root_of(report.file), report.file),
        )
        parts = [part for report in reports for part in _parts(report, taxonomy, notes)]
        notes += _unreported(path, reports)
    else:
        found = _reviews(path) if path.is_dir() else [path]
        model, reviews = of_model(found, lambda file: (file.parent.name, file), wanted, path)
        parts = [_lone(file, taxonomy, notes) for file in reviews]
    return results_of(
        parts,
        path=path,
        model=ModelRef(model),
        provenance="imported:evalscope",
        notes=notes,
        engine={"engine": "evalscope"},
    )


IMPORTER = Importer(accepts, read, read)


def _is_review(path: Path) -> bool:
    if not bare_name(path).endswith(".jsonl"):
        return False
    start = head(path, _REVIEW_HEAD)
    return b'"sample_score"' in start or (
        "reviews" in path.parts[:-1] and b'"review"' in start and b'"choices"' in start
    )


def _reviews(folder: Path) -> list[Path]:
    return list(_under(folder, _is_review, "*.jsonl*"))


def _under(folder: Path, kind: Any, pattern: str) -> Iterator[Path]:
    return (file for file in files_named(folder, pattern) if kind(file))


def _parts(report: Report, taxonomy: Taxonomy, notes: list[str]) -> Iterator[Part]:
    if report.errored:
        counts = f"{report.errored:,} of {report.requested:,}"
        notes.append(f"{report.dataset}: {counts} answers left out, they ended in an error")
    if not report.metrics:
        place = place_of(report.dataset, taxonomy)
        all_of = report.requested and report.errored == report.requested
        why = f"all {report.requested:,} answers ended in an error" if all_of else "it has no score"
        yield Part(place, root_of(report.file), left_out=why)
        return
    first = report.metrics[0]
    for subset, (score, n) in first.subsets.items():
        place = place_below(report.dataset, subset, taxonomy)
        part = _part(report, first, place, subset)
        wanted = (first.name, first.name.removeprefix("mean_"), *place.metrics)
        reviews = review_file(report, subset)
        if reviews is not None and not part.left_out:
            part = _reviewed(
                reviews,
                place,
                wanted,
                notes,
                shown=part.shown,
                others=part.others,
                under=part.file,
                said=(score, n),
            )
        yield part


def _part(report: Report, metric: Metric, place: Place, subset: str) -> Part:
    score, n = metric.subsets[subset]
    scaled = None if score is None else score / metric.scale
    why = ""
    if metric.lower or place.lower_is_better:
        why = not_comparable(metric.name)
    elif scaled is None or not 0.0 <= scaled <= 1.0:
        why = UNSCORED
    return Part(
        place=place,
        file=root_of(report.file),
        shown=shown_below(report.dataset, subset),
        metric=metric.name,
        others=tuple(other.name for other in report.metrics if other is not metric),
        n=n or None,
        score=scaled,
        left_out=why,
    )


def _unreported(path: Path, reports: list[Report]) -> Iterator[str]:
    """A note for reviews of a data set without a report: the run was stopped before its end."""
    if not path.is_dir():
        return
    known = tuple(f"{report.dataset}_" for report in reports)
    folders = {report.file.resolve().parent.name for report in reports}
    for file in _reviews(path):
        if file.resolve().parent.name in folders and not file.name.startswith(known):
            yield f"{file.name}: left out, it has no report: the run was stopped or still runs"


def _lone(file: Path, taxonomy: Taxonomy, notes: list[str]) -> Part:
    """Reviews without a report: ``mmlu_pro_math`` is split after the longest known data set."""
    stem = bare_stem(file)
    for at in [at for at, letter in enumerate(stem) if letter == "_"][::-1]:
        found = taxonomy.match(stem[:at])
        if found is not None and not found.family:
            place = place_below(stem[:at], stem[at + 1 :], taxonomy)
            shown = shown_below(stem[:at], stem[at + 1 :])
            return _reviewed(file, place, place.metrics, notes, shown=shown)
    return _reviewed(file, place_of(stem, taxonomy), (), notes)


def _reviewed(
    file: Path,
    place: Place,
    wanted: tuple[str, ...],
    notes: list[str],
    *,
    shown: str = "",
    others: tuple[str, ...] = (),
    under: Path | None = None,
    said: tuple[float | None, int | None] = (None, None),
) -> Part:
    """The part for a file of reviews, compared with what the report has ``said``."""
    tally: Tally = tally_of(file, wanted or place.metrics)
    task, why, wrong = shown or place.task, "", None
    if tally.metric is None:
        why = f"none of its {tally.rows:,} answers has a score within 0..1"
    else:
        if tally.scored < tally.rows:
            lost = tally.rows - tally.scored
            notes.append(f"{task}: {lost:,} of {tally.rows:,} answers left out, they have no score")
        mean = tally.total / tally.scored
        # A report counts items, or answers if items are repeated.
        n = tally.items if said[1] == tally.items else tally.scored
        wrong = contradiction(counts=(n,), mean=mean, said_n=said[1], said=said[0])
    return Part(
        place=place,
        file=under or file,
        shown=shown,
        metric=tally.metric or "",
        others=others,
        n=tally.items,
        read=partial(read_reviews, file, place, tally.metric or ""),
        left_out=why,
        contradiction=wrong,
    )
