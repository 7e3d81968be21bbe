"""A comparison together with its runs: tables, charts and the page, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.errors import InputError
from .core.frames import Table
from .core.nearest import did_you_mean
from .core.right_answers import is_right
from .documents.comparison import Comparison, PlanePoint, TunedResult
from .runs import Pairing, Run, pair

if TYPE_CHECKING:
    from altair import TopLevelMixin

    from .core.index import IndexResult

FLIPS = (
    "model",
    "group",
    "benchmark",
    "id",
    "change",
    "base",
    "tuned",
    "base_flags",
    "tuned_flags",
)
OUTCOMES = (
    "model",
    "group",
    "benchmark",
    "id",
    "weight",
    "base",
    "tuned",
    "base_flags",
    "tuned_flags",
)


class ComparisonView(Comparison):
    """A :class:`~transferscope.documents.comparison.Comparison` for interactive use.

    ``view["model"]`` is one tuned model. ``benchmarks``, ``flips`` and ``outcomes`` are tables of
    all models; their ``.to_frame()`` returns a data frame. ``figures["plane"]`` and the other
    figures are Altair charts.
    """

    _runs: tuple[Run, ...]

    @classmethod
    def of(cls, comparison: Comparison, base: Run, tuned: Sequence[Run]) -> ComparisonView:
        """Return the view of a ``comparison`` of these runs."""
        view = cls(**{f.name: getattr(comparison, f.name) for f in fields(comparison)})
        object.__setattr__(view, "_runs", (base, *tuned))
        return view

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the tuned models."""
        return tuple(result.model for result in self.tuned)

    def __getitem__(self, model: str) -> ModelView:
        """Return one tuned model. Raises :class:`KeyError`, which suggests the nearest name."""
        for result in self.tuned:
            if result.model == model:
                return ModelView(self, result)
        raise KeyError(f"no tuned model {model!r}; {did_you_mean(model, self.models)}")

    @cached_property
    def benchmarks(self) -> Table:
        """One row per model and benchmark: scores in percent, changes in points, tests, flips."""
        from .report.csv import COLUMNS, flat_rows

        return Table.of("benchmarks", flat_rows(self), COLUMNS)

    @cached_property
    def flips(self) -> Table:
        """Items that only one of the two models, base or tuned, got right."""
        rows = []
        for row in self._items():
            before, after = is_right(row["base"]), is_right(row["tuned"])
            if before != after:
                rows.append(row | {"change": "lost" if before else "won"})
        return Table.of("flipped items", rows, FLIPS)

    @cached_property
    def outcomes(self) -> Table:
        """Items that both base and tuned model answered: mean scores (0..1) and artefact flags."""
        return Table.of("paired items", list(self._items()), OUTCOMES)

    @cached_property
    def figures(self) -> Mapping[str, TopLevelMixin]:
        """The report's charts as Altair charts, by name."""
        return Figures(self)

    def save_html(self, path: str | Path) -> Path:
        """Write the report as one HTML file that needs no network, and return its path.

        Raises :class:`InputError` if the file can't be written.
        """
        from .core.files import write_atomically
        from .report import ReportInput, render_html

        title = f"{self.base} and its tuned models"
        path = Path(path)
        if not path.parent.is_dir():
            raise InputError(f"no folder {path.parent}", place=str(path), remedy="create it first")
        write_atomically(path, render_html(ReportInput(title=title, comparison=self)))
        return path

    def _repr_html_(self) -> str:
        """Return a table with every model's gain, retention and verdict."""
        from .report.verdict import headline

        rows = [
            f"<tr><td>{escape(result.model)}</td>"
            f"<td>{_change(result.plane.get(self.source))}</td><td>{_change(result.retention)}</td>"
            f"<td>{escape(headline(result, self.source))}</td></tr>"
            for result in self.tuned
        ]
        heads = ("model", f"gain on {self.source}, points", "retention, points", "verdict")
        head = "".join(f"<th>{escape(text)}</th>" for text in heads)
        caption = f"<caption>{escape(self._title())}</caption>"
        return (
            f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )

    def _items(self) -> Iterator[dict[str, Any]]:
        base, *tuned = self._runs
        kept = [run for run in tuned if run.manifest.model.name in self.models]
        for run in kept:
            yield from _paired_items(run.manifest.model.name, pair(base, run), self.group_of)

    @cached_property
    def group_of(self) -> Mapping[str, str]:
        """The group that each benchmark belongs to."""
        return {name: group for group, names in self.groups.items() for name in names}


