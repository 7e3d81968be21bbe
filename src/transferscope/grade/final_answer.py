"""The answer that a response commits to, without a look at the gold.

In this order: the last boxes that are no placeholder; "#### 18"; ``<answer>``; what follows the
last "the answer is" (in the languages of :data:`.phrases.SAID`); the conclusion of the last
sentence; the last number. Reasoning blocks and what follows in a new turn ("Question:", "Human:")
are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..core.thinking import without_thinking
from .latex import plain_characters
from .phrases import CLAUSE, EMPTY, FOREIGN, HEDGED, LEAD, SAID, TURN, WEAK
from .splitting import split

MAX_CHARS = 100_000
"""Longer responses are graded on their last characters: hostile input stays bounded."""
MAX_STATED = 600
"""Longest answer that is read after "the answer is"."""

_PLACEHOLDER = re.compile(
    r"\s*(?:\\text\{)?\s*(?:\[|<)?(?:your|final|the|insert|correct)?[\s\\_]*(?:final[\s\\_]*)?"
    r"(?:answer|number|result|value|expression|letter)?[\s\\_]*(?:here)?\s*(?:\]|>)?\}?\s*"
    r"|\s*(?:\.{2,}|\\l?dots|\\cdots|…|\?|_+|\\_+|#+)\s*",
    re.IGNORECASE,
)
_OPENS_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*\{")
_BARE_BOX = re.compile(
    r"\\(?:boxed|fbox)\s+(-?[\d.,]*\d|[a-zA-Z](?![a-zA-Z]))|\\(?:boxed|fbox)(-?\d)"
)
_JOINS = re.compile(
    r"[\s$,;.&]*(?:\\[()\[\],;!]|\\quad|\\qquad|\\text\s*\{\s*(?:and|or|,)\s*\})*[\s$,;]*"
    r"(?:and|or|und|oder|et|ou|y|o|和|或|及)?[\s$,;]*(?:\\[()\[\]]|\\quad)*[\s$]*"
    r"(?:[a-zA-Z](?:_\{?\w\}?)?\s*=\s*)?[\s$]*(?:\\[()\[\]])*"
)
_HASHES = re.compile(r"^[ \t]*#{4}(?!#)[ \t]*([^\n]*)", re.MULTILINE)
_TAGGED = re.compile(r"<answer>([^<]{1,600})</answer>", re.IGNORECASE)
_REVERSED = re.compile(r"(?:^|\s)([^\s,;]{1,80})\s+is\s+(?:the|our|my)\s+(?:\w+\s+)?answer\b")
_MATHS = re.compile(
    r"\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$(.+?)\$\$|\$(?![\d.,]+\s+[a-zA-Z]{2,})(.+?)\$(?!\d)",
    re.DOTALL,
)
_EQUALS = re.compile(r"(?<![<>!=:])=(?!=)")
_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*/\s*[1-9]\d*)?"
_ANY_NUMBER = re.compile(rf"(?<![\w.]){_NUMBER}")
_TERM = (
    r"(?:[$£€¥]\s?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?"
    r"(?:\s*(?:!|%|\\%|°|π|√\d+|\\pi|\^\{?-?\w+\}?)"
    r"|(?:[a-zA-Z]|\\[a-z]+)(?![a-zA-Z])(?:\^\{?\d+\}?)?|\([^()\n]{1,40}\))*"
)
_RUN = re.compile(
    r"(?<![\w.])(?:[-+](?=\S))?(?:[a-zA-Z](?=\s?[-+*/^=]\s?[\d(])\s?[-+*/^=]\s?)?"
    rf"{_TERM}(?:(?:\s?(?:[-+*/^×·÷]|=)\s?|:(?=\d))(?:[a-zA-Z](?![a-zA-Z])|{_TERM}))*"
)
_ASIDE = re.compile(
    r"\b(?:in|for|per|from|after|over|by|across|at|on|within|during|with|than|into|between|among"
    r"|every|each|(?<!total )(?<!sum )(?<!amount )(?<!average )(?<!profit )of)"
    r"\s+(?:(?:the|these|those|all|each|his|her|its|their|another|only|of|other|first|last)\s+)*\W?$"
)
"""What stands before a number that is no result: "in 3 baskets", "after the first 5 days"."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer as written. ``foreign``: its sentence is of a language with decimal commas."""

    text: str
    foreign: bool = False


