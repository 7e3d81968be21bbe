"""Verifiable instructions: IFEval's checkers (Zhou et al., arXiv 2311.07911), from lm-eval.

Importing those checkers downloads nltk's ``punkt_tab`` when it isn't found, and langdetect draws
random numbers: both are settled here, before the import. The checkers draw too: for the two prompts
that ask to count "!" and "#" a random letter is counted instead. A fixed seed keeps every verdict
repeatable, and with it those of other implementations' reports comparable.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..assets import nltk_data
from ..core.errors import MissingExtra

SEED = 3
"""Of the checkers' draws; with it GPT-4's published answers get their published 77.0 %."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One checkable instruction: IFEval's id (``"punctuation:no_comma"``) and its arguments."""

    id: str
    arguments: Mapping[str, Any]


@cache
def _checkers() -> Mapping[str, Any]:
    """IFEval's registry, with punkt_tab in reach and langdetect repeatable."""
    try:
        import langdetect
        import nltk
    except ImportError:
        raise MissingExtra("grade", needed_for="grading IFEval") from None
    folder = str(nltk_data())
    if folder not in nltk.data.path:
        nltk.data.path.append(folder)
    langdetect.DetectorFactory.seed = 0
    try:
        from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT
    except ImportError:
        raise MissingExtra("eval", needed_for="grading IFEval") from None
    registry: Mapping[str, Any] = INSTRUCTION_DICT
    return registry


def strict(prompt: str, response: str, instructions: Sequence[Instruction]) -> tuple[bool, ...]:
    """Which instructions the response follows as it stands; an empty response follows none.

    Raises :class:`KeyError` for an unknown instruction id and :class:`MissingExtra` when the
    checkers are not installed.
    """
    return tuple(_follows(prompt, [response], instruction) for instruction in instructions)


def loose(prompt: str, response: str, instructions: Sequence[Instruction]) -> tuple[bool, ...]:
    """As :func:`strict`, after forgiving asterisks and a first or last line of chatter.

    An instruction counts as followed when one of IFEval's eight variants of the response does.
    """
    lines = response.split("\n")
    cuts = (lines, lines[1:], lines[:-1], lines[1:-1])
    variants = [response, *("\n".join(cut).strip() for cut in cuts[1:])]
    variants += [variant.replace("*", "") for variant in variants]
    return tuple(_follows(prompt, variants, instruction) for instruction in instructions)


@contextmanager
def _fixed_draws() -> Iterator[None]:
    """Python's global generator at :data:`SEED` inside the block, and as it was after it."""
    state = random.getstate()
    random.seed(SEED)
    try:
        yield
    finally:
        random.setstate(state)


def _follows(prompt: str, variants: Sequence[str], instruction: Instruction) -> bool:
    with _fixed_draws():
        return _checked(prompt, variants, instruction)


def _checked(prompt: str, variants: Sequence[str], instruction: Instruction) -> bool:
    checker = _checkers()[instruction.id](instruction.id)
    # IFEval's data carries every argument of every checker, most of them None.
    checker.build_description(**{k: v for k, v in instruction.arguments.items() if v})
    if "prompt" in (checker.get_instruction_args() or {}):
        checker.build_description(prompt=prompt)
    return any(bool(text.strip()) and bool(checker.check_following(text)) for text in variants)
