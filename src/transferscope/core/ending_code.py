"""Whether code, formulas, JSON and tables at the end of a text are complete."""

from __future__ import annotations

import re

from .ending_words import STOPS

READ = 6_000
"""Characters read at the end of a text. Formulas, code and tables are counted in the whole text."""
LINE = 400
"""Characters read of a line of code."""

_RULE = re.compile(r"[=_*~+-]{3,}")
_STATEMENT = re.compile(
    r"(?:SELECT|INSERT|UPDATE|DELETE|DROP|CREATE|(?-i:return|import|using|throw|print|echo))\b"
    r"|(?:(?:int|let|const|var|auto|float|double|string|char|bool|long|final|static)\s+)*"
    r"[\w$.:>\[\]-]{1,60}(?:\s*[-+*]?=\s*\S|\(.*\);$)|.*[}\]];$",
    re.IGNORECASE,
)
""" "SELECT 1;", "x = 3;", "main();": code outside a code block."""
_COMMAND = re.compile(r"\$ [a-z]{2,}\b[^$]*$")
"""A shell command line."""
_TILDES = re.compile(r"(?m)^[ \t]{0,8}~~~(?!~)")


def code_ends(line: str) -> bool:
    """Whether this is a rule ("====="), a statement outside a code block or a shell command."""
    end = line[-LINE:]
    statement = end.endswith(";") and _STATEMENT.match(end)
    return bool(_RULE.fullmatch(line) or statement or _COMMAND.match(line))


def open_block(text: str) -> bool:
    """Whether a code block, formula, environment or JSON value is still open."""
    # Searching for a single character is fast, and most texts contain none of these.
    if "`" in text and text.count("```") % 2:
        return True
    if "~" in text and len(_TILDES.findall(text)) % 2:
        return True
    if "$" in text and text.count("$$") % 2:
        return True
    if "\\" in text and _open_formula(text):
        return True
    tail = text[-READ:]
    if text.lstrip()[:1] in "{[" and text[-1] not in STOPS:
        return text.count("{") > text.count("}") or text.count("[") > text.count("]")
    box = tail.rfind("\\boxed{")
    return box != -1 and tail.count("{", box) > tail.count("}", box)


def _open_formula(text: str) -> bool:
    pairs = (("\\[", "\\]"), ("\\begin{", "\\end{"))
    opened = any(text.count(a) > text.count(b) for a, b in pairs)
    return opened or text.rfind("\\(") > text.rfind("\\)")


def in_table(text: str) -> bool:
    """Whether the line above the last one has cells, or is the rule below a table header."""
    start = text.rfind("\n")
    above = text[text.rfind("\n", 0, max(start, 0)) + 1 : max(start, 0)]
    return "|" in above


def row_cut(text: str, line: str) -> bool:
    """Whether a table's last row has fewer cells than the rows above it."""
    rows = [part.strip() for part in text[-READ:].split("\n")[:-1]]
    above = [part for part in rows[-20:] if "|" in part]
    if not above:
        return not line.endswith("|")
    return line.count("|") < min(part.count("|") for part in above[-3:])