def found(response: str) -> Found | None:
    """The answer that ``response`` commits to, or ``None``. Linear in the response."""
    text = plain_characters(without_thinking(response)[-MAX_CHARS:])
    # "\\boxed" and "\\frac" that were read as escapes of a string
    text = text.replace("\x08oxed", "\\boxed").replace("\x0crac", "\\frac")
    text = _first_turn(text)
    boxed, unclosed = _boxes(text)
    if boxed is not None:
        return Found(boxed)
    text = text[:unclosed]
    for step in (_hashes, _tagged):
        if (answer := step(text)) is not None:
            return Found(answer)
    if (said := _last_said(text)) is not None:
        return said
    if unclosed is not None:
        return None  # the answer was cut off: a number before it is no answer
    return _concluded(text)


def last_boxed(text: str) -> str | None:
    """Content of the last closed ``\\boxed{...}`` or ``\\fbox{...}``, braces balanced, or ``None``.

    A box that is empty or repeats the prompt's placeholder is not an answer.
    """
    boxes, _ = _all_boxes(text)
    return max(boxes)[2] if boxes else None


def finished(text: str) -> bool:
    """Whether the last box that ``text`` opens is closed: its answer was written out."""
    last = text.rfind("\\boxed{")
    depth = 0
    for brace in re.finditer(r"[{}]", text[last:] if last >= 0 else ""):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return True
    return False


def _all_boxes(text: str) -> tuple[list[tuple[int, int, str]], int | None]:
    """Start, end and content of every closed box, and where one begins that is never closed.

    One pass with a stack of open braces: time is linear in the text, whatever it holds.
    """
    opens = {found.end() - 1: found.start() for found in _OPENS_BOX.finditer(text)}
    stack: list[int] = []
    boxes: list[tuple[int, int, str]] = []
    for brace in re.finditer(r"\\.|[{}]", text):
        at = brace.start()
        if text[at] == "{":
            stack.append(at)
        elif text[at] == "}" and stack:
            start = stack.pop()
            if start in opens and not _PLACEHOLDER.fullmatch(text, start + 1, at):
                boxes.append((opens[start], brace.end(), text[start + 1 : at].strip()))
    unclosed = [opens[start] for start in stack if start in opens]
    bare = [(m.start(), m.end(), m[1] or m[2]) for m in _BARE_BOX.finditer(text)]
    return boxes + bare, unclosed[0] if unclosed else None


def _boxes(text: str) -> tuple[str | None, int | None]:
    """The last box with those that it is listed with, and where an unclosed one begins."""
    boxes, unclosed = _all_boxes(text)
    outer: list[tuple[int, int, str]] = []
    for box in sorted(boxes, key=lambda box: (box[0], -box[1])):
        if not outer or box[0] >= outer[-1][1]:
            outer.append(box)
    if not outer:
        return None, unclosed
    listed = [outer[-1]]
    for box in reversed(outer[:-1]):
        between = text[box[1] : listed[-1][0]]
        if len(between) > 40 or not _JOINS.fullmatch(between):
            break
        listed.append(box)
    return ", ".join(box[2] for box in reversed(listed)), unclosed


def _first_turn(text: str) -> str:
    """``text`` up to where, once an answer was given, a new question or turn begins."""
    turns = [turn.start() for turn in TURN.finditer(text)]
    if not turns:
        return text
    given = [m.end() for m in (SAID.search(text), _HASHES.search(text)) if m is not None]
    boxes, _ = _all_boxes(text)
    given += [min(boxes)[1]] if boxes else []
    if not given and (digit := re.search(r"\d", text)):
        given = [digit.end()]
    first = min(given, default=0)
    return text[: next((at for at in turns if at >= first and text[:at].strip()), len(text))]


def _hashes(text: str) -> str | None:
    """GSM8K's "#### 18"; a Markdown heading is none."""
    for line in reversed(list(_HASHES.finditer(text))):
        content = line[1].strip()
        if re.match(r"\d+[.)]\s+[A-Za-z]", content):
            continue
        last = not text[line.end() :].strip()
        if re.match(r"[-+*$\\(\[{£€¥\s]*[\d.\\]", content) or (last and 0 < len(content) <= 40):
            return _statement(content)
    return None


def _tagged(text: str) -> str | None:
    """``<answer>18</answer>``."""
    tags = _TAGGED.findall(text)
    return _statement(str(tags[-1]).strip()) if tags else None


