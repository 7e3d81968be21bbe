"""Plain tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence, Set

from .shared import console


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Set[str] = frozenset()
) -> None:
    """Print ``rows`` below ``heads``; the columns named in ``right`` are aligned to the right."""
    from rich.table import Table
    from rich.text import Text

    from ..core.shown import name

    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="right" if head in right else "left")
    for row in rows:
        table.add_row(*(Text(name(cell)) for cell in row))
    console().print(table)
