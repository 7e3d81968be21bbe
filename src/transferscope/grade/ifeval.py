"""Verifiable instructions: IFEval's checkers (Zhou et al., arXiv 2311.07911), from lm-eval.

Importing those checkers downloads nltk's ``punkt_tab`` when it isn't found, and langdetect draws
random numbers: both are settled here, before the import. For the two prompts that ask to count "!"
and "#" the checkers count a random letter; here the very character is counted, except where a
figure is to be comparable with published ones (``as_published``). What a model thinks aloud, and
marks of the end of its turn, are no part of its answer.
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
from ..core.thinking import without_thinking

SEED = 3
"""Of the checkers' draws: every verdict is repeatable. With it GPT-4's published answers get their
published 77.0 % as published; counted right they get 77.2 %."""
LETTER = "keywords:letter_frequency"


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


def strict(
    prompt: str,
    response: str,
    instructions: Sequence[Instruction],
    *,
    as_published: bool = False,
) -> tuple[bool, ...]:
    """Which instructions the response follows as it stands; an empty response follows none.

    ``as_published``: a random letter is counted for "!" and "#", as IFEval's own checkers do.

    Raises :class:`KeyError` for an unknown instruction id and :class:`MissingExtra` when the
    checkers are not installed.
    """
    answer = without_thinking(response)
    return tuple(_follows(prompt, [answer], i, as_published) for i in instructions)


def loose(
    prompt: str,
    response: str,
    instructions: Sequence[Instruction],
    *,
    as_published: bool = False,
) -> tuple[bool, ...]:
    """As :func:`strict`, after forgiving asterisks and a first or last line of chatter.

    An instruction counts as followed when one of IFEval's eight variants of the response does.
    """
    response = without_thinking(response)
    lines = response.split("\n")
    cuts = (lines, lines[1:], lines[:-1], lines[1:-1])
    variants = [response, *("\n".join(cut).strip() for cut in cuts[1:])]
    variants += [variant.replace("*", "") for variant in variants]
    return tuple(_follows(prompt, variants, i, as_published) for i in instructions)


@contextmanager
def _fixed_draws() -> Iterator[None]:
    """Python's global generator at :data:`SEED` inside the block, and as it was after it."""
    state = random.getstate()
    random.seed(SEED)
    try:
        yield
    finally:
        random.setstate(state)


def _follows(
    prompt: str, variants: Sequence[str], instruction: Instruction, as_published: bool
) -> bool:
    answers = [text for text in variants if text.strip()]
    wanted = str(instruction.arguments.get("letter") or "")
    if (
        not as_published
        and instruction.id == LETTER
        and len(wanted) == 1
        and not "a" <= wanted.lower() <= "z"
    ):
        return any(_counted(text, wanted, instruction.arguments) for text in answers)
    with _fixed_draws():
        checker = _checkers()[instruction.id](instruction.id)
        # IFEval's data carries every argument of every checker, most of them None.
        checker.build_description(**{k: v for k, v in instruction.arguments.items() if v})
        if "prompt" in (checker.get_instruction_args() or {}):
            checker.build_description(prompt=prompt)
        return any(bool(checker.check_following(text)) for text in answers)


def _counted(text: str, sign: str, arguments: Mapping[str, Any]) -> bool:
    """Whether ``sign``, which is no letter, stands in ``text`` as often as asked for."""
    count, asked = text.lower().count(sign.lower()), int(arguments.get("let_frequency") or 0)
    return count < asked if arguments.get("let_relation") == "less than" else count >= asked
