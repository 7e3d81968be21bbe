"""Tables for a terminal of any width: names stay readable, no number is cut, columns give way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from rich.table import Table

NAME_WIDTH = 16
"""Cells that a column of names gets before a table drops a column of numbers."""


@dataclass(slots=True)
class Column:
    """A column: its head, its cells, and whether it may fold over lines (names) or not (numbers).

    ``spare``: above 0 the column is dropped where there is no room, the largest first; columns
    with the same number go together.
    """

    head: str
    cells: list[str | Text] = field(default_factory=list)
    folds: bool = False
    spare: int = 0
    left: bool = False

    @property
    def width(self) -> int:
        """Cells of the widest entry."""
        return max(cell_len(str(entry)) for entry in (self.head, *self.cells))


def fitted_table(
    title: str,
    columns: Sequence[Column],
    width: int,
    *,
    names: int = NAME_WIDTH,
    sections: Sequence[int] = (),
) -> Table:
    """The columns that fit ``width`` as a table; ``sections`` are the rows that end one.

    Columns of names get their own width, at most ``names`` where numbers need the room.
    """
    shown = list(columns)
    while _needed(shown, names) > width and (least := max(column.spare for column in shown)):
        shown = [column for column in shown if column.spare < least]
    table = plain_table(title)
    if _needed(shown, names) > width:
        names = 4  # a very narrow terminal: numbers stay whole
    for column in shown:
        if column.folds:
            room = min(column.width, names)
            table.add_column(Text(column.head), overflow="fold", min_width=room)
        else:
            justify = "left" if column.left else "right"
            table.add_column(Text(column.head), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for at, cells in enumerate(zip(*(column.cells for column in shown), strict=True)):
        row = [cell if isinstance(cell, Text) else Text(cell) for cell in cells]
        table.add_row(*row, end_section=at in sections)
    return table


def _needed(columns: Sequence[Column], names: int) -> int:
    """Cells of a line in which names have ``names`` cells or all that they need."""
    between = 2 * (len(columns) - 1)
    return between + sum(min(c.width, names) if c.folds else c.width for c in columns)


def plain_table(title: str) -> Table:
    """A titled table without a frame."""
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
