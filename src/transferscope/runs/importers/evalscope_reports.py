"""Read EvalScope's reports: ``reports/MODEL/DATASET.json``, version 2 (1.14) and earlier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...core.errors import InputError
from ...core.unpacking import bare_name
from .documents import document, head
from .naming import lower_is_better
from .values import listed, mapping, number

REMEDY = "name a report of EvalScope, or the run's folder"
_START = re.compile(
    rb'\s{0,64}\{\s{0,64}("schema_version"\s{0,9}:\s{0,9}\d,\s{0,64})?"name"\s{0,9}:'
)


class Metric(NamedTuple):
    """One metric of a report; ``subsets`` maps a name to (score, n), ``scale`` is the maximum."""

    name: str
    lower: bool
    scale: float
    subsets: dict[str, tuple[float | None, int | None]]


class Report(NamedTuple):
    """One data set of one model; the first of ``metrics`` is the one to read.

    ``errored`` of the ``requested`` answers ended in an error (0 of 0 if they were not counted).
    """

    file: Path
    dataset: str
    model: str
    metrics: list[Metric]
    errored: int
    requested: int


def is_report(path: Path) -> bool:
    """Whether ``path`` is a report, by its first bytes."""
    if not bare_name(path).endswith(".json"):
        return False
    start = head(path)
    return _START.match(start) is not None and b'"dataset_name"' in start


def read_report(file: Path) -> Report:
    """Read the report; raises :class:`InputError` for a file that is not a valid report."""
    raw = document(file, remedy=REMEDY)
    metrics = mapping(raw).get("metrics")
    if not isinstance(metrics, list) or not isinstance(raw.get("dataset_name"), str):
        raise InputError("has no metrics or no dataset_name", place=str(file), remedy=REMEDY)
    primary = mapping(raw.get("primary_metric_identity"))
    if primary:
        metrics = sorted(metrics, key=lambda metric: mapping(metric).get("identity") != primary)
    summary = mapping(raw.get("execution_summary"))
    return Report(
        file=file,
        dataset=raw["dataset_name"],
        model=str(raw.get("model_name") or file.parent.name),
        metrics=[_metric(mapping(metric)) for metric in metrics],
        errored=_whole(summary.get("errored")) or 0,
        requested=_whole(summary.get("requested")) or 0,
    )


def _metric(raw: Mapping[str, Any]) -> Metric:
    identity, semantics = mapping(raw.get("identity")), mapping(raw.get("semantics"))
    name = str(identity.get("name") or raw.get("name"))
    high = number(mapping(semantics.get("value_range")).get("max"))
    subsets = {}
    for category in listed(raw.get("categories")):
        for subset in listed(mapping(category).get("subsets")):
            row = mapping(subset)
            if not row.get("is_aggregate"):
                subsets[str(row.get("name"))] = (number(row.get("score")), _whole(row.get("num")))
    return Metric(
        name=name,
        lower=str(semantics.get("direction")).startswith("lower")
        or lower_is_better(name.removeprefix("mean_")),
        scale=high if high is not None and high > 1.0 else 1.0,
        subsets=subsets,
    )


def root_of(report: Path) -> Path:
    """The run's folder, which contains ``reports``."""
    file = report.resolve()
    return next((p.parent for p in file.parents if p.name == "reports"), file.parent)


def review_file(report: Report, subset: str) -> Path | None:
    """The reviews of a subset. Its name comes from the file, so path separators are refused."""
    if {"/", "\\"} & set(subset + report.dataset):
        return None
    below = report.file.resolve().parent.parts[len(root_of(report.file).parts) + 1 :]
    folder = root_of(report.file).joinpath("reviews", *below)
    names = [f"{report.dataset}_{subset}.jsonl{end}" for end in ("", ".gz")]
    return next((path for name in names if (path := folder / name).is_file()), None)


def _whole(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
