"""ACPBench: seven tasks about actions, change and planning, multiple choice, weighted evenly.

Fields: ``group``, ``id``, ``context``, ``question`` (which ends with its options), ``choices``
(``text``) and ``answer``. One file holds all tasks. The paper answers greedily, once.

The released code runs lm-eval's two-shot task with reasoning on 40 questions a task, 1,024 tokens
a reply. The last capital letter from A to D anywhere in the reply is the answer, inside words too
("Action" is A). Only what follows a bold "Answer:" label is taken whole, so that "option B" is
wrong there. :data:`AUTHORS` reads the two worked examples of each task from the installed lm-eval
and takes the first 40 questions of each task in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from ...core.errors import MissingExtra
from ...core.files import read_text
from ...core.records import Decoding
from ..definition import Benchmark, Item
from .lettered import LIMIT, grade_letter, lettered, wrong_letters
from .local_files import Lines, LocalFile, bad_row, text_in

TASKS = {
    "applicable_actions_mc": "app",
    "reachable_action_mc": "act_reach",
    "action_justification_mcq": "just",
    "landmarks_mcq": "land",
    "progression_mcq": "prog",
    "reachable_atom_mc": "reach",
    "validation_mcq": "val",
}
"""The subset of each ``group``, as lm-eval names its task."""
A_TASK = 40
"""Questions of each task in the released evaluation."""
_LAST = re.compile(r"[A-D]|(?<=..[Aa]nswer..: ).*(?=.)")


def _rows(lines: Lines) -> Iterator[tuple[str, str, dict[str, Any], list[str]]]:
    """(id, subset, row, options) of every row."""
    for at, (place, row) in enumerate(lines):
        subset = TASKS.get(text_in(row, "group", place))
        if subset is None:
            raise bad_row(f"'group' is none of {', '.join(TASKS)}", place)
        choices = row.get("choices")
        options = choices.get("text") if isinstance(choices, dict) else None
        if not isinstance(options, list) or len(options) < 2:
            raise bad_row("no list of options in 'choices', 'text'", place)
        if row.get("answer") not in tuple(ascii_uppercase[: len(options)]):
            raise bad_row("'answer' is not the letter of one of the options", place)
        for name in ("context", "question"):
            text_in(row, name, place)
        if f" A. {options[0]}" not in row["question"]:
            raise bad_row("'question' doesn't end with its options", place)
        yield f"acpbench-{subset}-{row.get('id', at)}", subset, row, list(map(str, options))


def _read(lines: Lines) -> Iterator[Item]:
    for id_, subset, row, options in _rows(lines):
        stem = row["question"].rpartition(f" A. {options[0]}")[0]
        question = f"{row['context'].strip()}\n\n{stem.strip()}"
        yield lettered(id_, question, options, ord(row["answer"]) - ord("A"), subset)


def _read_authors(lines: Lines) -> Iterator[Item]:
    read: Counter[str] = Counter()
    for id_, subset, row, options in _rows(lines):
        read[subset] += 1
        if read[subset] <= A_TASK:
            yield Item(
                id_,
                _examples(subset) + _shown(row),
                gold=row["answer"],
                choices=tuple(ascii_uppercase[: len(options)]),
                subset=subset,
                data=(row["answer"],),
            )


def _shown(row: dict[str, str]) -> str:
    return f"**Question**: {row['context']}  {row['question']} **Thoughts**:"


@cache
def _examples(subset: str) -> str:
    """The worked examples before the question, from lm-eval's file of the task.

    Raises :class:`MissingExtra` without lm-eval.
    """
    found = find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        raise MissingExtra("eval", needed_for="ACPBench as the authors ran it")
    import yaml  # type: ignore[import-untyped]

    folder = Path(found.submodule_search_locations[0], "tasks", "acpbench", "mcq_cot_2shot")
    task = yaml.safe_load(read_text(folder / f"{subset}.yaml"))
    samples = task["fewshot_config"]["samples"]
    return "".join(f"{_shown(sample)} {sample['answer']}\n\n" for sample in samples)


def last_capital(item: Item, reply: str) -> float:
    """The released grader: the last capital letter from A to D, or what follows a bold label.

    Its rule for a reply without any such letter is not followed: such a reply scores 0 here.
    """
    found = _LAST.findall(reply)
    return float(bool(found) and found[-1].strip(" .").upper() in item.data)


PAPER = Benchmark(
    about="actions, change and planning, multiple choice",
    items=LocalFile("ACPBench", ("acpbench",), _read),
    grade=grade_letter,
    decoding=Decoding(max_tokens=LIMIT),
    wrong=wrong_letters,
)
AUTHORS = Benchmark(
    about="actions, change and planning, multiple choice with two examples",
    items=LocalFile("ACPBench", ("acpbench",), _read_authors),
    grade=last_capital,
    decoding=Decoding(max_tokens=1024, stop=("\n\n\n\n", "**Question**:", "**Question:**", "Q:")),
)
FIXED = Benchmark(
    about=PAPER.about,
    items=PAPER.items,
    grade=grade_letter,
    decoding=PAPER.decoding,
    wrong=wrong_letters,
    twins={"last capital letter": last_capital},
)
PRESETS = {"paper": PAPER, "authors": AUTHORS, "fixed": FIXED}
