"""MC-TACO: is a proposed answer to a question about time plausible, yes or no?

Fields: ``sentence``, ``question``, ``answer`` and ``label``, one candidate answer per line. The
label is yes or no, or 1 or 0 as on the hub. The candidate answers to a question form one cluster
and are drawn together.

The score is the accuracy over candidates. The paper doesn't say which measure its column holds, but
its lowest value, 33.9 for two models, is the share of plausible candidates in the test set (3,198
of 9,442), which is the accuracy of a constant "yes"; a constant "no" has 66.1, which occurs twice.
MC-TACO's own measures, exact match and F1 per question, can't be computed item by item; a run of
``paper`` or ``fixed`` records them beside the score.

``authors`` takes the more likely of "no" and "yes" after lm-eval's prompt, as the released code
does. ``paper`` and ``fixed`` have the model write its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...core.records import Decoding
from ...grade.mctaco import Candidate, em_and_f1
from ...grade.yes_no import yes_or_no
from ..definition import Benchmark, Item, Replies
from .local_files import LONGEST, Lines, LocalFile, bad_row, text_in

_LABELS = {"yes": "yes", "no": "no", "1": "yes", "0": "no"}
_Prompt = Callable[[str, str, str], str]


def _reader(prompt: _Prompt, choices: tuple[str, str]) -> Callable[[Lines], Iterator[Item]]:
    def read(lines: Lines) -> Iterator[Item]:
        questions: dict[tuple[str, str], int] = {}
        for at, (place, row) in enumerate(lines):
            sentence, question = text_in(row, "sentence", place), text_in(row, "question", place)
            gold = _LABELS.get(str(row.get("label")).strip().lower())
            if gold is None:
                raise bad_row("'label' is neither yes nor no", place)
            yield Item(
                f"mctaco-row-{at}",
                prompt(sentence, question, text_in(row, "answer", place)),
                gold=gold,
                choices=choices,
                cluster=f"mctaco-{questions.setdefault((sentence, question), len(questions))}",
            )

    return read


def _asked(sentence: str, question: str, answer: str) -> str:
    return (
        f"{sentence}\n\nQuestion: {question}\nProposed answer: {answer}\n"
        "Is the proposed answer plausible? Answer yes or no."
    )


def _asked_by_lm_eval(sentence: str, question: str, answer: str) -> str:
    return f"{sentence}\nQuestion: {question}\nAnswer: {answer}\nPlausible:"


def judged(item: Item, reply: str) -> float:
    """1.0 if the reply commits itself to the right word."""
    return float(yes_or_no(reply) == (item.gold == "yes"))


def exact_match(replies: Replies) -> float:
    """The share of questions whose candidates are all judged correctly."""
    return _by_question(replies)[0]


def f1(replies: Replies) -> float:
    """The mean over questions of the F1 of judging candidates plausible."""
    return _by_question(replies)[1]


def _by_question(replies: Replies) -> tuple[float, float]:
    """A reply that is neither yes nor no counts as the wrong one of the two."""
    candidates = [Candidate(i.cluster, i.cluster, i.id, i.gold == "yes") for i, _ in replies]
    right = [judged(item, reply) == 1.0 for item, reply in replies]
    said = [c.plausible == hit for c, hit in zip(candidates, right, strict=True)]
    return em_and_f1(candidates, said)


WRITTEN = Benchmark(
    about="plausible times and durations, yes or no",
    items=LocalFile("MC-TACO", ("mctaco",), _reader(_asked, ("yes", "no"))),
    grade=judged,
    decoding=Decoding(max_tokens=LONGEST),
    wrong=lambda item: ["no" if item.gold == "yes" else "yes", "", "I'm not sure."],
    pooled={"exact_match": exact_match, "f1": f1},
)
AUTHORS = Benchmark(
    about="plausible times and durations, the more likely of no and yes",
    items=LocalFile("MC-TACO", ("mctaco",), _reader(_asked_by_lm_eval, ("no", "yes"))),
    grade=lambda item, reply: float(reply == item.gold),
)
PRESETS = {"paper": WRITTEN, "authors": AUTHORS, "fixed": WRITTEN}
