"""Extraction of the answer that a response commits to.

It is the last closed box that is neither empty nor a placeholder (boxes separated only by "and" or
a comma are one answer of several parts); else the text after the last ``####`` or "the answer is",
whichever comes later; else the formula or number at the end. Reasoning blocks, text of the next
speaker and a box that is never closed hold no answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..core.endings import cut_off
from ..core.thinking import without_end_marks, without_thinking
from .notation import plain_signs
from .numbers import PATTERN
from .spoken import digits
from .statements import LOOK_AHEAD, Statement, run, statements, taken_back

MAX_CHARS = 100_000
"""Longer responses are graded on their last characters, which bounds the work on hostile input."""

_PLACEHOLDER = re.compile(
    r"(?:\\text\{)?(?:your|final|the)?[\s\\_]*answer[\s\\_]*(?:here)?\}?"
    r"|(?:[\s.…_~]|\\(?:[,;:! _]|q?quad(?![a-z])))*|\\(?:ldots|dots)|\?+",
    re.I,
)
_BOX = ("\\boxed", "\\fbox", "\\framebox", "\\colorbox")
_BARE_BOX = re.compile(
    r"\\(?:boxed|fbox)\s*(?P<content>-?\d[\d,]*(?:\.\d+)?|[a-zA-Z](?![a-zA-Z])|\([^(){}\n]{1,40}\)"
    r"|\\[dt]?frac\s*\{[^{}]{0,40}\}\s*\{[^{}]{0,40}\}|\\(?:sqrt|text)\s*\{[^{}]{0,40}\})"
)
_BETWEEN = re.compile(
    r"(?:[\s$,;&]|\\[()\[\],;]|\\q?quad|\b(?:and|or|und|oder|et|ou|y|o)\b|\\text\{\s*(?:and|or)\s*\}"
    r"|[a-zA-Z](?:_\{?\w\}?)?\s*=)*",
    re.IGNORECASE,
)
_HASHES = re.compile(r"(?<!#)####(?!#)[ \t:*]*(?P<rest>[^\n]{1,400})")
_HEADING = re.compile(r"\d+\s*[.):]\s+[A-Za-z*]|[^\d$\\({\[-]")
_ASKS = (
    r"question|q|human|user|instruction|problem \d+|exercise \d+|(?P<weak>problem|exercise)|"
    r"问题|問題|题目|質問|frage|"
    r"pregunta|pergunta|domanda|вопрос"
)
_TURN = re.compile(
    rf"(?:^|\n|(?<=[.!?。)}}\]]))[\s*#>\[]{{0,8}}(?:{_ASKS})(?:\s{{0,3}}\d{{1,4}})?[\s*\]]{{0,8}}:(?!\S*//)"
    r"|<\|(?:im_start|start_header_id)\|>\s*(?:user|human)|<\|(?:user|human)\|>"
    r"|<start_of_turn>\s*user|\[INST\]|\n\s{0,8}#{2,4}\s{0,3}(?:instruction|human|user|question)\b",
    re.IGNORECASE,
)
_ANY_NUMBER = re.compile(rf"(?<![A-Za-zÀ-ɏ\d_.^])(?<!\^\{{)(?:[$€£¥₹] ?)?{PATTERN}")
_SPAN = re.compile(
    r"\$(?P<a>(?:\\\$|[^$\n]){1,200})\$|\\\((?P<b>[^\n]{1,200}?)\\\)|\\\[(?P<c>[^\[\]]{1,300}?)\\\]|\$\$(?P<d>[^$]{1,300})\$\$"
)
_DENIED = re.compile(
    r"(?:\bnot|n't|\bnever|\bnicht|\bpas|\bno es|\bnon è|\bне)\s+"
    r"(?:be\s+|equal(?:\s+to)?\s+)?\$?\s*$"
    r"|(?:不是|不为|不等于|并非)\s*$"
)
_GOVERNED = re.compile(
    r"\b(?:in|from|(?<!total )(?<!sum )(?<!average )of|for|per|after|over|with|at|by|into|among|"
    r"across|within|every|each|on|than|out of|during|before|step|steps|until|under|about the)"
    r"(?:\s+[a-z]+ing)?\s*$"
    r"|(?<!has)(?<!have)(?<!had)(?<!needs)(?<!need)(?<!needed)(?<!going)(?<!wants)(?<!able)"
    r"\s+to\s+[a-z]{2,12}\s*$",
    re.IGNORECASE,
)
_IS = re.compile(
    r"(?:.*\b(?:is|are|was|were|equals)\s+|(?:Thus|So|Hence|Therefore|∴),?\s+)(?=[-$\\(\[\d√πa-z])(.+)$"
)
"""The end of the last sentence, which may consist of a formula only."""
_WHERE = re.compile(
    r"(?P<value>\b(?:is|are|was|equals)\s[^=\n.]{0,40}\d[^=\n]{0,20}?)\s*,?\s+(?:at|when|for|if|where|with)"
    r"\s+\$?[a-zA-Z]\s*=\s*[-+\d./]+\$?\.?$"
)
""" "4 at x = 2"."""
_RATIO = re.compile(
    r"\b(?:ratio|odds)\b[^.]*?(?<![\d.])(\d[\d,.]*\s*(?::|to)\s*\d[\d,]*(?:\.\d+)?)\.?$",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"[^\d]*\d{1,3}\.\d\d0(?![\d.,])")
"""1.500 in a language of decimal commas, where no decimal is written with a zero at its end."""
FAR = 1_000
"""A truncated response with more text than this after a statement did not conclude with it."""
_TAIL = 600
"""Characters searched at the end if nothing announces the answer."""


@dataclass(frozen=True, slots=True)
class Box:
    """A closed box: its content and its position, which includes the command."""

    content: str
    start: int
    end: int


def final_answer(response: str) -> str | None:
    """Return the answer a response commits to, by this module's rules, or ``None``."""
    found = readings(response)
    return found[0] if found else None