@dataclass(frozen=True, slots=True, repr=False)
class ModelView:
    """One tuned model of a :class:`ComparisonView`."""

    comparison: ComparisonView
    result: TunedResult

    @property
    def plane(self) -> Mapping[str, PlanePoint]:
        """The mean change of every group in points, with interval and test."""
        return self.result.plane

    @property
    def retention(self) -> PlanePoint | None:
        """The mean change over all groups but the source; ``None`` if there is no other group."""
        return self.result.retention

    @property
    def index(self) -> IndexResult | None:
        """The Transferability Index (robust definition); ``None`` if there is no source group."""
        return self.result.index

    @property
    def verdict(self) -> str:
        """The verdict in sentences, as in every report."""
        from .report.verdict import headline, verdicts

        source = self.comparison.source
        return " ".join([headline(self.result, source), *verdicts(self.result, source)])

    @property
    def benchmarks(self) -> Table:
        """One row per benchmark; see :attr:`ComparisonView.benchmarks`."""
        return self._own(self.comparison.benchmarks)

    @property
    def flips(self) -> Table:
        """This model's flipped items; see :attr:`ComparisonView.flips`."""
        return self._own(self.comparison.flips)

    @property
    def outcomes(self) -> Table:
        """This model's paired items; see :attr:`ComparisonView.outcomes`."""
        return self._own(self.comparison.outcomes)

    def _own(self, table: Table) -> Table:
        rows = [row for row in table if row["model"] == self.result.model]
        return Table.of(table.what, rows, list(table.columns))

    def __repr__(self) -> str:
        return f"<{self.result.model}: {self.verdict[:300]}>"


class Figures(Mapping[str, Any]):
    """Charts by name, each built on access."""

    def __init__(self, comparison: Comparison) -> None:
        from .report.figures import benchmark_deltas, group_bars, plane

        every = [plane(comparison), *group_bars(comparison), *benchmark_deltas(comparison)]
        self._figures = {figure.id: figure for figure in every if figure is not None}

    def __getitem__(self, name: str) -> Any:
        """Return an Altair chart. Raises :class:`KeyError`, which suggests the nearest name."""
        import altair

        if name not in self._figures:
            raise KeyError(f"no figure {name!r}; {did_you_mean(name, self._figures)}")
        figure = self._figures[name]
        spec = {"$schema": altair.SCHEMA_URL, **figure.spec, "title": figure.title}
        return altair.Chart.from_dict(spec)

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def __repr__(self) -> str:
        return f"<figures: {', '.join(self)}>"


def _paired_items(
    model: str, pairing: Pairing, group_of: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield a row per item of every paired benchmark; scores are 0..1, flags joined by commas."""
    for name, part in pairing.benchmarks.items():
        for at, id_ in enumerate(part.ids):
            yield {
                "model": model,
                "group": group_of.get(name),
                "benchmark": name,
                "id": id_,
                "weight": float(part.weights[at]),
                "base": float(part.base_scores[at]),
                "tuned": float(part.tuned_scores[at]),
                "base_flags": ", ".join(part.base_flags[at]),
                "tuned_flags": ", ".join(part.tuned_flags[at]),
            }


def _change(point: PlanePoint | None) -> str:
    if point is None:
        return "not compared"
    low, high = point.ci
    bounds = "" if low != low else f" ({low:.1f} to {high:.1f})"  # noqa: PLR0124 - NaN
    return f"{point.gain:+.1f}{bounds}"
