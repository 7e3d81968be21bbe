"""What a correct mathematical answer is, once: evaluation, rejection sampling and reward use this.

    is_correct("The answer is 5 km, since ...", "5")            True
    is_correct("\\\\boxed{x = 1 \\\\text{ or } x = 2}", "1, 2")    True

:mod:`.final_answer` reads the answer that the response commits to. Plain numbers are compared
exactly as fractions; all else by :mod:`.structure`, which gives expressions, and only those, to
sympy and math-verify in bounded time (:mod:`.expressions`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from .expressions import SECONDS, equivalent
from .final_answer import MAX_CHARS, Found, finished, found, last_boxed
from .numbers import MAX_DIGITS
from .structure import same

__all__ = [
    "MAX_CHARS",
    "MAX_DIGITS",
    "SECONDS",
    "equivalent",
    "final_answer",
    "finished",
    "is_correct",
    "last_boxed",
    "number",
]

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*/\s*[1-9]\d*)?"
_ONLY_NUMBER = re.compile(rf"\$?\s*({_NUMBER})\s*(?:%|\\%)?\s*\$?\.?")
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(\d{1,3}(?:[. ]\d{3})+|\d+),(\d+)(?![\d,.]*\d)")
_DOTTED_THOUSANDS = re.compile(r"(?<![\d.,])([1-9]\d{0,2}(?:\.\d{3})+)(?![\d,.]*\d)")
_UNAMBIGUOUS = re.compile(
    r"-?[1-9]\d{0,2}(?:\.\d{3})+,\d+|€\s?\d+,\d\d|\d+,\d\d\s?(?:€|\\text\{\s*€\s*\}|euros?)"
)


def number(text: str) -> Fraction | None:
    """``text`` as an exact number where it is nothing but one, else ``None``."""
    # "\$32,\!348": LaTeX's dollar sign and thin space are no part of a number
    plain = text.replace("\\$", "").replace("\\!", "").strip().strip("*")
    match = _ONLY_NUMBER.fullmatch(plain) if len(plain) <= MAX_DIGITS else None
    if match is None:
        return None
    whole, _, divisor = match[1].replace(",", "").replace(" ", "").partition("/")
    return Fraction(whole) / Fraction(divisor or "1")


def final_answer(response: str) -> str | None:
    """The answer a response commits to, by the rule of :mod:`.final_answer`, or ``None``."""
    answer = found(response)
    return None if answer is None else answer.text


def is_correct(response: str, gold: str | Sequence[str]) -> bool:
    """Whether the final answer of ``response`` equals ``gold``, or any of several golds.

    A gold is a plain number or LaTeX. Raises :class:`MissingExtra` where an expression has to be
    compared and math-verify is not installed.
    """
    answer = found(response)
    if answer is None:
        return False
    golds = [gold] if isinstance(gold, str) else gold
    return any(_equal(reading, one) for one in golds for reading in _readings(answer))


def _equal(answer: str, gold: str) -> bool:
    mine, theirs = number(answer), number(gold)
    if mine is not None and theirs is not None and "%" not in answer + gold:
        return mine == theirs
    return same(answer, _bare(gold))


def _bare(gold: str) -> str:
    """A gold without the solution that some data sets give before it."""
    if (boxed := last_boxed(gold)) is not None:
        return boxed
    return gold.rpartition("####")[2]


def _readings(answer: Found) -> Iterator[str]:
    """The answer as written and, in languages that write 1.234,5, as 1234.5."""
    yield answer.text
    if answer.foreign or _UNAMBIGUOUS.fullmatch(answer.text.strip()):
        text = _DECIMAL_COMMA.sub(
            lambda m: m[1].replace(".", "").replace(" ", "") + "." + m[2], answer.text
        )
        if text == answer.text:
            text = _DOTTED_THOUSANDS.sub(lambda m: m[1].replace(".", ""), text)
        if text != answer.text:
            yield text
