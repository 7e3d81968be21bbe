"""Gold answers from a file of their own, joined to saved responses by what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..core.errors import InputError
from ..core.files import read_json_lines
from .ifeval import Instruction
from .saved import SavedResponse

Value = TypeVar("Value")
PROBLEM = ("problem", "question", "prompt")
ANSWER = ("answer", "gold", "final_answer")
KEY = 24
"""Characters at a problem's start by which candidates for a prompt are looked up."""


@dataclass(slots=True)
class Asked(Generic[Value]):
    """Values by what was asked, found again inside prompts: a chat template may stand around it."""

    by_start: dict[str, list[tuple[str, Value]]] = field(default_factory=dict)

    def add(self, asked: str, value: Value) -> None:
        """Remember ``value`` by ``asked``, blanks folded. Raises ValueError for an empty text."""
        text = " ".join(asked.split())
        if not text:
            raise ValueError("nothing was asked")
        self.by_start.setdefault(text[:KEY], []).append((text, value))

    def find(self, prompt: str) -> Value | None:
        """The value of the longest text that stands in ``prompt``; of equals, the last added.

        Texts are found by their first characters in one pass over the prompt, so that a join is
        linear in the prompts and not in prompts x texts.
        """
        folded, best, found = " ".join(prompt.split()), 0, None
        for length in sorted({len(key) for key in self.by_start}):
            for at in range(len(folded) - length + 1):
                for text, value in self.by_start.get(folded[at : at + length], ()):
                    if len(text) >= max(best, 1) and folded.startswith(text, at):
                        best, found = len(text), value
        return found


def gold_problems(rows: Sequence[SavedResponse], path: Path) -> dict[str, str]:
    """Gold by response id: that of the longest problem whose text stands in the prompt.

    A gold with LaTeX in it is wrapped in ``$...$``. Raises :class:`InputError` naming file and line
    for rows without a problem or answer.
    """
    asked: Asked[str] = Asked()
    remedy = 'give one JSON object per line: {"problem": ..., "answer": ...}'
    for place, row in read_json_lines(path, remedy=remedy):
        problem = _field(row, PROBLEM, place, remedy)
        # GSM8K's answers end in the number behind "####"
        answer = _field(row, ANSWER, place, remedy).rpartition("####")[2].strip()
        try:
            asked.add(problem, _wrapped(answer))
        except ValueError:
            raise InputError("the problem is empty", place=place, remedy=remedy) from None
    found = {row.id: asked.find(row.prompt) for row in rows}
    return {id_: answer for id_, answer in found.items() if answer is not None}


def instructions_of(path: Path) -> Asked[tuple[str, tuple[Instruction, ...]]]:
    """IFEval's prompts and instructions, found again inside the prompts that a model was given.

    Raises :class:`InputError` naming file and line.
    """
    remedy = "name IFEval's input_data.jsonl"
    found: Asked[tuple[str, tuple[Instruction, ...]]] = Asked()
    for place, row in read_json_lines(path, remedy=remedy):
        ids, arguments = row.get("instruction_id_list"), row.get("kwargs")
        prompt = row.get("prompt")
        if not (
            isinstance(prompt, str)
            and prompt.strip()
            and isinstance(ids, list)
            and isinstance(arguments, list)
            and len(ids) == len(arguments)
            and all(isinstance(id_, str) for id_ in ids)
            and all(isinstance(argument, dict) for argument in arguments)
        ):
            what = "no prompt with instruction_id_list and as many kwargs"
            raise InputError(what, place=place, remedy=remedy)
        found.add(prompt, (prompt, tuple(map(Instruction, ids, arguments))))
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
