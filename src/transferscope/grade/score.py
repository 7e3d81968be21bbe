"""``score``: grading of saved responses, with one function per grader in :data:`GRADERS`.

A grader maps the saved responses (and its own kind of gold file) to mean metrics and a verdict per
response. The verdicts also give the agreement with reference labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..core.artefacts import flags_of
from ..core.errors import InputError
from ..core.files import write_atomically
from ..core.plugins import plugins
from ..core.records import Tick, no_tick
from ..core.right_answers import is_right
from . import mctaco
from .choice import UNKNOWN, letter
from .code_responses import grade_code
from .gold import final, gold_problems, instructions_of
from .graded import Graded, Grader
from .maths import finished, is_correct
from .qa import against, exact_match, f1
from .rendered import Prompts
from .saved import Saved, SavedResponse, graded_lines

MCTACO = "mctaco"
FEWEST_WITH_I = 10
"""Number of options in MMLU-Pro, the first common benchmark to reach the letter I."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The result of ``transferscope score`` for a file of ``n`` responses."""

    grader: str
    n: int
    metrics: dict[str, float]
    label_agreement: float | None
    unmatched: tuple[str, ...]
    flags: dict[str, int]
    notes: tuple[str, ...] = ()
    """How the file's fields were read, one line each; shown to the user, not in the JSON."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of ``transferscope score``."""
        return {
            "grader": self.grader,
            "n": self.n,
            "metrics": self.metrics,
            "label_agreement": self.label_agreement,
            "unmatched": list(self.unmatched),
            "flags": self.flags,
        }


def score(
    grader: str,
    file: Path,
    gold: Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    out: Path | None = None,
    tick: Tick = no_tick,
) -> Scored:
    """Grade the saved responses of ``file``; metrics are over the responses that have a gold.

    ``columns`` maps our field names to the file's. The graded answers are written to ``out`` as
    JSON lines that ``compare`` and ``import`` read. Raises :class:`InputError` for an unknown
    grader, for unreadable files, and if no response has a gold; :class:`MissingExtra` without the
    grader's library.
    """
    if grader == MCTACO:
        if out is not None:
            raise InputError("mctaco does not grade single answers", remedy="leave out --out")
        return _mctaco(file, gold)
    found = _grader(grader)
    if out is not None and out.exists() and any(out.samefile(p) for p in (file, gold) if p):
        what = "is one of the input files and would be overwritten"
        raise InputError(what, place=str(out), remedy="name another file: --out FILE")
    saved = Saved(file, columns)
    rows = list(saved)
    graded = found(rows, gold, tick)
    if len(graded.unmatched) == len(rows):
        remedy = "give 'gold' on every line, or a file: --gold FILE"
        raise InputError("no response has a gold answer", place=str(file), remedy=remedy)
    labels = [row.label == graded.verdicts[row.id] for row in rows if _judged(row, graded)]
    flags = Counter(
        flag
        for row in rows
        for flag in flags_of(row.response, finish=row.finish, prompt=row.prompt).flags
    )
    if out is not None:
        write_atomically(out, graded_lines(rows, graded.verdicts))
    return Scored(
        grader,
        len(rows),
        graded.metrics,
        sum(labels) / len(labels) if labels else None,
        graded.unmatched,
        dict(flags.most_common()),
        saved.notes,
    )


def grade_math(rows: Sequence[SavedResponse], gold: Path | None, tick: Tick) -> Graded:
    """Grade by :mod:`.maths`; a gold file is joined by finding its problems in the prompts.

    If boxes are used, the metrics also have ``finished``, the share of responses whose last box is
    closed, and the accuracy of these. They are the easier items, so their accuracy does not
    estimate what the others would have scored.
    """
    answers: Mapping[str, str | list[str]] = (
        gold_problems(rows, gold) if gold else {r.id: _maths_gold(r) for r in _with_gold(rows)}
    )
    verdicts: dict[str, bool] = {}
    graded = [row for row in rows if row.id in answers]
    for at, row in enumerate(graded):
        tick("score", at, len(graded))
        verdicts[row.id] = is_correct(row.response, answers[row.id])
    plain = _accuracy(rows, verdicts)
    closed = [verdicts[row.id] for row in graded if finished(row.response)]
    if not closed:
        return plain
    split = {"finished": len(closed) / len(graded), "accuracy_finished": _mean(closed)}
    return replace(plain, metrics=plain.metrics | split)


