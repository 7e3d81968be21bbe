"""Shapes of canonical answers with several parts: lists, relations, matrices, ratios.

Every function here takes canonical text (:mod:`.notation`) and returns a frozen shape, or ``None``
if the text is not of its kind. Parts remain text; the caller reads them in turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_OPEN, _CLOSE = "([{⦃⌊⌈«", ")]}⦄⌋⌉»"
_MATRIX = re.compile(
    r"(?:[\[(|]\s*)?\\begin\{(?P<kind>[bpvBV]?(?:small)?matrix|array)\*?\}(?:\{[lcr| ]*\})?"
    r"(?P<body>.*?)"
    r"\\end\{(?P=kind)\*?\}(?:\s*[\])|])?",
    re.DOTALL,
)
NAME = re.compile(r"(?:\\[a-zA-Z]+|[a-zA-Z]|«[^»]*»)'*(?:_\{?\w+\}?)?(?:\s*\([\w\s,+-]{1,12}\))?")
_TURNED = re.compile(r"(\\end\{\w{1,12}\}[)\]]?)\s*\^\s*\{?\s*(?:T|\\top|\\intercal)\s*\}?$")
_FACTOR = re.compile(
    r"(-?(?:\d+(?:\.\d+)?(?:/\d+)?|\\frac\s*\{-?\d+\}\s*\{\d+\})|-1?)\s*\*?\s*(?=[(\[]?\s*\\begin)"
)
"""A number or a minus before a matrix, which multiplies all its cells."""
_ONE_NAME = r"\s*(?:\\[a-z]+|[a-z])(?:_\{?\w\}?)?\s*"
_NAMES = re.compile(rf"\((?:{_ONE_NAME},)+{_ONE_NAME}\)")
_ARGUMENT = re.compile(r"\(\s*([a-zA-Z])\s*\)$")
"""The variable of a function's head, ``f(x)``."""
_LETTER = re.compile(
    r"\\[a-zA-Z]+|«[^»]*»|(?:sin|cos|tan|cot|sec|csc|log|ln|exp|min|max|gcd|lcm|mod)|[a-zA-Z]"
)
"""A variable, or a command or word that has letters of its own."""
_GIVES = (("=",), ("≈",))
_WORDS_ONLY = re.compile(r"\(?[A-Za-z]\)?|«[^»]*»")


@dataclass(frozen=True, slots=True)
class Items:
    """Several answers.

    ``ordered``: a tuple. ``braced``: written as a set. ``hedged``: joined by "or", as in "B or C";
    between numbers and equations, "or" means the same as "and".
    """

    parts: tuple[str, ...]
    ordered: bool = False
    braced: bool = False
    square: bool = False
    hedged: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation: its ``sides`` and the signs between them, in the written order."""

    sides: tuple[str, ...]
    signs: tuple[str, ...]

    @property
    def written(self) -> str:
        """Return the relation as text."""
        return "".join(map("".join, zip(("", *self.signs), self.sides, strict=True)))


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix; ``determinant``: it was written with bars."""

    rows: tuple[tuple[str, ...], ...]
    determinant: bool = False


def split(text: str, separators: str) -> list[str]:
    """Split ``text`` at all ``separators`` outside brackets."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth = max(0, depth - 1)
        elif not depth and sign in separators:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip() for part in parts]


@lru_cache(maxsize=1024)
def items(text: str) -> Items | None:
    """Read ``⦃1, 2⦄``, ``(1, 2)``, ``x = 1 ∨ x = 2`` or ``±3``; ``None`` for a single answer."""
    text = text.strip()
    inner, kind = enclosed(text)
    if kind == "(" and text.count("±") == 1:
        return Items((text.replace("±", "+"), text.replace("±", "-")))
    if kind == "⦃" and "|" not in inner and ":" not in inner:
        return Items(tuple(_expanded(_commas(inner, within=True))) if inner else (), braced=True)
    if kind in ("(", "["):
        parts = _commas(inner, within=True)
        if len(parts) > 1 and all(parts):
            return Items(tuple(parts), ordered=True, square=kind == "[")
    parts = [part for part in _commas(text) if part]
    expanded = _expanded(parts)
    hedged = "∨" in text and all(_WORDS_ONLY.fullmatch(part) for part in parts)
    return Items(tuple(expanded), hedged=hedged) if len(expanded) > 1 else None


@lru_cache(maxsize=1024)
def relation(text: str) -> Relation | None:
    """Read an equation or inequality, including chains."""
    signs, sides, depth, start = [], [], 0, 0
    for at, sign in enumerate(text):
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth = max(0, depth - 1)
        elif not depth and sign in "=≤≥<>≠≈≡" and text[max(0, at - 1) : at] != ":":
            signs.append(sign)
            sides.append(text[start:at].strip())
            start = at + 1
    sides.append(text[start:].strip())
    if not signs or not all(sides):
        return None
    return Relation(tuple(sides), tuple(signs))


def is_name(text: str) -> bool:
    """Whether ``text`` may be the left side of an answer's "=".

    That is a bare variable, a function of one, a word, or a tuple of variables.
    """
    return bool(NAME.fullmatch(text.strip()) or _NAMES.fullmatch(text.strip()))


def in_variable_of(one: Relation, head: str) -> str | None:
    """Return the last side of ``f(n) = n + 1`` in the variable of ``head``, such as ``f(x)``.

    It is returned as it is unless both have a variable, and ``None`` if that of ``head`` has
    another meaning in ``one`` already: f(n) = n + x.
    """
    side = one.sides[-1]
    mine, theirs = _ARGUMENT.search(one.sides[0]), _ARGUMENT.search(head)
    if not mine or not theirs or mine[1] == theirs[1]:
        return side
    if theirs[1] in _LETTER.findall(side):
        return None
    return _LETTER.sub(lambda each: theirs[1] if each.group() == mine[1] else each.group(), side)


def matrix(text: str) -> Matrix | None:
    """Read any of LaTeX's matrices by rows."""
    text, turned = _TURNED.subn(r"\1", text.strip())
    factor = _FACTOR.match(text)
    match = _MATRIX.fullmatch(text, factor.end() if factor else 0)
    if not match:
        return _nested(text)
    body = re.sub(r"¶\s*\[[\d.]+\s?(?:pt|ex|em|mm|cm)\]", "¶", match["body"])
    rows = [row.strip() for row in body.split("¶")]
    cells = tuple(tuple(cell.strip() for cell in row.split("&")) for row in rows if row)
    determinant = match["kind"] in ("vmatrix", "Vmatrix")
    if determinant and (factor or turned):
        return None
    if factor:
        cells = tuple(
            tuple(f"{factor[1] if factor[1] != '-' else -1}*({cell})" for cell in row)
            for row in cells
        )
    if turned and len({len(row) for row in cells}) == 1:
        cells = tuple(zip(*cells, strict=True))
    return Matrix(cells, determinant=determinant) if cells else None


