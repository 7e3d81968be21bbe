r"""Wrong answers made from a right one, to test a maths grader.

>>> mutations(r"(3, \frac{1}{2})")[:3]
('(4, \\frac{1}{2})', '(3, \\frac{1}{3})', '-(3, \\frac{1}{2})')
"""

from __future__ import annotations

import re

from ...grade.shapes import split

_NUMBER = re.compile(r"\d+")
_TAIL = re.compile(r"(?P<open>[(\[])(?P<inner>[^()\[\]]*,[^()\[\]]*)(?P<close>[)\]])")
_LETTER = re.compile(r"(?:\\text\s*\{)?\(?([A-E])\)?\}?")
_SIGNED = re.compile(r"[-+±]|\\pm")
_ZERO = re.compile(r"[0.]+|[a-z]\s*=\s*0")
_CLOSED = {")": "]", "]": ")"}


def mutations(gold: str) -> tuple[str, ...]:
    """Answers that differ from ``gold`` (LaTeX) in a number, the sign, an element or an end.

    A formula without any of these is increased by 1, and a word replaced; there is at least one.
    """
    found = [*_other_numbers(gold), *_other_sign(gold), *_fewer(gold), *_other_end(gold)]
    if letter := _LETTER.fullmatch(gold.strip()):
        found.append("E" if letter[1] == "A" else "A")
    elif not found:
        found.append("\\text{something else}" if "\\text" in gold else f"{gold} + 1")
    return tuple(dict.fromkeys(each for each in found if each != gold))


def _other_numbers(gold: str) -> list[str]:
    """The first and the last number with another last digit."""
    numbers = list(_NUMBER.finditer(gold))
    return [
        f"{gold[: n.end() - 1]}{(int(n.group()[-1]) + 1) % 10}{gold[n.end() :]}"
        for n in (numbers[:1] + numbers[1:][-1:])
    ]


def _other_sign(gold: str) -> list[str]:
    plain = gold.strip().strip("$")
    if _ZERO.fullmatch(plain) or not re.match(r"[\d(]|\\[dt]?frac|\\sqrt", plain):
        return []
    return [] if _SIGNED.search(plain) else [f"-{plain}"]


def _fewer(gold: str) -> list[str]:
    """A list without its last element."""
    parts = split(gold.strip().strip("$"), ",")
    return [",".join(parts[:-1])] if len(parts) > 1 else []


def _other_end(gold: str) -> list[str]:
    """A pair with the other kind of bracket at its end, as in (0, 1] for (0, 1)."""
    if not (pairs := list(_TAIL.finditer(gold))):
        return []
    at = pairs[-1].end() - 1
    return [f"{gold[:at]}{_CLOSED[gold[at]]}{gold[at + 1 :]}"]
