"""When math-verify is asked: for formulas that :mod:`.syntax` does not read.

math-verify compares differences to 15 digits and decimals to 6 places. It reads the letters of a
word as variables, and drops units and number bases. It is therefore only asked about formulas
that use the same letters and have no words, decimal places or lists that trail off, and it
compares more digits than its default.
"""

from __future__ import annotations

import re
import sys
import threading
from importlib.util import find_spec

from ..core.errors import MissingExtra
from . import bounded
from .math_verify_call import equivalent_here
from .syntax import GREEK

MAX_CHARS = 500
"""Longer formulas are compared character by character."""

_REFUSED = re.compile(
    r"[«»…∅≈%°$€£¥]|\\(?:overline|angle|triangle|vec|hat|bar|text|mathbb|widehat)|∪|∩|\d_|\.\d"
)
_BEYOND = re.compile(r"\\(?:int|iint|oint|sum|prod|lim|det|partial|Re|Im|arg|sup|inf)(?![a-zA-Z])")
"""Commands that math-verify knows and :mod:`.syntax` doesn't."""
_LETTERS = re.compile(r"\\[a-zA-Z]+|[a-zA-Z]")


def equivalent(answer: str, gold: str) -> bool:
    """Whether math-verify finds both equal within its time limits, in any thread.

    ``False`` when it runs out of time. Raises :class:`MissingExtra` when it is not installed.
    """
    if threading.current_thread() is not threading.main_thread():
        if "math_verify" not in sys.modules and find_spec("math_verify") is None:
            raise MissingExtra("grade", needed_for="grading LaTeX answers")
        return bounded.equivalent(answer, gold)  # the limits are signals to the main thread
    return equivalent_here(answer, gold)


def same_by_algebra(answer: str, gold: str) -> bool:
    """Whether two canonical formulas or equations are equivalent, if math-verify can be trusted."""
    if max(len(answer), len(gold)) > MAX_CHARS or _REFUSED.search(answer + gold):
        return False
    beyond = _BEYOND.search(answer + gold) is not None
    equations = "=" in answer and "=" in gold
    if not (beyond or (equations and _variables(answer) == _variables(gold))):
        return False
    return equivalent(latex_of(answer), latex_of(gold))


def latex_of(text: str) -> str:
    """Convert canonical text back to LaTeX."""
    return text.translate(_LATEX)


_LATEX = str.maketrans(
    {
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "±": r"\pm ", "∓": r"\mp ", "∞": r"\infty ",
        "π": r"\pi ", "⦃": r"\{", "⦄": r"\}", "√": r"\sqrt ", "*": r"\cdot ", "≡": r"\equiv ",
        "∈": r"\in ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
        "∧": r"\text{ and }", "∨": r"\text{ or }", "∖": r"\setminus ", "¶": r"\\ ",
    }
)  # fmt: skip


def _variables(text: str) -> set[str]:
    return {name for name in _LETTERS.findall(text) if len(name) == 1 or name[1:] in GREEK}
