"""Gold answers from a separate file, joined to saved responses by their prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.rowfiles import rows_of
from .ifeval import Instruction
from .saved import SavedResponse

PROBLEM = ("problem", "question", "prompt")
ANSWER = ("answer", "gold", "final_answer")
KEY = 24
"""Characters at a problem's start that index the candidates for a prompt."""


def gold_problems(rows: Sequence[SavedResponse], path: Path) -> dict[str, str]:
    """Return the gold by response id: that of the longest problem contained in the prompt.

    Problems are found by their first characters in one pass over each prompt, so the join is linear
    in the prompts and not in prompts x problems. A gold that contains LaTeX is wrapped in
    ``$...$``. Raises :class:`InputError` naming file and line for rows without a problem or answer.
    """
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    remedy = 'give one JSON object per line: {"problem": ..., "answer": ...}'
    for place, row in rows_of(path, remedy=remedy):
        problem = _field(row, PROBLEM, place, remedy).strip()
        if not problem:
            raise InputError("has an empty problem", place=place, remedy=remedy)
        answer = final(_field(row, ANSWER, place, remedy))
        found[problem[:KEY]].append((problem, _wrapped(answer)))
    lengths = sorted({len(key) for key in found})
    golds = {}
    for row_ in rows:
        prompt, best = row_.prompt, ("", "")
        for length in lengths:
            for at in range(len(prompt) - length + 1):
                for problem, answer in found.get(prompt[at : at + length], ()):
                    if len(problem) > len(best[0]) and prompt.startswith(problem, at):
                        best = (problem, answer)
        if best[0]:
            golds[row_.id] = best[1]
    return golds


def final(answer: str) -> str:
    """Return the final answer; GSM8K's answers end in the number after "####"."""
    return answer.rpartition("####")[2].strip()


def instructions_of(path: Path) -> dict[str, tuple[Instruction, ...]]:
    """Read IFEval's instructions by prompt.

    Raises :class:`InputError` naming file and line, also for a prompt that is repeated with other
    instructions, because it is unknown which of them were asked.
    """
    remedy = "name IFEval's input_data.jsonl"
    found: dict[str, tuple[Instruction, ...]] = {}
    for place, row in rows_of(path, remedy=remedy):
        ids, arguments = row.get("instruction_id_list"), row.get("kwargs")
        prompt = row.get("prompt")
        if not (
            isinstance(prompt, str)
            and isinstance(ids, list)
            and isinstance(arguments, list)
            and len(ids) == len(arguments)
            and all(isinstance(id_, str) for id_ in ids)
            and all(isinstance(argument, dict) for argument in arguments)
        ):
            what = "needs a prompt, an instruction_id_list and as many kwargs"
            raise InputError(what, place=place, remedy=remedy)
        asked = tuple(map(Instruction, ids, arguments))
        if found.setdefault(prompt.strip(), asked) != asked:
            what = "repeats the prompt of an earlier line with other instructions"
            raise InputError(what, place=place, remedy="keep one line per prompt")
    return found


def _field(row: Mapping[str, Any], names: Sequence[str], place: str, remedy: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
    raise InputError(f"no text in {' or '.join(names)}", place=place, remedy=remedy)


def _wrapped(answer: str) -> str:
    return f"${answer}$" if "\\" in answer and "$" not in answer else answer
