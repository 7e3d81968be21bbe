"""Short display of a document in a notebook or with rich: a title and a small table.

The full tables and sentences are in the report package, which depends on the documents and not the
other way round. Names may come from other programs' files, so they are escaped.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from ..core.shown import name
from ..core.typed_record import Document

ROWS_SHOWN = 12
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")


def short_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A title and a Markdown table of up to :data:`ROWS_SHOWN` rows; says how many are left out."""
    every = list(rows)
    lines = [heads, [":--"] + ["--:"] * (len(heads) - 1)]
    table = ["| " + " | ".join(line) + " |" for line in lines[1:]]
    shown = ["| " + " | ".join(map(_escaped, line)) + " |" for line in [heads, *every[:ROWS_SHOWN]]]
    left = len(every) - ROWS_SHOWN
    more = [f"\nand {left} more"] if left > 0 else []
    return "\n".join([f"**{_escaped(title)}**", "", shown[0], *table, *shown[1:], *more])


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", name(text))


class Shown(Document, ABC):
    """A document that is displayed as a title and a table."""

    @abstractmethod
    def _title(self) -> str:
        """What the table is about."""

    @abstractmethod
    def _table(self) -> tuple[Sequence[str], list[Sequence[str]]]:
        """Column heads and rows."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {name(self._title())}>"

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return short_table(self._title(), *self._table())

    def __rich__(self) -> Any:
        """What ``rich.print`` shows."""
        from rich.markdown import Markdown

        return Markdown(self._repr_markdown_())
