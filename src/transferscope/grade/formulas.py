"""Recognition of a formula within a sentence, up to where the sentence continues in words.

>>> formula("2x + 3, since x is odd", 0).text, formula("12 (see step 3)", 0).text
('2x + 3', '12')
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .notation import FUNCTIONS

_SPAN = re.compile(
    r"\$\$(?P<a>.{1,300}?)\$\$|\$(?P<b>(?:\\\$|[^$\n]){1,300}?)\$"
    r"|\\\((?P<c>.{1,300}?)\\\)|\\\[(?P<d>.{1,300}?)\\\]",
    re.DOTALL,
)
_DOTS = re.compile(r"\.\.\.|…|\\[lc]?dots(?![a-z])")
_ENVIRONMENT = re.compile(r"\\begin\{(\w{1,12}\*?)\}.{0,400}?\\end\{\1\}", re.DOTALL)
_ROMAN = re.compile(r"\s*\\(?:text|mathrm|mbox|textbf)\s*\{[^{}\n]{0,60}\}")
_COMMA = re.compile(r"\s*[,;]")
_PIECE = re.compile(
    rf"""[^\S\n]*(?:
      (?P<number>(?:US)?[$€£¥₹]?(?:\d{{1,3}}(?:['’]\d{{3}})+(?!\d)|\d+(?:[.,]\d+)*|\.\d+)(?:[eE][-+]?\d+)?(?:\.\.\.|…)?)
    | (?P<command>\\(?:[a-zA-Z]+|[{{}}|,;!:%$ ]))
    | (?P<function>(?:{FUNCTIONS}|pi|infinity|mod)(?![a-zA-Z]))
    | (?P<letters>[a-zA-Zα-ωΑ-Ω](?![^\W\d_])'*|(?<=[\d)}}])(?:[a-z]{{1,3}})(?![a-zA-Z]))
    | (?P<sign>[-+*/^=<>≤≥≠±×·÷√π∞°%‰!|_(){{}}\[\]&'²³⁴½¼¾⅓⅔€£¥₹¢∪∩∈:≡~$‐])
    )""",
    re.VERBOSE,
)
_OR_MORE = re.compile(r"[$€£]?\d[\d,.]*\+")
_HALF_DAY = re.compile(r"\s*(?:[ap]\.\s?m\.|[ap]m\b)", re.IGNORECASE)
_RATIO = re.compile(r"[\w)}]:[\w(\\]|\s:\s")
_REMARK = re.compile(r"\s+\([\d\s+\-*/×·÷=.,]*\)\s*(?:[.!?,;]|$)")
"""A bracket without letters after an amount: "12 (3 × 4)"."""
_WORDED = re.compile(
    rf"[(\[]\s*(?:[\u3040-\u9fff\uac00-\ud7af]|(?!(?:{FUNCTIONS}|pi|mod)\b)[^\W\d_]{{2,}})"
)
"""A remark: a bracket that begins with a word, "(see step 3)"."""
_EXCLAIMED = re.compile(r"!+\s*(?:$|\n|\s[A-Z])")
_EXPLAINS = re.compile(
    r"(?:since|because|as|so|for|and|or|but|which|is|weil|denn|porque|car|perché)\b", re.IGNORECASE
)


class Formula(NamedTuple):
    """A formula's ``text`` and the position where it ends."""

    text: str
    end: int


def formula(content: str, at: int) -> Formula | None:
    """Return the formula that begins at ``at`` (after blanks and stars), or ``None``."""
    while at < len(content) and content[at] in " \t*_":
        at += 1
    if dots := _DOTS.match(content, at):
        return Formula("...", dots.end())
    span = _SPAN.match(content, at)
    if span and not _is_money(span, content):
        inner = next(group for group in span.groups() if group is not None)
        return Formula(str(inner).strip(), span.end())
    end, depth = _end(content, at)
    text = content[at:end].strip()
    text = text if _OR_MORE.fullmatch(text) else text.rstrip("=:+-*/~,_^ ")
    if not re.search(r"[\w∞π√½]" if depth <= 0 else r"\d", text):
        return None
    return Formula(text, end)


def _end(content: str, start: int) -> tuple[int, int]:
    """Return where the formula from ``start`` ends, and how many brackets it leaves open."""
    at, depth = start, 0
    while at < len(content):
        whole = _ENVIRONMENT.match(content, at) or (depth and _COMMA.match(content, at))
        if whole := whole or _ROMAN.match(content, at):
            at = whole.end()
            continue
        piece = _PIECE.match(content, at)
        if piece is None or _stops(content, start, piece, depth):
            break
        sign, command = piece["sign"] or "", piece["command"]
        depth += (sign in ("(", "[", "{") or command == "\\{") - (
            sign in (")", "]", "}") or command == "\\}"
        )
        at = piece.end()
    return at, depth


def _stops(content: str, start: int, piece: re.Match[str], depth: int) -> bool:
    """Whether ``piece`` belongs to the sentence and no longer to the formula."""
    sign, at, end = piece["sign"] or "", piece.start(), piece.end()
    if at > start and _HALF_DAY.match(content, at):
        return True
    if not sign:
        return piece["command"] in ("\\)", "\\]") or (
            at == start and piece["letters"] is not None and _article(content, piece)
        )
    behind_digit = content[at - 1 : at].isdigit()
    return (
        (sign in ("(", "[") and _WORDED.match(content, end - 1) is not None)
        or (sign == "(" and behind_digit and _REMARK.match(content, at) is not None)
        or (sign in (")", "]", "}") and not depth and not (sign == "]" and content[start] == "]"))
        or (sign == ":" and not _RATIO.match(content, end - 2))
        or (sign == "'" and behind_digit)
        or (sign == "!" and not depth and _EXCLAIMED.match(content, end - 1) is not None)
        or (sign == "$" and at != start and not content[end : end + 1].isdigit())
        or (sign == "*" and content[end : end + 1] in ("*", ""))
    )


def _is_money(span: re.Match[str], content: str) -> bool:
    """Whether the span lies between two amounts of money ("$5 and $6") and is not a formula."""
    inner = span["b"]
    if inner is None or not re.match(r"\s*\d", inner):
        return False
    words = re.search(r"[a-z]{2,}", re.sub(r"\\[a-zA-Z]+(?:\{[^{}]*\})?", "", inner))
    return bool(words) and (content[span.end() : span.end() + 1].isdigit() or inner.endswith(" "))


def _article(content: str, piece: re.Match[str]) -> bool:
    """Whether a lone letter before a word is a word itself ("a number", "I think").

    It isn't if the next word begins an explanation.
    """
    follows = re.match(r"\s+([^\W\d_]{2,})", content[piece.end() : piece.end() + 40])
    letter = piece["letters"]
    if not follows or (letter.isupper() and letter not in "AI"):
        return False
    return letter == "I" or not _EXPLAINS.match(follows[1])
