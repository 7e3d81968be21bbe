"""Tables that fit any terminal: names stay readable, numbers stay whole, spare columns go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from rich.table import Table

NAME_WIDTH = 16
"""Width that a column of names keeps before the table drops a column of numbers."""


@dataclass(slots=True)
class Column:
    """A column: its head, its cells, and whether its text may wrap (names) or not (numbers).

    ``spare``: a column with a value above 0 may be dropped if the table is too wide, the largest
    value first; columns with the same value are dropped together.
    """

    head: str
    cells: list[str | Text] = field(default_factory=list)
    folds: bool = False
    spare: int = 0
    left: bool = False

    @property
    def width(self) -> int:
        """Width of the widest entry, in terminal cells."""
        return max(cell_len(str(entry)) for entry in (self.head, *self.cells))


def fitted_table(
    title: str,
    columns: Sequence[Column],
    width: int,
    *,
    names: int = NAME_WIDTH,
    sections: Sequence[int] = (),
) -> Table:
    """Return a table of the columns that fit ``width``; ``sections`` are rows that end a section.

    Columns of names keep their full width if it fits, and at least ``names`` cells of it if not.
    """
    shown = list(columns)
    while _needed(shown, names) > width and (least := max(column.spare for column in shown)):
        shown = [column for column in shown if column.spare < least]
    table = plain_table(title)
    if _needed(shown, names) > width:
        names = 4  # in a very narrow terminal, keep the numbers whole
    for column in shown:
        if column.folds:
            least_width = min(column.width, names)
            table.add_column(Text(column.head), overflow="fold", min_width=least_width)
        else:
            justify = "left" if column.left else "right"
            table.add_column(Text(column.head), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for at, cells in enumerate(zip(*(column.cells for column in shown), strict=True)):
        row = [cell if isinstance(cell, Text) else Text(cell) for cell in cells]
        table.add_row(*row, end_section=at in sections)
    return table


def _needed(columns: Sequence[Column], names: int) -> int:
    """Width of a line in which each name has ``names`` cells, or fewer if it is shorter."""
    between = 2 * (len(columns) - 1)
    return between + sum(min(c.width, names) if c.folds else c.width for c in columns)


def plain_table(title: str) -> Table:
    """Return an empty table with a title and without a frame."""
    from rich import box
    from rich.table import Table

    return Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
