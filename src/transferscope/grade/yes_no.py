"""Grading of yes-or-no questions: which of the two words a reply commits itself to.

The reader is strict on purpose. A word that only begins a phrase ("no doubt", "no comma") doesn't
count as an answer, and neither does a reply that gives both words or is not sure.
"""

from __future__ import annotations

import re

from ..core.thinking import without_thinking

_MARKS = re.compile(r"[*_`#>~“”\"]+|\\(?:text|mathrm|textbf)\b|[{}$]")
_BOXED = re.compile(r"\\boxed\s*\{\s*(?:\\text\w*\s*\{)?\s*(yes|no)\s*[.!]?\s*\}", re.IGNORECASE)
_BOTH = re.compile(
    r"\b(?:yes|no)(?:\s*/\s*|\s*,?\s+(?:or|and|nor)\s+)(?:a\s+)?(?:yes|no)\b", re.IGNORECASE
)
_WORD = r"(?P<word>yes|no)\b"
_ENDS = (
    r"(?=\s*(?:$|[.,;:!()\]—–\n-](?!\s*\d)|\b(?:because|since|as|but|the|this|that|these|it|there|"
    r"he|she|they|we|i|for|given|based|according)\b))"
)
_STATED = re.compile(
    r"\b(?:answers?|judge?ments?|verdict|conclusion|decision|response|output)"
    r"(?:\s*[:=]|\s+(?:to\s+(?:\w+\s+){1,5})?(?:is|was|would\s+be|will\s+be|must\s+be|should\s+be)\b:?)"
    rf"\s*(?:a\s+|an?\s+emphatic\s+|clearly\s+|definitely\s+)?{_WORD}{_ENDS}",
    re.IGNORECASE,
)
_OPENS = re.compile(
    r"(?:^(?:[-+•]\s+)?|[.!?:;)\]—–]\s+|\n\s*(?:[-+•]\s+)?"
    r"|\b(?:so|thus|hence|therefore|then|say|is|be|wait|ok|okay|well),?\s+)"
    rf"{_WORD}{_ENDS}",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"(?:\bnot|n['’]t|\bneither|\bcannot)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_ASKED = re.compile(r"[^.!?\n]*\?")
"""A question repeated from the prompt ("Is it plausible, yes or no?")."""


def yes_or_no(reply: str, *, absent: str = "") -> bool | None:
    """Return whether a reply answers yes (``True``) or no; ``None`` if it does neither.

    The first of these that is found decides: the last box with one of the words; the last statement
    that calls one of them the answer; the last one that begins a sentence or a line, or follows
    "so", "is" or the like. ``absent`` is a regular expression of what a reply may
    deny in place of a plain no: for "hallucination", a reply that begins with "No hallucinations"
    answers no. Reasoning, emphasis marks and questions are not read.

    >>> yes_or_no("**Yes**, because no source supports it.")
    True
    >>> yes_or_no("Yes? No: every claim is supported. So the answer is no.")
    False
    >>> yes_or_no("Not sure.") is None, yes_or_no("Nolan directed it.") is None
    (True, True)
    """
    said = without_thinking(reply)
    if boxes := _BOXED.findall(said):
        return _is_yes(boxes[-1])
    plain = _BOTH.sub(" ", _ASKED.sub(" ", _MARKS.sub("", said))).strip()
    for pattern in (_STATED, _OPENS):
        found = [
            match["word"]
            for match in pattern.finditer(plain)
            if not _NEGATED.search(plain[: match.start("word")])
        ]
        if found:
            return _is_yes(found[-1])
    denied = rf"no\s+(?!doubt|question)(?:\w+\s+){{0,2}}(?:{absent})"
    if absent and re.match(denied, plain, re.IGNORECASE):
        return False
    return None


def first_line_has(reply: str) -> bool | None:
    """Return the verdict as the paper's released code reads it, with its faults.

    It looks for "Yes" and "No" anywhere in the first line, in this spelling. So "Not sure" and
    "Nolan" are a no, "yes" is nothing, a line with both is nothing, and of a reply that thinks
    first only "<think>" is read.

    >>> first_line_has("Not sure."), first_line_has("yes"), first_line_has("No. Yes, it is.")
    (False, None, None)
    """
    line = reply.strip().split("\n")[0]
    yes, no = "Yes" in line, "No" in line
    return None if yes == no else yes


def _is_yes(word: str) -> bool:
    return word.lower() == "yes"
