"""The paper's cohort: its tables as data, and its index recomputed to compare with the paper's.

The figures are from arXiv 2507.00432 (Tables 1, 5 and 9 to 11). The recomputation pools sigma over
the 18 tuned models and all benchmarks of a group; see docs/science.md.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from ..core.index import IndexResult, Layout
from ..core.scoretable import ScoreTable, cohort_index
from ..core.suite import load_suite

AGREE_WITHIN = 1.0
"""Largest difference in TI points at which a recomputed value agrees with the published one."""


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A tuned model of the cohort with its published TI, in percent."""

    name: str
    base: str
    size: str
    method: str
    published_ti: Mapping[str, float]
    source: str


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The recomputed index of the cohort: sigma per group in points, one result per tuned model."""

    sigma: Mapping[str, float]
    rows: tuple[tuple[PublishedModel, IndexResult], ...]

    def agrees(self, model: PublishedModel, result: IndexResult) -> dict[str, bool]:
        """Whether each target group's TI is within :data:`AGREE_WITHIN` of the published one."""
        return {
            group: (ti := result.ti[group]) is not None and abs(ti - said) <= AGREE_WITHIN
            for group, said in model.published_ti.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of ``transferscope published``."""
        models = [
            {
                "model": model.name,
                "base": model.base,
                "method": model.method,
                "size": model.size,
                "di": dict(result.di),
                "ti": dict(result.ti),
                "published_ti": dict(model.published_ti),
                "agrees": self.agrees(model, result),
            }
            for model, result in self.rows
        ]
        return {"sigma": dict(self.sigma), "models": models}


def read_table(name: str) -> list[dict[str, str]]:
    """Read a packaged CSV: scores, models, ablation, pca_shift, token_shift or gradient_norm."""
    text = (files(__package__) / "data" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def published_models() -> tuple[PublishedModel, ...]:
    """Return the 18 tuned models of Tables 1 and 5."""
    return tuple(
        PublishedModel(
            name=row["model"],
            base=row["base"],
            size=row["size"],
            method=row["method"],
            published_ti={
                "other": float(row["published_ti_other"]),
                "non": float(row["published_ti_non"]),
            },
            source=row["source"],
        )
        for row in read_table("models")
    )


def published_table() -> ScoreTable:
    """Return the scores of the 18 tuned models and their bases (Tables 9 to 11), in percent."""
    suite = load_suite("paper")
    models = {m.name: m.base for m in published_models()}
    wanted = {*models, *models.values()}
    scores: dict[str, dict[str, float]] = {}
    for row in read_table("scores"):
        if row["model"] in wanted:
            scores.setdefault(row["model"], {})[row["benchmark"]] = float(row["score"])
    return ScoreTable(Layout.of(suite.groups, suite.source), models, scores, items={})


def recompute() -> Recomputed:
    """Recompute the published cohort's index: definition ``robust``, sigma pooled over it."""
    table = published_table()
    index = cohort_index(table, scale="cohort")
    assert index.sigma is not None
    by_name = {result.model: result for result in index.models}
    return Recomputed(index.sigma, tuple((m, by_name[m.name]) for m in published_models()))
