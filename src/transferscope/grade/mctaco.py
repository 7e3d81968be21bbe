"""MC-TACO (arXiv 1909.03065): plausible answers to a question about time, yes or no each.

A question counts as exactly matched when all its candidate answers are judged right. Its F1 is over
the candidates judged plausible; precision is 1 where none was judged so, recall 1 where none is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..core.files import read_text


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of its TSV: passage, question, candidate answer, whether it is plausible."""

    passage: str
    question: str
    answer: str
    plausible: bool


def read_tsv(path: Path) -> list[Candidate]:
    """The candidates of MC-TACO's TSV. Raises :class:`InputError` naming file and line."""
    found = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) < 4 or fields[3] not in ("yes", "no"):
            what = "not passage, question, answer and yes or no, with tabs between"
            raise InputError(what, place=f"{path}:{number}", remedy="name MC-TACO's TSV")
        found.append(Candidate(fields[0], fields[1], fields[2], fields[3] == "yes"))
    if not found:
        raise InputError("holds no candidate", place=str(path), remedy="name MC-TACO's TSV")
    return found


def read_judged(path: Path, *, candidates: int) -> list[bool]:
    """One yes or no a line, as many as ``candidates``; :class:`InputError` otherwise."""
    judged = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        said = line.strip().lower()
        if said not in ("yes", "no"):
            remedy = "give one yes or no a line"
            raise InputError("neither yes nor no", place=f"{path}:{number}", remedy=remedy)
        judged.append(said == "yes")
    if len(judged) != candidates:
        what = f"{len(judged)} judgements of {candidates} candidates"
        raise InputError(what, place=str(path), remedy="give one line per line of the TSV")
    return judged


def em_and_f1(candidates: Sequence[Candidate], judged: Sequence[bool]) -> tuple[float, float]:
    """Share of questions matched exactly, and mean F1 over questions (passage and question).

    ``judged`` stands in the order of ``candidates``. Raises :class:`ValueError` for unequal lengths
    or none.
    """
    if len(candidates) != len(judged) or not candidates:
        raise ValueError(f"{len(candidates)} candidates and {len(judged)} judgements")
    questions: dict[tuple[str, str], list[tuple[bool, bool]]] = defaultdict(list)
    for candidate, said in zip(candidates, judged, strict=True):
        questions[candidate.passage, candidate.question].append((candidate.plausible, said))
    matched = [all(truth == said for truth, said in pairs) for pairs in questions.values()]
    scores = [_f1(pairs) for pairs in questions.values()]
    return sum(matched) / len(matched), sum(scores) / len(scores)


def _f1(pairs: Sequence[tuple[bool, bool]]) -> float:
    both = sum(truth and said for truth, said in pairs)
    said, true = sum(said for _, said in pairs), sum(truth for truth, _ in pairs)
    precision = both / said if said else 1.0
    recall = both / true if true else 1.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