def readings(response: str) -> tuple[str, ...]:
    """Return the readings of :func:`final_answer`, usually one.

    "3,5" or "1.234" in a sentence of a language that writes decimal commas is read that way first,
    then literally.
    """
    text = _of_this_turn(plain_signs(without_thinking(response)[-MAX_CHARS:]))
    if boxed := _boxed(text):
        return (boxed,)
    opened = _open_box(text)
    if opened is not None:
        text = text[:opened]
    hashes = _behind_hashes(text)
    said = next(statements(text), None)
    if said is not None and len(text) - said.start > FAR and cut_off(text):
        said = None  # it kept working for long and was truncated before it concluded
    if hashes and (said is None or hashes.start > said.start):
        return (hashes.text,)
    if said is not None:
        local = _decimal_commas(said.text) if said.comma else said.text
        sure = local == said.text or _GROUPED.match(said.text)
        return (local,) if sure else (local, said.text)
    last = None if opened is not None else _at_the_end(text)
    return (last,) if last else ()


def last_boxed(text: str) -> str | None:
    """Return the content of the last closed ``\\boxed{...}`` with balanced braces, or ``None``.

    A box that is empty or repeats the prompt's placeholder is not an answer.
    """
    found = _boxes(text)
    return found[-1].content if found else None


def finished(text: str) -> bool:
    """Whether the last box that ``text`` opens is closed, so that its answer is complete."""
    last = text.rfind("\\boxed{")
    depth = 0
    for brace in re.finditer(r"[{}]", text[last:] if last >= 0 else ""):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return True
    return False


def _boxes(text: str) -> list[Box]:
    """Return closed boxes, ordered by their starts.

    One pass with a stack of open braces takes linear time for any text.
    """
    if not any(command in text for command in _BOX):
        return []
    opened: list[int] = []
    found: list[Box] = []
    for brace in re.finditer(r"(?<!\\)[{}]|(?<=\\\\)[{}]", text):
        if brace.group() == "{":
            opened.append(brace.start())
        elif opened:
            start = opened.pop()
            command = text[max(0, start - 14) : start].rstrip()
            if command.endswith(_BOX) and not _PLACEHOLDER.fullmatch(
                text, start + 1, brace.start()
            ):
                at = start - (len(command) - command.rfind("\\"))
                if not _denied(text, at):
                    found.append(Box(text[start + 1 : brace.start()].strip(), at, brace.end()))
    found += [Box(bare["content"], bare.start(), bare.end()) for bare in _BARE_BOX.finditer(text)]
    return sorted(found, key=lambda box: box.start)


