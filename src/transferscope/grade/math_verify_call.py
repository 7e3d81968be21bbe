"""One call of math-verify, in the main thread, within its own time limits."""

from __future__ import annotations

from ..core.errors import MissingExtra

SECONDS = 5
"""Time limit of each of math-verify's steps: reading one answer, comparing two."""
PRECISION = 50
"""Digits of its numeric comparison; its default is 15."""


def equivalent_here(answer: str, gold: str) -> bool:
    """Whether math-verify finds both equal; ``False`` when it runs out of time.

    Its limits are signals, so this must run in the main thread. Raises :class:`MissingExtra` when
    math-verify is not installed.
    """
    try:
        from math_verify import parse, verify
    except ImportError:
        raise MissingExtra("grade", needed_for="grading LaTeX answers") from None

    latex = ("$", "\\(", "\\[")
    wrapped = [t if any(sign in t for sign in latex) else f"${t}$" for t in (gold, answer)]
    parsed = [parse(text, parsing_timeout=SECONDS) for text in wrapped]
    return bool(verify(*parsed, timeout_seconds=SECONDS, numeric_precision=PRECISION))
