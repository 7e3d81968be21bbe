"""Tables of results as columns, and their conversion to pandas, polars or pyarrow data frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from typing import Any, Literal, TypeVar, get_args

from .errors import InputError

T = TypeVar("T")
Backend = Literal["pandas", "polars", "pyarrow"]
SHOWN = 20
"""Number of rows that a notebook shows of a table; the data frame has all of them."""


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Columns of equal length by name, in display order; ``None`` is a missing value.

    ``what`` says what the rows are, for example "benchmarks". Raises :class:`ValueError` for
    columns of different lengths.
    """

    what: str
    columns: Mapping[str, Sequence[Any]]

    def __post_init__(self) -> None:
        lengths = {name: len(cells) for name, cells in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different lengths: {lengths}")

    @classmethod
    def of(cls, what: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
        """The table of ``rows`` with these ``columns``; missing values become ``None``."""
        return cls(what, {name: [row.get(name) for row in rows] for name in columns})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, column: str) -> Sequence[Any]:
        """The cells of a column. Raises :class:`KeyError`, listing the known names."""
        if column not in self.columns:
            raise KeyError(f"no column {column!r}; there are {', '.join(self.columns)}")
        return self.columns[column]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows as dicts."""
        for cells in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, cells, strict=True))

    def to_frame(self, backend: Backend | None = None) -> Any:
        """Convert the table to a data frame of ``backend``, by default the first one installed.

        Raises :class:`InputError` for an unknown backend or one that is not installed.
        """
        import narwhals as nw

        return nw.from_dict(dict(self.columns), backend=_installed(backend)).to_native()

    def __repr__(self) -> str:
        names = ", ".join(self.columns)
        return f"<{len(self):,} {self.what}: {names}; .to_frame() makes a data frame>"

    def _repr_html_(self) -> str:
        """The HTML that a notebook shows: the first rows, with every cell escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        rows = [
            "".join(f"<td>{escape(_cell(cell))}</td>" for cell in row.values())
            for row, _ in zip(self, range(SHOWN), strict=False)
        ]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        more = f"<p>{len(self) - SHOWN:,} more rows</p>" if len(self) > SHOWN else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


class Records(tuple[T, ...]):
    """A tuple of msgspec structs of one kind that is a table, too."""

    __slots__ = ()

    @property
    def table(self) -> Table:
        """One row per record and one column per field; several flags are joined by commas."""
        names = type(self[0]).__struct_fields__ if self else ()  # type: ignore[attr-defined]
        return Table("records", {name: [_plain(getattr(r, name)) for r in self] for name in names})

    def to_frame(self, backend: Backend | None = None) -> Any:
        """The records as a data frame; raises as :meth:`Table.to_frame` does."""
        return self.table.to_frame(backend)

    def __repr__(self) -> str:
        return f"<{len(self):,} records; .to_frame() makes a data frame>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the first records."""
        more = f"<p>{len(self) - SHOWN:,} more rows</p>" if len(self) > SHOWN else ""
        return Records(self[:SHOWN]).table._repr_html_() + more


def _plain(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, tuple) else value


def _installed(backend: str | None) -> Any:
    known = get_args(Backend)
    if backend is None:
        found = next((name for name in known if find_spec(name) is not None), None)
    elif backend not in known:
        raise InputError(f"no backend {backend!r}", remedy=f"use one of {', '.join(known)}")
    else:
        found = backend if find_spec(backend) is not None else None
    if found is None:
        wanted = backend or "pandas or polars"
        raise InputError(f"{wanted} is not installed", remedy=f"pip install {backend or 'pandas'}")
    return found


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
