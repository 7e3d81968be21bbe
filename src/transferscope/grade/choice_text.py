"""Normalisation of a reply to a choice question, and extraction of its single letters.

Brackets, quotes, bold, LaTeX and full-width forms are reduced to two: ``(B)`` if the reply marked
the letter, ``B`` if it did not. Only isolated letters count: not the B of "B-52", "D.C.", "A/B" or
"R&D", nor a letter next to an apostrophe ("I'm", "C'est").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ..core.thinking import END_MARKS, without_thinking

HEAD, TAIL = 4_000, 20_000
"""Characters read at a reply's start and end, which bounds the work on hostile input."""
MOST = 200
"""Most letters examined, half of them at each end."""

LATIN = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff\u1e00-\u1fff"
"""Letters of scripts with spaces between words; a letter next to one is part of a word."""
_SQUARED: dict[int, str | None] = {0xFE0E: None, 0xFE0F: None, 0x20E3: None}
_SQUARED |= {0x1F150 + n: f"({chr(65 + n)})" for n in range(26)} | {
    0x1F170 + n: f"({chr(65 + n)})" for n in range(26)
}
_UNSEEN = ("Cf", "Cc")
"""Unicode categories of control characters: text direction, joiners, bells."""
_TURN = re.compile(
    r"\n\s*(?:#+\s*)?(?:question|q|human|user|problem|frage|pregunta|domanda|pergunta|вопрос|"
    r"问题|題目|题目|問題|질문|문제)\s*\d{0,3}\s*[:.：]",
    re.IGNORECASE,
)
_NEXT_TURN = re.compile("|".join(re.escape(mark) for mark in END_MARKS))
"""A template's marker inside a reply: the model continued into the next turn."""
_GLM_BOX = re.compile(r"<\|begin_of_box\|>(.*?)<\|end_of_box\|>", re.DOTALL)
_ANSWERED = re.compile(
    r"(?:\A|(?:\A|\n)[ \t]{0,8}Q(?:uestion)?\s?[:.][^\n]{0,400}?\s{1,3})"
    r"A:[ \t\n]{0,3}(?=\(?[A-Z]\)?[.)]?[ \t]{0,8}(?:\Z|\n))"
)
""" "Q: Which one? A: B": this A is not an option."""
_COMMAND = re.compile(
    r"\\(?:text\w{0,6}|math\w{0,8}|bold\w{0,8}|emph|underline|operatorname|bf|rm|mbox|hbox)\s*"
    r"\{([^{}]*)\}"
)
_SPACES = re.compile(r"\\(?:[,;:! ]|q?quad\b|left\b|right\b|displaystyle\b)|~|\\[()\[\]]")
_BOX = re.compile(r"\\f?box(?:ed)?\s*(?:\{((?:[^{}]|\{[^{}]*\})*)\}|([A-Za-z])\b)")
_LETTER_TAG = re.compile(r"<([A-Z])>(?!.{0,200}</\1>)", re.DOTALL)
_STYLE_TAG = re.compile(r"<(/?)(?:b|i|u|em|strong|p|br|span|code|mark)\s?/?>")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z_]{0,20})>")
_BOLD = re.compile(r"(\*{1,3}|_{1,3}|`{1,3}|~~)\s*[(\[]?([A-Za-z])[)\]]?([.:,]?)\s*\1(?!\w)")
_MARKS = re.compile(r"\*+|`+|(?<!\w)__|__(?!\w)|(?m:^\s*(?:#+|>+)\s)")
_BRACKETED = re.compile(
    rf"(?<![{LATIN}0-9])[(\[{{<「『【〈《⟨«]{{1,3}}\s?([A-Za-z])\s?[)\]}}>」』】〉》⟩»]{{1,3}}"
)
_QUOTED = re.compile(
    rf"(?<![{LATIN}0-9])(?:['‘’‚`]{{1,2}}|[\"“”„])([A-Za-z])([.)]?)(?:['’‘´]{{1,2}}|[\"”“])(?![{LATIN}])"
)
_DOLLARS = re.compile(r"\${1,2}\s?(\(?[A-Z]\)?)\s?\.?\s?\${1,2}")
_TEMPLATE = re.compile(r"(?<=: )\$(?=[A-Z](?![\w$]))")
_TURKISH = re.compile(r"(?<=[A-Z])['’][dt][ıiuü]r(?!\w)")
_ALONE = re.compile(
    rf"(?<![{LATIN}0-9'’+&/@#°_\\^$])(?<![{LATIN}0-9]-)(?<![{LATIN}]\.)"
    rf"(?:\(([A-Z])\)(?=[A-Z][a-z])|(?:\(([A-Za-z])\)|([A-Za-z]))"
    rf"(?![{LATIN}0-9+#&/°^_\\$=*])(?!['’][{LATIN}])(?!\.[{LATIN}](?![{LATIN}]))(?!-[{LATIN}0-9])"
    rf"(?!\s*[=+*^<>]\s*[{LATIN}0-9(])(?!\([A-Za-z][|,)]))"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """An isolated letter: ``text[start:end]``, which includes brackets if ``marked``."""

    letter: str
    start: int
    end: int
    marked: bool
    lower: bool


def unwrapped(response: str) -> tuple[str, list[str]]:
    """Return the answer without reasoning, wrappers and later turns, and its boxes' contents."""
    text = without_thinking(response).strip()
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n{text[-TAIL:]}"
    text = unicodedata.normalize("NFKC", text.translate(_SQUARED)).replace("\r", "")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _UNSEEN)
    if (turn := _TURN.search(text)) and text[: turn.start()].strip():
        text = text[: turn.start()]
    if (mark := _NEXT_TURN.search(text)) and text[: mark.start()].strip():
        text = text[: mark.start()]
    text = _ANSWERED.sub("\nAnswer: ", _GLM_BOX.sub(r"\\boxed{\1}", text))
    for _ in range(3):
        text = _COMMAND.sub(r"\1", text)
    text = _SPACES.sub(" ", text)
    boxes = [(braced or single).strip() for braced, single in _BOX.findall(text)]
    return _plain(_BOX.sub(r" \1\2 ", text)), [_plain(box) for box in boxes if box]


def _plain(text: str) -> str:
    text = _STYLE_TAG.sub("", text)
    text = _LETTER_TAG.sub(r"(\1)", text)
    text = _TAG.sub(lambda tag: "\n" if tag[1] else f" {tag[2].replace('_', ' ')}: ", text)
    text = _BOLD.sub(r"(\2)\3", text)
    text = _MARKS.sub("", text)
    text = _DOLLARS.sub(r"\1", text)
    text = _BRACKETED.sub(r"(\1)", text)
    text = _QUOTED.sub(r"(\1)\2", text)
    return _TURKISH.sub("", _TEMPLATE.sub("", text)).strip()


def mentions(text: str) -> list[Mention]:
    """Return every isolated letter in order; of more than :data:`MOST`, those at both ends."""
    found = [
        Mention(
            (said := match[1] or match[2] or match[3]).upper(),
            match.start(),
            match.end(),
            marked=match[3] is None,
            lower=said.islower(),
        )
        for match in _ALONE.finditer(text)
    ]
    return found if len(found) <= MOST else found[: MOST // 2] + found[-MOST // 2 :]