def _nested(text: str) -> Matrix | None:
    """Read ``[[1, 2], [3, 4]]``."""
    if not (text.startswith("[") and text.endswith("]") and text[1:].lstrip().startswith("[")):
        return None
    rows = [enclosed(part) for part in _commas(text[1:-1], within=True)]
    if any(bracket != "[" for _, bracket in rows):
        return None
    cells = tuple(tuple(_commas(row, within=True)) for row, _ in rows)
    return Matrix(cells) if len({len(row) for row in cells}) == 1 else None


def single(found: Matrix) -> str | None:
    """Return the formula of a one-cell matrix or a small determinant, else ``None``."""
    rows = found.rows
    if len(rows) == len(rows[0]) == 1:
        return rows[0][0]
    if not found.determinant or not len(rows) == len(rows[-1]) <= 3:
        return None
    if len(rows) == 2:
        (a, b), (c, d) = rows
        return f"({a})*({d})-({b})*({c})"
    (a, b, c), (d, e, f), (g, h, i) = rows
    return (
        f"({a})*(({e})*({i})-({f})*({h}))-({b})*(({d})*({i})-({f})*({g}))"
        f"+({c})*(({d})*({h})-({e})*({g}))"
    )


def parts_of_ratio(text: str) -> list[str]:
    """Return ``["3", "2"]`` for "3:2"; empty for anything else."""
    parts = split(re.sub(r"(?<=\d)\s*«to»\s*(?=\d)", ":", text), ":")
    return parts if len(parts) > 1 and all(parts) else []


def ordered_with_names(found: Items) -> dict[str, str] | None:
    """Return ``{"x": "3", "y": "4"}`` for "x = 3, y = 4"; ``None`` for others or repeated names."""
    named: dict[str, str] = {}
    for part in found.parts:
        one = relation(part)
        if one is None or one.signs not in _GIVES or not is_name(one.sides[0]):
            return None
        if one.sides[0] in named:
            return None
        named[one.sides[0]] = one.sides[1]
    return named


def enclosed(text: str) -> tuple[str, str]:
    """Return content and opening bracket if one pair of brackets encloses all of ``text``."""
    if len(text) < 2 or text[0] not in "([⦃" or text[-1] not in ")]⦄":
        return text, ""
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "([⦃{") - (sign in ")]⦄}")
        if not depth and at < len(text) - 1:
            return text, ""
    matching = {"(": ")", "[": "]", "⦃": "⦄"}[text[0]] == text[-1]
    return (text[1:-1].strip(), text[0]) if matching and not depth else (text, "")


def _commas(text: str, *, within: bool = False) -> list[str]:
    """Split a list at its commas.

    A comma before three digits and without a blank belongs to a number, except in a bracket that
    has no other comma ("(1,234)").
    """
    if not within or re.search(r",\s", text):
        text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))(?<![.\d]\d\d\d,)", "", text)
    text = re.sub(r",\s*([∧∨])", r" \1", text)
    return split(text.replace(";", ","), ",∧∨")


def _expanded(parts: list[str]) -> list[str]:
    """Expand ``1 ± √2`` to two answers."""
    found = []
    for part in parts:
        if part.count("±") == 1 and "∓" not in part:
            found += [part.replace("±", "+").removeprefix("+"), part.replace("±", "-")]
        else:
            found.append(part)
    return found
