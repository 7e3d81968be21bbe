"""Artefacts: ways in which an answer fails that say little about what the model knows.

The detectors in this module look at one response and its prompt. Those that compare it with the
base model's responses (style and script) are in `artefacts_against`. Flags that an engine or a
grader recorded are taken over; all others are inferred from the text and marked as inferred. Every
detector runs in linear time or reads a bounded part of the text. Their accuracy on labelled answers
of two 14B models is reported in docs/science.md, section 3.

>>> flags_of("12", finish="length")
Flagged(flags=('truncated',), inferred=())
>>> flags_of("so 4. " * 30)
Flagged(flags=('looped',), inferred=('looped',))
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from .endings import cut_off
from .thinking import still_thinking, without_end_marks, without_thinking

LOOP_TAIL = 4096
"""Characters at the end of a response that are searched for a loop: bounds hostile input."""
LOOP_REPEATS = 4
"""A unit must be repeated at least this often at the end."""
LOOP_CHARS = 80
"""The repetition must cover at least this many characters, so "1 + 1 + 1 + 1" does not count."""
LOOP_SHARE = 0.2
"""The repetition must also cover at least this share of the tail."""
CUT_CHARS = 200
"""Shorter answers need no full stop ("12", "B", a name), so their ending never counts as a cut."""
UNANSWERED_CHARS = 2000
"""An answer this long without the requested box counts as truncated, however it ends."""
ECHO_CHARS = 60
"""An echo copies at least this many characters of the prompt, not counting white space."""

TIED = "tied"
"""Flag of a choice whose likelihood equals another option's: the first of them was taken. Engines
record it; low-precision logits tie, which says little about what the model knows."""

_TEMPLATE = re.compile(
    r"<\|(?:im_start|im_end|user|assistant|system|eot_id|start_header_id|end_header_id|endoftext)\|>"
    r"|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>"
)
_ROLE = r"(?:(?:human|user|assistant|system)\s*(?::|\n)|#{2,4}\s*(?:instruction|human|user)\b)"
# Two patterns, because an alternative "^" would be tried at every character.
_FIRST_ROLE = re.compile(_ROLE, re.IGNORECASE)
_LATER_ROLE = re.compile(rf"\n[^\S\n]*{_ROLE}", re.IGNORECASE)
_BOX_ASKED = re.compile(r"\\boxed\b")


class Flagged(NamedTuple):
    """The flags found; ``inferred`` lists those that were deduced from the text alone."""

    flags: tuple[str, ...]
    inferred: tuple[str, ...]


def flags_of(
    text: str,
    *,
    finish: str | None = None,
    prompt: str | None = None,
    extracted: bool | None = None,
) -> Flagged:
    """Flags of one response, in a fixed order.

    ``finish`` is as in :class:`~transferscope.core.records.Generation`. ``prompt`` is the model's
    input; without it, detectors that need it are skipped. ``extracted`` says whether a grader found
    an answer to grade (``None``: not recorded).
    """
    recorded, inferred = [], []
    if finish == "length":
        recorded.append("truncated")
    if extracted is False:
        recorded.append("extraction_failed")
    if empty(text):
        inferred.append("empty")
    else:
        cut = stop_cut(text) if finish in (None, "stop_string") else False
        if cut:
            inferred.append("stop_cut")
        elif finish is None and truncated(text, prompt):
            inferred.append("truncated")
        if looped(text):
            inferred.append("looped")
        if unclosed_think(text, prompt):
            inferred.append("unclosed_think")
        if prompt is not None and prompt_echo(text, prompt):
            inferred.append("prompt_echo")
        if role_leak(text):
            inferred.append("role_leak")
        if extracted is None and prompt and not (inferred or recorded) and unboxed(text, prompt):
            inferred.append("extraction_failed")
    return Flagged(tuple(recorded + inferred), tuple(inferred))


def empty(text: str) -> bool:
    """Whether the text has no visible character."""
    return not text.strip()


def looped(text: str) -> bool:
    """Whether the text ends in repetitions of one unit; the last one may be cut off anywhere.

    A suffix with period p equals the text p characters further left. It counts as a loop if it has
    :data:`LOOP_REPEATS` units, :data:`LOOP_CHARS` characters and :data:`LOOP_SHARE` of the tail.
    Only periods at which the last 60 characters occur again are tried: at most a quarter of
    :data:`LOOP_TAIL`, however long the text is.
    """
    tail = text[-2 * LOOP_TAIL :].rstrip()[-LOOP_TAIL:]
    length = len(tail)
    needed = math.ceil(max(LOOP_CHARS, LOOP_SHARE * length))
    if length < needed:
        return False
    # A loop's period is at most a quarter of it, so its last 60 characters occur in it again.
    end = tail[-(LOOP_CHARS - LOOP_CHARS // LOOP_REPEATS) :]
    at = tail.rfind(end, 0, length - 1)
    while at != -1:
        period = length - len(end) - at
        equal = max(needed, LOOP_REPEATS * period) - period
        if equal + period > length:
            return False
        if tail[-equal:] == tail[-equal - period : -period]:
            return True
        at = tail.rfind(end, 0, at + len(end) - 1)
    return False


def stop_cut(text: str) -> bool:
    """Whether a stop string cut off the answer in mid-sentence.

    Tokenizers attach a space to the following word, so an answer cut at the token limit rarely ends
    in a space. A stop string that begins with the next word does leave one. The space counts if its
    line has an open ``**`` or the answer is shorter than :data:`UNANSWERED_CHARS`: before a digit
    the space is a token of its own, and long answers are the ones that token limits cut. A trailing
    ``**`` with nothing after it counts too. A blank line does not count, because paragraphs end in
    one.
    """
    words = text.rstrip(" ")
    bold = "*" in text and text[text.rfind("\n") + 1 :].count("**") % 2 == 1
    if words == text:
        return bold and text.endswith("**")
    return words[-1:].isalpha() and (bold or len(text) < UNANSWERED_CHARS)


def truncated(text: str, prompt: str | None = None) -> bool:
    """Whether the token limit cut off the answer, as far as the text shows.

    Either the answer has at least :data:`CUT_CHARS` characters and ends in mid-sentence, in an open
    formula or in an open code block (:func:`.endings.cut_off`); a closed box at the end counts as
    an answer, and text before the end of a reasoning block is ignored. Or it has
    :data:`UNANSWERED_CHARS` characters without the box that the prompt asks for.
    """
    if len(text) >= UNANSWERED_CHARS and prompt and unboxed(text, prompt):
        return True
    end = text.rstrip()
    if len(end) < CUT_CHARS or without_end_marks(end) != end or not cut_off(end):
        return False  # an end-of-turn mark: the model ended its turn
    answer = (without_thinking(text) or text).rstrip()  # last, because the search for tags is slow
    if len(answer) < CUT_CHARS or _boxed_end(answer):
        return False
    return answer == end or cut_off(answer)


def unboxed(text: str, prompt: str) -> bool:
    """Whether the prompt asks for ``\\boxed{...}`` and none is closed (a quoted request is not)."""
    if not _BOX_ASKED.search(prompt):
        return False
    asked = set(_closed_boxes(prompt))
    return all(box in asked for box in _closed_boxes(text))


def unclosed_think(text: str, prompt: str | None = None) -> bool:
    """Whether the answer or the end of the prompt opened a reasoning block that is never closed.

    The tags are those of :mod:`.thinking`.
    """
    return still_thinking(text, prompt)


def prompt_echo(text: str, prompt: str) -> bool:
    """Whether the answer is little more than a copy of the prompt or of a part of it.

    It begins with at least :data:`ECHO_CHARS` characters of the prompt, not counting white space
    (of a shorter prompt with all of it, at least a third of that), and the copy is at least half of
    the answer. Repeating the question before answering it is not an echo.
    """
    given = "".join(prompt.split())
    least = min(ECHO_CHARS, len(given))
    first = "".join(text[: 4 * ECHO_CHARS].split())[:least]
    if least < ECHO_CHARS // 3 or (len(first) == least and first not in given):
        return False
    said = "".join(text.split())
    if len(said) > 2 * len(given):
        return False
    at = given.find(said[:least])
    if at == -1 or len(said) < least:
        return False
    copied = next(
        (i for i, (a, b) in enumerate(zip(said, given[at:], strict=False)) if a != b),
        min(len(said), len(given) - at),
    )
    return 2 * copied >= len(said)


def role_leak(text: str) -> bool:
    """Whether the answer continues in another role: a template marker or a line naming a role."""
    marked = ("<" in text or "[" in text) and _TEMPLATE.search(text)
    return bool(marked or _FIRST_ROLE.match(text) or _LATER_ROLE.search(text))


def _boxed_end(text: str) -> bool:
    """Whether only punctuation follows a closed box: such an answer is complete."""
    at = text.rfind("\\boxed{")
    if at == -1 or len(text) - at > CUT_CHARS:
        return False
    behind = text[at:]
    for box in _closed_boxes(behind):
        behind = behind.replace("\\boxed{" + box + "}", "", 1)
    return not any(character.isalpha() for character in behind)


def _closed_boxes(text: str) -> list[str]:
    """Contents of the closed boxes. Nested braces are balanced; each character is read once."""
    found, at = [], text.find("\\boxed{")
    while at != -1:
        start = at + len("\\boxed{")
        depth, position = 1, start
        for brace in re.compile(r"[{}]").finditer(text, start):
            depth += 1 if brace.group() == "{" else -1
            position = brace.end()
            if depth == 0:
                found.append(text[start : position - 1])
                break
        else:
            return found  # never closed, so no box after it is closed outside it either
        at = text.find("\\boxed{", position)
    return found
