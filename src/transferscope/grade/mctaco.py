"""MC-TACO (arXiv 1909.03065): yes or no for each candidate answer to a question about time.

A question is matched exactly if all its candidates are judged correctly. Its F1 is over the
plausible candidates; precision is 1 if none was judged plausible, recall is 1 if none is.
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
    """One line of MC-TACO's TSV: passage, question, candidate answer, whether it is plausible."""

    passage: str
    question: str
    answer: str
    plausible: bool


def read_tsv(path: Path) -> list[Candidate]:
    """Read the candidates of MC-TACO's TSV. Raises :class:`InputError` naming file and line."""
    found = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) < 4 or fields[3] not in ("yes", "no"):
            what = "is not passage, question, answer and yes or no, separated by tabs"
            raise InputError(what, place=f"{path}:{number}", remedy="name MC-TACO's TSV")
        found.append(Candidate(fields[0], fields[1], fields[2], fields[3] == "yes"))
    if not found:
        raise InputError("has no candidates", place=str(path), remedy="name MC-TACO's TSV")
    return found


def read_judged(path: Path, *, candidates: int) -> list[bool]:
    """Read one yes or no per line, ``candidates`` in all. Raises :class:`InputError` otherwise."""
    judged = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        said = line.strip().lower()
        if said not in ("yes", "no"):
            remedy = "give one yes or no per line"
            raise InputError("is neither yes nor no", place=f"{path}:{number}", remedy=remedy)
        judged.append(said == "yes")
    if len(judged) != candidates:
        what = f"has {len(judged)} judgements for {candidates} candidates"
        raise InputError(what, place=str(path), remedy="give one line per line of the TSV")
    return judged


def em_and_f1(candidates: Sequence[Candidate], judged: Sequence[bool]) -> tuple[float, float]:
    """Return the share of questions matched exactly, and the mean F1 over questions, both 0..1.

    A question is a pair of passage and question. ``judged`` is in the order of ``candidates``.
    Raises :class:`ValueError` for unequal lengths or empty input.
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
