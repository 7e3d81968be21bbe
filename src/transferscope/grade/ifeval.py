"""Grading of verifiable instructions with IFEval's checkers (Zhou et al., arXiv 2311.07911).

The checkers come from lm-eval. Importing them downloads nltk's ``punkt_tab`` if it isn't found, and
langdetect draws random numbers; both are settled here before the import. The checkers also draw
random arguments that an instruction leaves out; a fixed seed makes those verdicts repeatable.

Four of the 25 checkers are mended (:mod:`.ifeval_mended`), unless a score must be comparable with
published ones (``as_published``; docs/science.md section 3 and docs/paper-suite.md give the
differences).

A model's reasoning is not part of its answer, nor are a chat template's marks at the end or blank
lines at the start (:func:`~transferscope.core.thinking.without_thinking`).
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
from .ifeval_mended import CAPITALS, LETTERS, LOWER_CASE, MENDED, counted

SEED = 3
"""Seed of the checkers' random draws. With it GPT-4's answers score their published 77.0 %
(``as_published``); with the requested characters counted they score 77.2 %."""
DIFFERENT = frozenset(MENDED)
"""Instructions for which ``as_published`` makes a difference."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One checkable instruction: IFEval's id (``"punctuation:no_comma"``) and its arguments."""

    id: str
    arguments: Mapping[str, Any]


@cache
def _checkers() -> Mapping[str, Any]:
    """Return IFEval's registry, with punkt_tab available and langdetect repeatable."""
    try:
        import langdetect
        import lm_eval  # noqa: F401 - found missing before anything is downloaded
        import nltk

        folder = str(nltk_data())
        if folder not in nltk.data.path:
            nltk.data.path.append(folder)
        # If punkt_tab isn't found, this import downloads it and prints to stdout.
        from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT
    except ImportError:
        raise MissingExtra("eval", needed_for="grading IFEval") from None
    langdetect.DetectorFactory.seed = 0
    registry: Mapping[str, Any] = INSTRUCTION_DICT
    return registry


def strict(
    prompt: str,
    response: str,
    instructions: Sequence[Instruction],
    *,
    as_published: bool = False,
) -> tuple[bool, ...]:
    """Return which instructions the literal answer follows; an empty answer follows none.

    ``as_published`` uses only IFEval's own checkers, which count a random letter for "!" and "#".
    Raises :class:`KeyError` for an unknown instruction id and :class:`MissingExtra` if the checkers
    are not installed.
    """
    answer = _answer(response)
    return tuple(_follows(prompt, [answer], i, as_published) for i in instructions)


def loose(
    prompt: str,
    response: str,
    instructions: Sequence[Instruction],
    *,
    as_published: bool = False,
    known: Sequence[bool] | None = None,
) -> tuple[bool, ...]:
    """Like :func:`strict`, but forgiving asterisks and a first or last line of chatter.

    An instruction counts as followed if one of IFEval's eight variants of the answer follows it.
    ``known`` are :func:`strict`'s verdicts with the same ``as_published``, if available, so that
    the literal answer isn't checked twice (detecting a language takes 10 ms).
    """
    answer = _answer(response)
    lines = answer.split("\n")
    cuts = (lines, lines[1:], lines[:-1], lines[1:-1])
    variants = [answer, *("\n".join(cut).strip() for cut in cuts[1:])]
    variants += [variant.replace("*", "") for variant in variants]
    unlike = [variant for variant in dict.fromkeys(variants) if variant != answer]
    if known is None:
        known = strict(prompt, response, instructions, as_published=as_published)
    return tuple(
        followed or _follows(prompt, unlike, i, as_published)
        for followed, i in zip(known, instructions, strict=True)
    )


def _answer(response: str) -> str:
    return without_thinking(response).lstrip()


@contextmanager
def _fixed_draws() -> Iterator[None]:
    """Seed Python's global generator with :data:`SEED`; restore its state afterwards."""
    state = random.getstate()
    random.seed(SEED)
    try:
        yield
    finally:
        random.setstate(state)


def _follows(
    prompt: str, variants: Sequence[str], instruction: Instruction, as_published: bool
) -> bool:
    with _fixed_draws():
        if as_published or instruction.id not in MENDED:
            return _checked(prompt, variants, instruction)
        if instruction.id == LETTERS:
            verdict = counted(variants, instruction.arguments)
            if verdict is not None:
                return verdict
        checked = instruction
        if instruction.id == CAPITALS:
            variants = [text for text in variants if text.isupper()]
            checked = Instruction(LOWER_CASE, {})
        return _checked(prompt, [MENDED[instruction.id](text) for text in variants], checked)


def _checked(prompt: str, variants: Sequence[str], instruction: Instruction) -> bool:
    checker = _checkers()[instruction.id](instruction.id)
    # IFEval's data carries every argument of every checker, most of them None.
    checker.build_description(**{k: v for k, v in instruction.arguments.items() if v})
    if "prompt" in (checker.get_instruction_args() or {}):
        checker.build_description(prompt=prompt)
    return any(bool(text.strip()) and bool(checker.check_following(text)) for text in variants)
