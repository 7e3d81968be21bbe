"""IFEval: prompts with verifiable instructions. There are no gold answers.

Fields: ``key``, ``prompt``, ``instruction_id_list`` and ``kwargs``. The score is the share of
instructions that are followed (strict); an item's weight is its number of instructions, so the mean
is the accuracy at the level of instructions.

``paper`` and ``authors`` grade with the published checkers. ``fixed`` grades with four of them
mended (:mod:`~transferscope.grade.ifeval_mended`). Reasoning is removed first in all three, as the
released code does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...core.records import Decoding
from ...grade.ifeval import Instruction, loose, strict
from ..definition import Benchmark, Item, Replies
from .local_files import LONGEST, Lines, LocalFile, bad_row, list_in, text_in


def _read(lines: Lines) -> Iterator[Item]:
    for place, row in lines:
        ids, arguments = list_in(row, "instruction_id_list", place), list_in(row, "kwargs", place)
        if not ids or len(ids) != len(arguments):
            raise bad_row("'instruction_id_list' and 'kwargs' differ in length or are empty", place)
        yield Item(
            f"ifeval-{row.get('key')}",
            text_in(row, "prompt", place),
            weight=float(len(ids)),
            data=tuple(Instruction(i, a or {}) for i, a in zip(ids, arguments, strict=True)),
        )


def mended(item: Item, reply: str) -> float:
    """The share of instructions that the literal answer follows."""
    return _share(strict(item.text, reply, item.data))


def published(item: Item, reply: str) -> float:
    """:func:`mended` by the published checkers."""
    return _share(strict(item.text, reply, item.data, as_published=True))


def forgiving(item: Item, reply: str) -> float:
    """The share of instructions that one of IFEval's eight variants of the answer follows."""
    return _share(loose(item.text, reply, item.data))


def forgiving_published(item: Item, reply: str) -> float:
    """:func:`forgiving` by the published checkers."""
    return _share(loose(item.text, reply, item.data, as_published=True))


def prompts_followed(replies: Replies) -> float:
    """The share of prompts whose instructions are all followed."""
    return sum(mended(item, reply) == 1.0 for item, reply in replies) / len(replies)


def _share(followed: Sequence[bool]) -> float:
    return sum(followed) / len(followed)


_PROMPTS = LocalFile("IFEval", ("ifeval",), _read)
PUBLISHED = Benchmark(
    about="verifiable instructions",
    items=_PROMPTS,
    grade=published,
    decoding=Decoding(max_tokens=LONGEST),
    wrong=lambda _: [""],
)
FIXED = Benchmark(
    about="verifiable instructions",
    items=_PROMPTS,
    grade=mended,
    decoding=Decoding(max_tokens=LONGEST),
    wrong=lambda _: [""],
    twins={
        "published": published,
        "loose": forgiving,
        "loose_published": forgiving_published,
    },
    pooled={"prompt_strict": prompts_followed},
)
SHORT = replace(FIXED, decoding=Decoding(max_tokens=512))
PRESETS = {"paper": PUBLISHED, "authors": PUBLISHED, "fixed": FIXED, "short": SHORT}
