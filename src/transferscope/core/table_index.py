"""``transferscope index``: compute indices from a score table, applying the scale rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError
from .files import read_text
from .mistaken import refuse_mistaken
from .scoretable import CohortIndex, ScoreTable, cohort_index, parse_table
from .suite import load_suite
from .typed_record import plain


@dataclass(frozen=True, slots=True)
class TableIndex:
    """The indices of a table's tuned models, and the table itself."""

    table: ScoreTable
    index: CohortIndex

    @property
    def without_n(self) -> tuple[str, ...]:
        """Rows ("model on benchmark") without n while others have it; there is no interval then."""
        if not self.table.items:
            return ()
        return tuple(
            f"{model} on {benchmark}"
            for model, row in self.table.scores.items()
            for benchmark in row
            if benchmark not in self.table.items.get(model, {})
        )

    @property
    def as_fractions(self) -> bool:
        """Whether every score is at most 1, which is unlikely for percentages."""
        return all(score <= 1.0 for row in self.table.scores.values() for score in row.values())

    def to_json(self) -> dict[str, Any]:
        """The JSON of ``transferscope index``."""
        return {
            "scale": self.index.scale,
            "definition": self.index.definition,
            "sigma": self.index.sigma,
            "models": plain(self.index.models),
        }


def index_file(
    path: Path,
    *,
    scale: str | None = None,
    definition: str = "robust",
    source: str | None = None,
    seed: int = 0,
) -> TableIndex:
    """Read a CSV file and compute the index of every tuned model in it.

    ``scale`` defaults to ``published`` if groups and benchmarks are exactly the paper's, otherwise
    to ``unit``. Raises :class:`InputError` for an invalid table (see
    :func:`~transferscope.core.scoretable.parse_table`) and for the published scale with any other
    suite.
    """
    refuse_mistaken(path)
    text = read_text(path, remedy="name a CSV file")
    table = parse_table(text, place=str(path), source=source)
    paper = load_suite("paper")
    of_paper = table.is_suite(paper)
    if scale == "published" and not of_paper:
        raise InputError(
            "scale 'published' is defined for exactly the paper's groups and benchmarks",
            place=str(path),
            remedy="use --scale unit or cohort",
        )
    chosen = scale or ("published" if of_paper else "unit")
    known = paper.sigma if chosen == "published" else None
    return TableIndex(
        table, cohort_index(table, scale=chosen, definition=definition, published=known, seed=seed)
    )
