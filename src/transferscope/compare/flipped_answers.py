"""What needs the answers' texts: flipped items to show, and flags relative to the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.artefacts_against import SCRIPT, STYLE, script_changed, style_openings
from ..core.constant_answer import constant_answer
from ..core.records import Response
from ..core.right_answers import is_right
from ..documents.comparison import AgainstBase, FlippedItem
from ..runs import Run
from .benchmark import Benchmark

Texts = Mapping[tuple[str, int], Response]


@dataclass(frozen=True, slots=True)
class Answers:
    """One model's flipped items to show, and its flags relative to the base by benchmark."""

    flipped: tuple[FlippedItem, ...]
    against: Mapping[str, AgainstBase]


def answers_of(
    base: Run, tuned: Sequence[Run], compared: Sequence[Mapping[str, Benchmark]], *, limit: int
) -> list[Answers]:
    """Every model's answers, with up to ``limit`` lost and won items per benchmark.

    With a limit of 0 no text is read. One benchmark's texts are held in memory at a time, and the
    base's are read once for all models.
    """
    flipped: list[list[FlippedItem]] = [[] for _ in tuned]
    against: list[dict[str, AgainstBase]] = [{} for _ in tuned]
    every = (name for one in compared for name, benchmark in one.items() if benchmark.ids)
    for name in dict.fromkeys(every):
        base_texts = base.responses(name) if limit else {}
        if not base_texts:
            continue
        for at, (run, benchmarks) in enumerate(zip(tuned, compared, strict=True)):
            answered = name in benchmarks and benchmarks[name].ids
            if not answered or not (tuned_texts := run.responses(name)):
                continue
            texts = (base_texts, tuned_texts)
            flipped[at] += _flipped(name, benchmarks[name], (base, run), texts, limit)
            if (found := _against(base_texts, tuned_texts)) is not None:
                against[at][name] = found
    return [Answers(tuple(f), a) for f, a in zip(flipped, against, strict=True)]


def _against(base: Texts, tuned: Texts) -> AgainstBase | None:
    keys = [key for key in tuned if key in base]
    if not keys:
        return None
    before, after = [base[k].response for k in keys], [tuned[k].response for k in keys]
    changed = sum(map(script_changed, before, after))
    flags = {STYLE: sum(style_openings(before, after)), SCRIPT: changed}
    return AgainstBase(len(keys), flags, constant_answer(before), constant_answer(after))


def _flipped(
    name: str,
    benchmark: Benchmark,
    runs: tuple[Run, Run],
    texts: tuple[Texts, Texts],
    limit: int,
) -> list[FlippedItem]:
    """The first lost and won items whose answers both runs kept.

    An item with several repeats is right if their mean is; what is shown is each run's first answer
    that has the same verdict as its item.
    """
    scored = [_by_item(run, name) for run in runs]
    shown = []
    for kind, ids in benchmark.flipped_ids().items():
        found: list[FlippedItem] = []
        for id_ in ids:
            if len(found) == limit:
                break
            asked = scored[0][id_]
            # Repeats that only the tuned run has do not count towards its score.
            answered = {repeat: scored[1][id_][repeat] for repeat in asked}
            base = _first(texts[0], id_, asked, right=kind == "lost")
            tuned = _first(texts[1], id_, answered, right=kind == "won")
            if base is not None and tuned is not None:
                answers = {"base": base.response, "tuned": tuned.response}
                found.append(FlippedItem(name, id_, kind, base.prompt, **answers))
        shown += found
    return shown


def _by_item(run: Run, benchmark: str) -> dict[str, dict[int, float]]:
    """Scores by id and repeat."""
    out: dict[str, dict[int, float]] = {}
    for outcome in run.by_benchmark[benchmark]:
        out.setdefault(outcome.id, {})[outcome.repeat] = outcome.score
    return out


def _first(texts: Texts, id_: str, scores: Mapping[int, float], *, right: bool) -> Response | None:
    """The first kept answer that is right, or the first that is wrong."""
    return next(
        (
            texts[id_, repeat]
            for repeat, score in sorted(scores.items())
            if is_right(score) is right and (id_, repeat) in texts
        ),
        None,
    )
