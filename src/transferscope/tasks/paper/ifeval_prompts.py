"""IFEval: prompts with verifiable instructions. There are no gold answers.

Fields: ``key``, ``prompt``, ``instruction_id_list`` and ``kwargs``. The score is the share of
instructions that are followed (strict); an item's weight is its number of instructions.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...core.records import Decoding
from ...grade.ifeval import Instruction, strict
from ..definition import Benchmark, Item
from .local_files import Lines, LocalFile, bad_row, list_in, text_in


def _read(lines: Lines) -> Iterator[Item]:
    for place, row in lines:
        ids, arguments = list_in(row, "instruction_id_list", place), list_in(row, "kwargs", place)
        if not ids or len(ids) != len(arguments):
            raise bad_row("'instruction_id_list' and 'kwargs' differ in length or are empty", place)
        yield Item(
            f"ifeval-{row.get('key')}",
            text_in(row, "prompt", place),
            weight=float(len(ids)),
            data=tuple(Instruction(i, a) for i, a in zip(ids, arguments, strict=True)),
        )


def _grade(item: Item, reply: str) -> float:
    followed = strict(item.text, reply, item.data)
    return sum(followed) / len(followed)


BENCHMARK = Benchmark(
    about="verifiable instructions",
    items=LocalFile("IFEval", ("ifeval",), _read),
    grade=_grade,
    decoding=Decoding(max_tokens=512),
    wrong=lambda _: [""],
)
PRESETS = {"paper": BENCHMARK, "authors": BENCHMARK, "fixed": BENCHMARK}