def _maths_gold(row: SavedResponse) -> str | list[str]:
    """Return the gold; of a list, any is right."""
    if not isinstance(row.gold, list):
        return final(str(row.gold))
    if not row.gold or not all(isinstance(gold, str | int | float) for gold in row.gold):
        what = "'gold' is neither an answer nor a list of answers"
        raise InputError(what, place=row.place, remedy="give one reference answer or a list")
    return [final(str(gold)) for gold in row.gold]


def grade_choice(rows: Sequence[SavedResponse], gold: Path | None, _: Tick) -> Graded:
    """Grade the letter that a reply commits to (:func:`.choice.letter`).

    ``gold`` is a letter, a list of letters any of which is right, or "none" if no letter is right.
    """
    _no_file(gold, "choice")
    golds = {row.id: _letters(row) for row in _with_gold(rows)}
    # A file whose golds reach "I" has that many options, and "The answer is I." names one of them.
    furthest = max((one for right in golds.values() for one in right), default="A")
    options = UNKNOWN if furthest < "I" else max(ord(furthest) - ord("A") + 1, FEWEST_WITH_I)
    said = {row.id: letter(row.response, min(options, UNKNOWN)) for row in _with_gold(rows)}
    return _accuracy(rows, {id_: said[id_] in golds[id_] for id_ in golds})


def _letters(row: SavedResponse) -> frozenset[str]:
    """Return a row's right letters. Raises :class:`InputError` for anything but letters."""
    if row.gold == "none":
        return frozenset()
    told = row.gold if isinstance(row.gold, list) else [row.gold]
    letters = [str(one).strip().strip("().").upper() for one in told]
    if not letters or not all(len(one) == 1 and "A" <= one <= "Z" for one in letters):
        what = f"gold {row.gold!r} is not a letter"
        remedy = "give the right option's letter, or a list of letters"
        raise InputError(what, place=row.place, remedy=remedy)
    return frozenset(letters)


def grade_qa(rows: Sequence[SavedResponse], gold: Path | None, _: Tick) -> Graded:
    """Grade EM and F1 by :mod:`.qa`; ``gold`` is a text or a list of texts, any of them right."""
    _no_file(gold, "qa")
    matched: dict[str, float] = {}
    overlap: list[float] = []
    for row in _with_gold(rows):
        golds = row.gold if isinstance(row.gold, list) else [row.gold]
        if not golds or not all(isinstance(text, str) for text in golds):
            what = "'gold' is neither text nor a list of texts"
            raise InputError(what, place=row.place, remedy="give one reference text or a list")
        matched[row.id] = against(row.response, golds, exact_match)
        overlap.append(against(row.response, golds, f1))
    if not matched:
        return Graded({}, {}, tuple(row.id for row in rows))
    metrics = {"em": _mean(list(matched.values())), "f1": _mean(overlap)}
    verdicts = {id_: is_right(value) for id_, value in matched.items()}
    return Graded(metrics, verdicts, tuple(row.id for row in rows if row.id not in matched))


