"""``audit``: detection of artefacts in saved answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.artefacts import flags_of
from ..core.artefacts_against import SCRIPT, STYLE, script_changed, style_openings
from ..core.constant_answer import CONSTANT, closed, constant_among
from .saved import Saved


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One answer: its flags, and the subset that was inferred from texts."""

    id: str
    flags: tuple[str, ...]
    inferred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """All answers of a file. ``not_measured`` names the flags that need the base's answers.

    ``unmatched`` lists ids that only one of the two files has. ``notes`` say how the file's fields
    were read.
    """

    rows: tuple[AuditRow, ...]
    not_measured: tuple[str, ...]
    unmatched: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Count answers per flag, the most frequent flag first."""
        return dict(Counter(flag for row in self.rows for flag in row.flags).most_common())

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of ``transferscope audit``."""
        return {
            "n": len(self.rows),
            "flags": self.counts,
            "rows": [
                {"id": row.id, "flags": list(row.flags), "inferred": list(row.inferred)}
                for row in self.rows
            ],
            "not_measured": list(self.not_measured),
            "unmatched": list(self.unmatched),
        }


def audit(
    path: Path, base: Path | None = None, *, columns: Mapping[str, str] | None = None
) -> Audit:
    """Flag the saved responses at ``path``; compare style and script with those at ``base``.

    Answers are joined by id; ``columns`` maps our field names to the files' columns. Raises
    :class:`InputError` as :class:`.saved.Saved` does.
    """
    mine = Saved(path, columns)
    rows, texts, answers = [], {}, []
    for saved in mine:
        flags, inferred = flags_of(saved.response, finish=saved.finish, prompt=saved.prompt)
        rows.append(AuditRow(saved.id, flags, inferred))
        answers.append(closed(saved.response))
        if base is not None:
            texts[saved.id] = saved.response
    if constant := constant_among(answers):
        rows = [
            _with(row, [CONSTANT] if answer == constant.answer else [])
            for row, answer in zip(rows, answers, strict=True)
        ]
    if base is None:
        return Audit(tuple(rows), (STYLE, SCRIPT), (), mine.notes)
    others = Saved(base, columns)
    theirs = {saved.id: saved.response for saved in others}
    shared = [id_ for id_ in texts if id_ in theirs]
    styled = style_openings([theirs[i] for i in shared], [texts[i] for i in shared])
    found = dict(zip(shared, styled, strict=True))
    joined = []
    for row in rows:
        more = [STYLE] if found.get(row.id) else []
        if row.id in found and script_changed(theirs[row.id], texts[row.id]):
            more.append(SCRIPT)
        joined.append(_with(row, more))
    unmatched = [*(i for i in texts if i not in theirs), *(i for i in theirs if i not in texts)]
    notes = (*mine.notes, *(f"{base}: {note}" for note in others.notes))
    return Audit(tuple(joined), (), tuple(unmatched), notes)


def _with(row: AuditRow, more: list[str]) -> AuditRow:
    return AuditRow(row.id, (*row.flags, *more), (*row.inferred, *more)) if more else row
