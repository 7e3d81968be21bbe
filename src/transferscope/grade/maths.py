"""What a correct mathematical answer is, once: evaluation, rejection sampling and reward use this.

The answer is the content of the last ``\\boxed{}`` that is no placeholder ("your_answer");
else what follows the last "answer is" or "Answer:"; else the last number of the text. Plain numbers
are compared exactly as fractions; what is not a plain number goes to math-verify.
"""

from __future__ import annotations

import re
import threading
from fractions import Fraction

from ..core.errors import MissingExtra
from . import bounded

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*/\s*[1-9]\d*)?"
_ANY_NUMBER = re.compile(rf"(?<![\w.]){_NUMBER}")
_ONLY_NUMBER = re.compile(rf"\$?\s*({_NUMBER})\s*(?:%|\\%)?\s*\$?\.?")
_SAID = re.compile(r"(?:answer is|answer:|answer =)\s*:?\s*([^\n]*)", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"(?:\\text\{)?(?:your|final|the)?[\s\\_]*answer[\s\\_]*(?:here)?\}?", re.I
)
_LATEX = re.compile(r"\\[a-zA-Z(\[]")
MAX_CHARS = 100_000
"""Longer responses are graded on their last characters: hostile input stays bounded."""
MAX_DIGITS = 4_000
"""A longer row of digits is no number: Python turns no more than 4,300 into one."""
SECONDS = 5
"""math-verify's limit for each of its steps: reading one answer, comparing two."""


def last_boxed(text: str) -> str | None:
    """Content of the last closed ``\\boxed{...}``, braces balanced, or ``None``.

    A box that repeats the prompt's placeholder is not an answer.

    One pass with a stack of open braces: time is linear in the text, whatever it holds.
    """
    opened: list[int] = []
    found: tuple[int, int] | None = None
    for brace in re.finditer(r"[{}]", text):
        if brace.group() == "{":
            opened.append(brace.start())
        elif opened:
            start = opened.pop()
            if (
                text.endswith("\\boxed", 0, start)
                and (found is None or start > found[0])
                and not _PLACEHOLDER.fullmatch(text, start + 1, brace.start())
            ):
                found = (start, brace.start())
    return None if found is None else text[found[0] + 1 : found[1]].strip()


def finished(text: str) -> bool:
    """Whether the last box that ``text`` opens is closed: its answer was written out."""
    last = text.rfind("\\boxed{")
    depth = 0
    for brace in re.finditer(r"[{}]", text[last:] if last >= 0 else ""):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return True
    return False


def number(text: str) -> Fraction | None:
    """``text`` as an exact number where it is nothing but one, else ``None``."""
    # "\$32,\!348": LaTeX's dollar sign and thin space are no part of a number
    plain = text.replace("\\$", "").replace("\\!", "").strip().strip("*")
    match = _ONLY_NUMBER.fullmatch(plain) if len(plain) <= MAX_DIGITS else None
    return _fraction(match.group(1)) if match else None


def final_answer(response: str) -> str | None:
    """The answer a response commits to, by the rule of this module, or ``None``."""
    response = response[-MAX_CHARS:].replace("\u2212", "-")
    if (boxed := last_boxed(response)) is not None:
        return boxed
    if said := _SAID.findall(response):
        # "The answer is 2 + 3 = 5": what stands behind the last equals sign is the answer.
        stated = said[-1].rpartition("=")[2].strip()
        if _LATEX.search(stated):
            return str(stated).rstrip(".")
        numbers = _ANY_NUMBER.findall(stated)
        return str(numbers[0]) if numbers else stated or None
    numbers = _ANY_NUMBER.findall(response)
    return str(numbers[-1]) if numbers else None


def is_correct(response: str, gold: str) -> bool:
    """Whether the final answer of ``response`` equals ``gold`` (plain number or LaTeX)."""
    answer = final_answer(response)
    if answer is None:
        return False
    mine, theirs = number(answer), number(gold)
    if mine is not None and theirs is not None:
        return mine == theirs
    if theirs is not None and not any(character.isdigit() for character in answer):
        return False
    return equivalent(answer, gold)


def equivalent(answer: str, gold: str) -> bool:
    """Whether math-verify finds both equal within its time limits; ``False`` where it doesn't.

    Raises :class:`MissingExtra` without it.
    """
    try:
        from math_verify import parse, verify
    except ImportError:
        raise MissingExtra("grade", needed_for="grading LaTeX answers") from None

    if threading.current_thread() is not threading.main_thread():
        return bounded.equivalent(answer, gold)  # the limits are signals to the main thread
    latex = ("$", "\\(", "\\[")
    wrapped = [t if any(sign in t for sign in latex) else f"${t}$" for t in (gold, answer)]
    parsed = [parse(text, parsing_timeout=SECONDS) for text in wrapped]
    return bool(verify(*parsed, timeout_seconds=SECONDS))


def _fraction(text: str) -> Fraction:
    whole, _, divisor = text.replace(",", "").replace(" ", "").partition("/")
    return Fraction(whole) / Fraction(divisor or "1")