def grade_ifeval(rows: Sequence[SavedResponse], gold: Path | None, tick: Tick) -> Graded:
    """Grade IFEval's four accuracies; ``gold`` is its input data, joined on the prompt.

    The saved prompt may contain a chat template and a system prompt (:class:`.rendered.Prompts`).
    The accuracies are comparable with published ones. If mending four checkers makes a
    difference, ``strict_mended`` has that accuracy; the verdicts are based on it.
    """
    from .ifeval import DIFFERENT, loose, strict

    if gold is None:
        remedy = "name IFEval's input_data.jsonl: --gold FILE"
        raise InputError("ifeval needs the instructions file", remedy=remedy)
    asked = instructions_of(gold)
    prompts = Prompts(asked)
    followed: dict[str, list[tuple[bool, ...]]] = {name: [] for name in ("strict", "loose")}
    mended: dict[str, tuple[bool, ...]] = {}
    for at, row in enumerate(rows):
        tick("score", at, len(rows))
        if (prompt := prompts.find(row.prompt)) is None:
            continue
        given = (prompt, row.response, asked[prompt])
        try:
            mended[row.id] = strict(*given)
            published = mended[row.id]
            if any(instruction.id in DIFFERENT for instruction in asked[prompt]):
                published = strict(*given, as_published=True)
            followed["strict"].append(published)
            followed["loose"].append(loose(*given, as_published=True, known=published))
        except KeyError as err:
            remedy = "correct its instruction_id_list, or update lm-eval"
            raise InputError(f"unknown instruction {err}", place=str(gold), remedy=remedy) from None
    metrics: dict[str, float] = {}
    for name, results in followed.items():
        metrics |= _accuracies(name, results)
    if list(mended.values()) != followed["strict"]:
        metrics |= _accuracies("strict_mended", list(mended.values()))
    verdicts = {id_: all(result) for id_, result in mended.items()}
    return Graded(metrics, verdicts, tuple(row.id for row in rows if row.id not in verdicts))


def _accuracies(name: str, results: Sequence[tuple[bool, ...]]) -> dict[str, float]:
    """Return IFEval's accuracy by prompt and by instruction."""
    if not results:
        return {}
    return {
        f"prompt_{name}": _mean([all(result) for result in results]),
        f"instruction_{name}": _mean([one for result in results for one in result]),
    }


def _mctaco(file: Path, gold: Path | None) -> Scored:
    """Grade MC-TACO; FILE has one yes or no per line, in the order of MC-TACO's TSV."""
    if gold is None:
        raise InputError("mctaco needs MC-TACO's TSV", remedy="name it: --gold FILE")
    candidates = mctaco.read_tsv(gold)
    judged = mctaco.read_judged(file, candidates=len(candidates))
    em, f1_ = mctaco.em_and_f1(candidates, judged)
    return Scored(MCTACO, len(candidates), {"em": em, "f1": f1_}, None, (), {})


GRADERS: dict[str, Grader] = {
    "math": grade_math,
    "choice": grade_choice,
    "qa": grade_qa,
    "ifeval": grade_ifeval,
    "code": grade_code,
}
"""Grader functions by name; :data:`MCTACO` is separate because it reads judgements."""


def _grader(name: str) -> Grader:
    if name in GRADERS:
        return GRADERS[name]
    outside: Mapping[str, Grader] = plugins("graders")
    if name in outside:
        return outside[name]
    known = ", ".join([*GRADERS, MCTACO, *outside])
    raise InputError(f"unknown grader {name!r}", remedy=f"use one of {known}")


def _judged(row: SavedResponse, graded: Graded) -> bool:
    return row.label is not None and row.id in graded.verdicts


def _with_gold(rows: Sequence[SavedResponse]) -> list[SavedResponse]:
    return [row for row in rows if row.gold is not None]


def _no_file(gold: Path | None, grader: str) -> None:
    if gold is not None:
        remedy = "give 'gold' on every line of FILE"
        raise InputError(f"{grader} takes no gold file", place=str(gold), remedy=remedy)


def _accuracy(rows: Sequence[SavedResponse], verdicts: dict[str, bool]) -> Graded:
    unmatched = tuple(row.id for row in rows if row.id not in verdicts)
    metrics = {"accuracy": _mean(list(verdicts.values()))} if verdicts else {}
    return Graded(metrics, verdicts, unmatched)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
