"""Read OpenCompass' ``summary_DATE.csv``: a row per data set and metric, a column per model.

::

    dataset,version,metric,mode,tiny-chat
    gsm8k,1d7fe4,accuracy,gen,55.50
    mmlu,-,naive_average,ppl,41.20
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ...core.errors import InputError
from ...core.files import read_text, refuse_damaged
from ...core.modelnames import chosen_model
from ...core.records import ModelRef
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_name
from .assemble import Part, pick, read_first, results_of
from .documents import head
from .foreign_run import Results
from .naming import places_of

MAIN = (
    *("score", "auc_score", "accuracy", "humaneval_pass@1", "rouge1", "avg_toxicity_score"),
    *("bleurt_diff", "matthews_correlation", "truth", "f1", "exact_match"),
)
"""Metrics in OpenCompass' order of display."""
NO_METRIC = frozenset({"bp", "sys_len", "ref_len", "type", "details", "extract_rate"})
_HEADER = ["dataset", "version", "metric", "mode"]
_MEANS = ("naive_average", "weighted_average", "harmonic_mean", "standard_deviation", "sum")
_REMEDY = "name results/MODEL in the run's folder, or create the summary again"


def is_summary(path: Path) -> bool:
    """Whether ``path`` is a summary, by its first line."""
    start = head(path, 64).removeprefix(b"\xef\xbb\xbf")
    return bare_name(path).endswith(".csv") and start.startswith(",".join(_HEADER).encode())


def read_summary(
    path: Path, taxonomy: Taxonomy, wanted: str | None, *, notes: Iterable[str] = ()
) -> Results:
    """Read the scores of one model from a summary; a cell "-" means that there is no score.

    Raises :class:`InputError` for several models if none is ``wanted``, and for a model without a
    score.
    """
    refuse_damaged(path)
    model, rows = _rows(path, wanted)
    tasks: dict[str, dict[str, float]] = {}
    for where, (dataset, _, metric, _, cell) in rows:
        if cell.strip() == "-" or metric == "-":
            tasks.setdefault(dataset, {})
            continue
        try:
            tasks.setdefault(dataset, {})[metric] = float(cell) / 100.0
        except ValueError:
            what = f"{cell[:40]!r} is not a score"
            raise InputError(what, place=where, remedy=_REMEDY) from None
    if not any(tasks.values()):
        what = "contains only a header" if not tasks else 'contains no score, only "-"'
        raise InputError(what, place=str(path), remedy=_REMEDY)
    places = places_of(tasks, taxonomy)
    leaves = {places[task].benchmark for task, scores in tasks.items() if not _mean(scores)}
    parts = []
    for task, scores in tasks.items():
        picked, why = pick(scores, places[task], first=MAIN)
        if not scores:
            why = "it was not evaluated, or it failed"
        elif _mean(scores) and places[task].benchmark in leaves:
            why = "it is a mean of data sets that are read individually"
        elif _mean(scores) in _MEANS[2:]:
            why = f"a {_mean(scores)} is not a score"
        parts.append(
            Part(
                place=places[task],
                file=path,
                metric=picked or next(iter(scores), ""),
                others=tuple(name for name in scores if name != picked),
                score=scores.get(picked or ""),
                scores=read_first(scores, picked),
                left_out=why,
            )
        )
    return run_of(parts, model, path, notes)


def run_of(parts: Sequence[Part], model: str, path: Path, notes: Iterable[str]) -> Results:
    """The OpenCompass results at ``path``, made of ``parts``."""
    return results_of(
        parts,
        path=path,
        model=ModelRef(model),
        provenance="imported:opencompass",
        notes=notes,
        engine={"engine": "opencompass"},
    )


def _mean(scores: dict[str, float]) -> str:
    return next((name for name in _MEANS if name in scores), "")


def _rows(path: Path, wanted: str | None) -> tuple[str, list[tuple[str, list[str]]]]:
    """The model, and the place and cells of every row: the first four and the model's."""
    text = read_text(path, remedy=_REMEDY)
    lines = [cells for cells in csv.reader(io.StringIO(text, newline="")) if cells]
    header, *rows = lines
    models = header[len(_HEADER) :]
    if not models:
        raise InputError("has no column for a model", place=str(path), remedy=_REMEDY)
    model = chosen_model(dict.fromkeys(models, str(path)), wanted, path)
    at = header.index(model, len(_HEADER))
    placed = _placed(path, header, rows)
    return model, [(where, [*cells[: len(_HEADER)], cells[at]]) for where, cells in placed]


def _placed(
    path: Path, header: list[str], rows: list[list[str]]
) -> Iterator[tuple[str, list[str]]]:
    for number, cells in enumerate(rows, start=2):
        if len(cells) != len(header):
            what = f"{len(cells)} cells under {len(header)} columns"
            raise InputError(what, place=f"{path}:{number}", remedy=_REMEDY)
        yield f"{path}:{number}", cells