def _last_said(text: str) -> Found | None:
    """What follows the last announcement that is followed by anything."""
    for said in reversed(list(SAID.finditer(text))[-5:]):
        rest = text[said.end() : said.end() + MAX_STATED]
        line, _, below = rest.partition("\n")
        if not line.strip(" *_:`\t"):
            line = below.lstrip(" *_:`\t\n").partition("\n")[0]
            opened = _MATHS.match(rest.lstrip(" *_:`\t\n"))
            line = opened[0] if opened else line
        elif opened := _MATHS.match(rest.lstrip(" *_:`\t")):
            line = line if len(line) > len(opened[0]) else opened[0]
        if (stated := _statement(line)) is not None:
            return Found(stated, bool(FOREIGN.match(said[0])))
    if reverse := _REVERSED.search(text):
        return Found(reverse[1])
    return None


def _statement(line: str) -> str | None:
    """The answer at the beginning of ``line``, without its explanation."""
    line = re.sub(r"\*\*(?!\d)|(?<!\d)\*\*|__", "", line[:MAX_STATED]).strip()
    line = line[lead.end() :] if (lead := LEAD.match(line)) else line
    maths = [m.span() for m in _MATHS.finditer(line)]
    for clause in CLAUSE.finditer(line):
        if clause.start() > 0 and not any(a <= clause.start() < b for a, b in maths):
            line = line[: clause.start()]
            break
    line = re.sub(r"\s+(?:and|or|but)$", "", line.strip()).rstrip(',;"`')
    if not line.strip(".*:` ") or EMPTY.match(line):
        return None
    if (segment := _MATHS.match(line)) is not None:
        inner = next(part for part in segment.groups() if part is not None)
        tail = line[segment.end() :].strip()
        if not tail or _MATHS.search(tail) or re.match(r"(?:,|and|or)\b|[,;]", tail):
            return line
        return (
            f"{inner} \\text{{ {tail} }}" if re.fullmatch(r"[a-zA-Z% /]{1,30}\.?", tail) else inner
        )
    if (inside := list(_MATHS.finditer(line))) and re.match(r"[A-Za-z]{2,}", line):
        outside = _MATHS.sub(" ", line)
        if len(inside) == 1 and not re.search(r"\d", outside) and not HEDGED.search(outside):
            return inside[0][0]
        return line
    return _plain(line)


def _plain(line: str) -> str:
    """An answer in plain text: "12 apples in 3 baskets" is 12 apples."""
    if (time := re.match(r"\d{1,2}(?::\d\d)?\s*[ap]\.?\s?m\b\.?", line, re.IGNORECASE)) is not None:
        return time[0]
    counted = re.match(rf"([$£€¥]?\s?{_NUMBER})((?:\s+[^\W\d]{{2,}})+)\s+\d", line)
    if counted and not re.fullmatch(
        r"\s+(?:and|or|to|und|oder|et|ou)|.*\b(?:and|or|to)", counted[2]
    ):
        return counted[1] + counted[2]
    if re.match(r"[^\W\d_]{2,}(?![({^_])", line) and not HEDGED.search(line):
        numbers = _ANY_NUMBER.findall(line)
        if "=" in line:
            return line.rpartition("=")[2].strip()
        if len(set(numbers)) == 1 and not re.match(r"(?:sqrt|pi|sin|cos|tan|ln|log)\b", line):
            run = [m[0] for m in _RUN.finditer(line)]
            return str(run[-1] if run else numbers[0])
    return line


def _concluded(text: str) -> Found | None:
    """The answer of a response that announces none: its last sentence's, or the last number."""
    if weak := list(WEAK.finditer(text))[-1:]:
        line = text[weak[0].end() :].strip()
        if "\n" not in line and re.search(r"\d|\\", line) and (stated := _statement(line)):
            return Found(stated)
    numbers = list(_ANY_NUMBER.finditer(text))
    if not numbers:
        return None
    last = numbers[-1]
    start = max(text.rfind("\n", 0, last.start()) + 1, last.end() - 400)
    end = text.find("\n", last.end())
    line = text[start : end if end >= 0 else len(text)][:800]
    sentences = [s for s in re.split(r"(?<=[.!?])\s+(?=[A-Z])", line) if re.search(r"\d", s)]
    sentence = sentences[-1] if sentences else line
    if not re.search(r"[=$\\]", sentence):
        results = [
            m for m in _RUN.finditer(sentence) if not _ASIDE.search(sentence[: m.start()][-60:])
        ]
        if len(results) == 1:
            return Found(results[0][0])
    maths = list(_MATHS.finditer(sentence))
    if maths and not _ANY_NUMBER.search(sentence, maths[-1].end()):
        return Found(next(part for part in maths[-1].groups() if part is not None).strip())
    runs = [m[0] for m in _RUN.finditer(sentence)]
    answer = runs[-1] if runs else last[0]
    return Found(split(answer, _EQUALS)[-1] or last[0])
