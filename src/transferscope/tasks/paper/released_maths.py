r"""How the released code compares two maths answers: by their spelling.

It takes the last box of a reply and compares normalised strings. Two variants were released:

- evalchemy's tasks (MATH500, AIME24, AIME25) use the matcher of lm-eval's ``hendrycks_math``;
- the added lm-eval tasks (``hendrycks_math_500``, ``olympiad``) first drop leading zeros and empty
  decimals. Only ``olympiad`` can be read as source; the other one's is published compiled.

Neither knows that 0.25 is \frac{1}{4}, that the order of a set is free, or that ``$`` only delimits
a formula. The functions here reproduce their verdicts, faults included, and serve as twins.

Source: github.com/ReasoningTransfer/Transferability-of-LLM-Reasoning, folder ``eval``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_COMMANDS = ("\\boxed", "\\fbox")
_OPENING = len("\\boxed{")
_DROPPED = re.compile(r"\n|\\!")
_ALSO_DROPPED = re.compile(r"\\left|\\right|\^\{\\circ\}|\^\\circ|\\\$")
_UNIT = "\\text{ "


def evalchemy_matches(reply: str, gold: str) -> bool:
    """The verdict of the released evalchemy tasks."""
    return _same(_answer(reply, strict=True) or "", gold)


def lm_eval_matches(reply: str, gold: str) -> bool:
    """The verdict of the released lm-eval tasks, which grade a reply without a box as wrong."""
    answer = _answer(reply, strict=False)
    return answer is not None and _same(_trimmed(answer), _trimmed(gold))


def _answer(reply: str, *, strict: bool) -> str | None:
    """The content of the last box; ``None`` if there is none or the released code fails on it."""
    if "\\boxed " in reply:
        return reply.rpartition("\\boxed ")[2].partition("$")[0]
    start = next((at for command in _COMMANDS if (at := reply.rfind(command)) >= 0), None)
    if start is None:
        return None
    depth = 0
    for brace in re.finditer(r"[{}]", reply[start:]):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return _unboxed(reply[start : start + brace.end()], strict=strict)
    return None


def _unboxed(box: str, *, strict: bool) -> str | None:
    """``box`` without its command. The lm-eval variant cuts seven characters unseen."""
    if strict:
        return box[_OPENING:-1] if box.startswith("\\boxed{") else None
    if "\\fbox{" in box:
        return box[len("\\fbox{") : -1] if box.startswith("\\fbox{") else None
    return box[_OPENING:-1]


def _trimmed(text: str) -> str:
    """``text`` without leading zeros, and without decimals if they are all zero."""
    text = text.lstrip("0")
    whole, point, decimals = text.partition(".")
    return whole if point and not decimals.partition(".")[0].rstrip("0") else text


def _same(one: str, other: str) -> bool:
    """Whether both have one normalised spelling; the plain one, if either can't be normalised."""
    try:
        return _normalised(one) == _normalised(other)
    except (ValueError, IndexError):
        return one == other


def _normalised(text: str) -> str:
    text = _DROPPED.sub("", text).replace("\\\\", "\\")
    text = text.replace("tfrac", "frac").replace("dfrac", "frac")
    text = _without_unit(_ALSO_DROPPED.sub("", text)).replace("\\%", "")
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    if not text:
        return ""
    if text[0] == ".":
        text = f"0{text}"
    name, equals, value = text.partition("=")
    if equals and "=" not in value and len(name) <= 2:
        text = value
    steps: tuple[Callable[[str], str], ...] = (
        _braced_roots,
        lambda each: each.replace(" ", ""),
        _braced_fractions,
        lambda each: "\\frac{1}{2}" if each == "0.5" else each,
        _slash_as_fraction,
    )
    for step in steps:
        text = step(text)
    return text


def _without_unit(text: str) -> str:
    if text.count(_UNIT) > 1:
        raise ValueError(text)
    return text.partition(_UNIT)[0]


def _braced_roots(text: str) -> str:
    first, *parts = text.split("\\sqrt")
    return "\\sqrt".join(
        [first, *(part if part[0] == "{" else f"{{{part[0]}}}{part[1:]}" for part in parts)]
    )


def _braced_fractions(text: str) -> str:
    first, *parts = text.split("\\frac")
    done = [first]
    for part in parts:
        if part[0] == "{":
            done.append(part)
        elif len(part) == 1:
            return text
        else:
            below = part[1:] if part[1] == "{" else f"{{{part[1]}}}{part[2:]}"
            done.append(f"{{{part[0]}}}{below}")
    return "\\frac".join(done)


def _slash_as_fraction(text: str) -> str:
    """``3/4`` as a fraction. As there, ``x/4`` is an error, so that its plain spelling counts."""
    if text.count("/") != 1:
        return text
    above, below = (int(part) for part in text.split("/"))
    return f"\\frac{{{above}}}{{{below}}}" if text == f"{above}/{below}" else text