def _denied(text: str, at: int) -> bool:
    """Whether the text says that what is at position ``at`` is not the answer."""
    return _DENIED.search(text, max(0, at - 20), at) is not None


def _boxed(text: str) -> str | None:
    found = _boxes(text)
    if not found:
        return None
    parts = [found[-1]]
    for box in reversed(found[:-1]):
        first = parts[0]
        if box.end > first.start:  # nested boxes: the inner one is the answer
            continue
        if first.start - box.end > 60 or not _BETWEEN.fullmatch(text, box.end, first.start):
            break
        parts.insert(0, box)
    behind = text[found[-1].end : found[-1].end + LOOK_AHEAD]
    contents = list(dict.fromkeys(box.content for box in parts))
    return taken_back(behind, at_once=True) or ", ".join(contents)


def _open_box(text: str) -> int | None:
    """Return the start of the last box if it is never closed, else ``None``."""
    last = max(text.rfind(command + "{") for command in _BOX)
    if last == -1:
        return None
    depth = 0
    for brace in re.finditer(r"[{}]", text[last:]):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return None
    return last


def _of_this_turn(text: str) -> str:
    """Cut ``text`` before the next question of a dialogue, if an answer came before it."""
    for turn in _TURN.finditer(text):
        before = text[: turn.start()]
        answered = r"\\boxed|####" if turn["weak"] else r"\d|\\boxed|####"
        if before.strip() and (re.search(answered, before) or next(statements(before), None)):
            return without_end_marks(before)
    return text


def _behind_hashes(text: str) -> Statement | None:
    """Return the statement after GSM8K's "#### 18"; a Markdown heading is not an answer."""
    for match in reversed(list(_HASHES.finditer(text))):
        rest = match["rest"].strip(" *")
        if not _HEADING.match(rest) and (found := run(rest)):
            return Statement(taken_back(text[match.start("rest") :]) or found, match.start())
    return None


def _decimal_commas(text: str) -> str:
    """Read "1.234,5" as 1234.5, "3,5" as 3.5 and "1.234" as 1234; keep other texts."""
    match = re.match(
        r"((?:[a-zA-Z]\s*=)?[-+$€\s]*)(\d{1,3}(?:[. ]\d{3})*|\d+)(?:,(\d+))?(?![\d.,])(.*)",
        text,
        re.DOTALL,
    )
    if not match:
        return text
    sign, whole, decimals, rest = match.groups()
    whole = re.sub(r"[. ]", "", whole)
    return f"{sign}{whole}{'.' + decimals if decimals else ''}{rest}"


def _at_the_end(text: str) -> str | None:
    """Return the last number or the formula around it.

    If the last sentence has several, it is the one without a preposition ("she has 12 apples in 3
    baskets").
    """
    tail = _WHERE.sub(r"\g<value>", text[-_TAIL:].rstrip())
    line = tail.strip().rpartition("\n")[2].strip(" .*")
    if (formula := run(line)) and len(formula) >= len(line.strip("$ ")) - 2:
        return formula.rpartition("=")[2].strip() or formula
    if (stated := _IS.match(line)) and (formula := run(stated[1])) and formula in stated[1]:
        rest = stated[1].rpartition(formula)[2]
        if not rest.strip(" .$*!\\)]"):
            return formula.rpartition("=")[2].strip() or formula
    if not re.search(r"\d", line):
        tail = digits(tail)
    if ratio := _RATIO.search(line):
        return ratio[1]
    numbers = [n for n in _ANY_NUMBER.finditer(tail) if not _denied(tail, n.start())]
    if not numbers:
        return None
    last = numbers[-1]
    for span in _SPAN.finditer(tail):
        if span.start() < last.start() and last.end() <= span.end():
            return str(next(group for group in span.groups() if group is not None)).strip()
    sentence = max(tail.rfind(stop, 0, last.start()) for stop in ("\n", ". ", "! ", "? ", "=")) + 1
    free = [
        n
        for n in numbers
        if n.start() >= sentence and not _GOVERNED.search(tail[max(0, n.start() - 24) : n.start()])
    ]
    return (free or [last])[-1].group()
