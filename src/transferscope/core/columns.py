"""Match a file's columns to our fields.

The names are settled once per file, from its first rows. What the user specifies
(``--field NAME=COLUMN``, or ``[columns]`` in a ``--map`` file) takes precedence, then our own
names, then the names common in other programs (:mod:`.fieldnames`). A common name is accepted only
if its values are of the right kind, and every such guess is reported (:attr:`Names.said`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .fieldnames import CONTEXT, KNOWN, LAST, MESSAGES, SERIALS, folded, is_said, is_text
from .shown import name as shown

SNIFFED = 50
"""Number of rows from which a file's names are settled."""


@dataclass(frozen=True, slots=True)
class Names:
    """``column`` maps our field names to the file's; ``also`` is a column appended to the prompt.

    ``guessed`` lists fields that the user did not map and that the file calls by another name.
    """

    column: Mapping[str, str]
    guessed: tuple[str, ...] = ()
    also: str = ""

    @property
    def said(self) -> str:
        """The guessed mapping on one line; empty if nothing was guessed."""
        if not self.guessed:
            return ""
        pairs = [f"{name} = {shown(self.column[name])}" for name in self.guessed]
        if "prompt" in self.guessed and self.also:
            pairs = [f"{p} + {shown(self.also)}" if p.startswith("prompt =") else p for p in pairs]
        return f"read {', '.join(pairs)}; if that is wrong, use --field NAME=COLUMN"


def settle(
    rows: Sequence[Mapping[str, Any]],
    given: Mapping[str, str],
    *,
    wanted: Iterable[str] = KNOWN,
) -> Names:
    """The names of a file whose first rows are ``rows``; only the ``wanted`` fields are looked for.

    ``given`` is accepted as it is: its column may be missing here and occur further down.
    """
    asked = set(wanted)
    file = _File(rows, [name for name in KNOWN if name in asked], given)
    file.take_own()
    if "response" in asked:
        file.take_response()
    for name in file.wanted:
        if name == "gold" and "response" not in file.column:
            continue  # there is no response to compare the reference with
        if name not in file.column and (column := file.first(name)):
            file.take(name, column)
    file.drop_row_numbers()
    guessed = tuple(name for name in KNOWN if name in file.guessed)
    return Names(file.column, guessed, file.context())


class _File:
    """A file's columns while its names are being settled: those already taken, and the guesses."""

    def __init__(
        self, rows: Sequence[Mapping[str, Any]], wanted: list[str], given: Mapping[str, str]
    ) -> None:
        self.wanted = wanted
        self.values: dict[str, list[Any]] = {}
        for row in rows[:SNIFFED]:
            for name, value in row.items():
                found = self.values.setdefault(name, [])
                if value is not None and value != "":
                    found.append(value)
        self.folded = {folded(name): name for name in reversed(self.values)}
        self.column = {name: given[name] for name in wanted if name in given}
        self.taken = set(given.values())
        self.guessed: set[str] = set()

    def take(self, name: str, column: str) -> None:
        """Map ``column`` to our ``name`` as a guess; no other field can use the column then."""
        self.column[name] = column
        self.taken.add(column)
        self.guessed.add(name)

    def take_own(self) -> None:
        """Take the columns that have our own names; drop those whose values can't fit."""
        for name in self.wanted:
            if name in self.column or name not in self.values or name in self.taken:
                continue
            if name == "id" and "custom_id" in self.values:
                self.take("id", "custom_id")  # a batch's own ids differ from batch to batch
            elif not (name == "label" and self._is_gold()):
                self.column[name] = name
        self.taken |= set(self.column.values())
        if self.column.keys() & {"score", "percent"}:
            self.wanted = [name for name in self.wanted if name not in ("score", "percent")]

    def take_response(self) -> None:
        """Take a response column, else the end of a chat, else one of the :data:`LAST` names."""
        chat = next(
            (
                column
                for column, found in self.values.items()
                if folded(column) in MESSAGES and column not in self.taken and found
                if all(isinstance(value, list) for value in found)
            ),
            "",
        )
        said = "" if "response" in self.column else self.first("response")
        if chat and not said and "response" not in self.column:
            self.take("response", chat)
        if chat and "prompt" not in self.column:
            self.take("prompt", chat)
        if said:
            self.take("response", said)
        elif "response" not in self.column and "score" not in self.column:
            self._take_last()

    def _take_last(self) -> None:
        for candidate in LAST:
            column = self.folded.get(candidate, "")
            if self._fits(column, is_said):
                self.taken.add(column)
                if self.first("gold") or not self.first("prompt"):
                    self.take("response", column)
                    return
                self.taken.remove(column)

    def first(self, name: str) -> str:
        """The most specific unused column for ``name`` whose values are of its kind."""
        kind, known = KNOWN[name]
        columns = (self.folded.get(candidate, "") for candidate in (name, *known))
        return next((column for column in columns if self._fits(column, kind)), "")

    def drop_row_numbers(self) -> None:
        """Accept a serial number as an item id only if its row has an answer."""
        guess = self.column.get("id", "") if "id" in self.guessed else ""
        if folded(guess) in SERIALS and "response" not in self.column:
            self.guessed.remove("id")
            del self.column["id"]

    def context(self) -> str:
        """The column that is appended to the prompt, if there is one."""
        if folded(self.column.get("prompt", "")) not in ("instruction", "question"):
            return ""
        columns = (self.folded.get(name, "") for name in CONTEXT)
        return next((column for column in columns if self._fits(column, is_text)), "")

    def _fits(self, column: str, kind: Callable[[Any], bool]) -> bool:
        found = self.values.get(column) if column and column not in self.taken else None
        return bool(found) and all(map(kind, found or ()))

    def _is_gold(self) -> bool:
        """Whether "label" is the reference answer, as it is next to LLaMA-Factory's "predict"."""
        if "gold" not in self.wanted or self.values.keys() & {"gold", "response"}:
            return False
        return any(isinstance(value, str) for value in self.values["label"])
