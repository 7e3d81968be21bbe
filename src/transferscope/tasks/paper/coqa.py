"""CoQA: questions about a story, each after the earlier ones with their answers.

The fields are those of the original release and of its copies on the hub: ``story``, ``questions``,
``answers`` and, if they are there, ``additional_answers``. Questions and answers are lists of texts
or carry them as ``input_text``. A story is a cluster, so a run over ``n`` items asks all questions
of ``n`` stories: about 15 times as many.

``paper`` and ``fixed`` ask every answered question. The score is F1 over words, by the
leave-one-out rule of CoQA's evaluation script: with several reference answers, the mean over
leaving each of them out of the best F1 against the others (people, who gave one of them, are scored
that way). The reply's first line is read without a repeated question and without the label "A:".

``authors`` is lm-eval's task, which the released code runs with reasoning removed: the last
question alone, in lm-eval's layout, with repeated references dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.records import Decoding
from ...core.thinking import without_thinking
from ...grade.qa import against, exact_match, f1, leave_one_out
from ..definition import Benchmark, Item
from .local_files import LONGEST, Lines, LocalFile, bad_row, text_in

NEXT = "\nQ:"
"""The beginning of a further question, which a model that continues the text makes up."""
_LABEL = re.compile(r"(?:A|Answer)\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Story:
    """``turns`` are the answered questions, each with its reference answers."""

    id: str
    text: str
    turns: tuple[tuple[str, tuple[str, ...]], ...]


def _stories(lines: Lines) -> Iterator[_Story]:
    for at, (place, row) in enumerate(lines):
        questions = _texts(row.get("questions"), "questions", place)
        answers = [_texts(row.get("answers"), "answers", place)]
        for name, more in _additional(row, place):
            answers.append(_texts(more, f"additional_answers[{name}]", place))
            if len(answers[-1]) != len(answers[0]):
                raise bad_row(f"{name!r} of 'additional_answers' differs in length", place)
        turns = tuple(zip(questions, zip(*answers, strict=True), strict=False))
        if not turns:
            raise bad_row("no answered question", place)
        yield _Story(str(row.get("id") or at), text_in(row, "story", place), turns)


def _additional(row: Mapping[str, Any], place: str) -> list[tuple[str, Any]]:
    more = row.get("additional_answers") or {}
    if not isinstance(more, Mapping):
        raise bad_row("'additional_answers' is not an object", place)
    return [(str(name), answers) for name, answers in more.items() if answers is not None]


def _texts(value: Any, name: str, place: str) -> list[str]:
    """Texts, whether listed alone, listed as ``input_text`` or held in one list under that key."""
    if isinstance(value, Mapping):
        value = value.get("input_text")
    if not isinstance(value, list):
        raise bad_row(f"no list in {name!r}", place)
    listed = [one.get("input_text") if isinstance(one, Mapping) else one for one in value]
    texts = [text for text in listed if isinstance(text, str)]
    if len(texts) < len(listed):
        raise bad_row(f"{name!r} doesn't list texts", place)
    return texts


def _every_turn(lines: Lines) -> Iterator[Item]:
    for story in _stories(lines):
        told = ""
        for number, (question, golds) in enumerate(story.turns, start=1):
            prompt = (
                "Read the story and answer the last question in a few words.\n\n"
                f"{story.text}\n\n{told}Q: {question}\nA:"
            )
            yield Item(
                f"coqa-{story.id}-{number}",
                prompt,
                gold=_full_marks(golds),
                cluster=f"coqa-{story.id}",
                data=(question, golds),
            )
            told += f"Q: {question}\nA: {golds[0]}\n"


def _last_turn(lines: Lines) -> Iterator[Item]:
    for story in _stories(lines):
        *before, (question, golds) = story.turns
        told = "".join(f"Q: {earlier}\n\nA: {given[0]}\n\n" for earlier, given in before)
        unlike = tuple({gold.lower(): gold for gold in reversed(golds)}.values())[::-1]
        yield Item(
            f"coqa-{story.id}",
            f"{story.text}\n\n{told}Q: {question}\n\nA:",
            gold=_full_marks(unlike),
            data=(question, unlike),
        )


def _full_marks(golds: Sequence[str]) -> str | None:
    """A reference that scores 1; ``None`` if leaving it out always lowers the best F1."""
    return next((gold for gold in golds if leave_one_out(gold, golds, f1) == 1.0), None)


def answered(item: Item, reply: str) -> str:
    """The first line of a reply, without the question if it repeats that, and without "A:"."""
    question, _ = item.data
    lines = [line.strip() for line in without_thinking(reply).splitlines() if line.strip()]
    echoes = (question.strip(), f"Q: {question.strip()}")
    kept = next((line for line in lines if line not in echoes), "")
    return _LABEL.sub("", kept, count=1) if _LABEL.match(kept) else kept


def by_f1(item: Item, reply: str) -> float:
    """F1 of the answer by the leave-one-out rule."""
    return leave_one_out(answered(item, reply), item.data[1], f1)


def by_exact_match(item: Item, reply: str) -> float:
    """Exact match of the answer by the leave-one-out rule."""
    return leave_one_out(answered(item, reply), item.data[1], exact_match)


def by_best_reference(item: Item, reply: str) -> float:
    """F1 of the answer against the reference that it is most like."""
    return against(answered(item, reply), item.data[1], f1)


def by_whole_reply(item: Item, reply: str) -> float:
    """F1 of all that the reply says outside its reasoning."""
    return leave_one_out(reply, item.data[1], f1)


def as_released(item: Item, reply: str) -> float:
    """F1 of the reply's first line, unchanged, which the released code grades."""
    first = without_thinking(reply).strip().split("\n")[0]
    return leave_one_out(first, item.data[1], f1)


def as_released_exact(item: Item, reply: str) -> float:
    """Exact match of the reply's first line, unchanged."""
    first = without_thinking(reply).strip().split("\n")[0]
    return leave_one_out(first, item.data[1], exact_match)


_DECODING = Decoding(max_tokens=LONGEST, stop=(NEXT,))
PAPER = Benchmark(
    about="questions about a story, every turn",
    items=LocalFile("CoQA", ("coqa",), _every_turn),
    grade=by_f1,
    decoding=_DECODING,
    wrong=lambda _: ["", "zzz qqq"],
)
AUTHORS = Benchmark(
    about="the last question about a story",
    items=LocalFile("CoQA", ("coqa",), _last_turn),
    grade=as_released,
    decoding=_DECODING,
    wrong=PAPER.wrong,
    twins={"exact_match": as_released_exact},
)
FIXED = Benchmark(
    about="questions about a story, every turn",
    items=PAPER.items,
    grade=by_f1,
    decoding=_DECODING,
    wrong=PAPER.wrong,
    twins={
        "released": as_released,
        "whole_reply": by_whole_reply,
        "best_reference": by_best_reference,
        "exact_match": by_exact_match,
    },
)
SHORT = replace(FIXED, decoding=replace(_DECODING, max_tokens=32))
PRESETS = {"paper": PAPER, "authors": AUTHORS, "fixed": FIXED, "short": SHORT}
