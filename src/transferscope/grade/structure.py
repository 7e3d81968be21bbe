"""Whether two answers are equal, by what they are: sets, tuples, regions, matrices, equations.

    {3,2,1} = {1,2,3}    (1,2) != (2,1)    x = 1 or x = 2 -> 1, 2    \\pm 3 -> 3, -3

The parts are compared in turn; what has none is a quantity, a text or, at last, an expression for
:mod:`.expressions`. Texts are :func:`.latex.cleaned`.
"""

from __future__ import annotations

import re
import time

from . import expressions, quantities, regions, wording
from .latex import MAX_ANSWER, cleaned, squeezed
from .numbers import TooLarge, exact
from .splitting import bracketed, items, split

MAX_ITEMS = 50
MAX_DEPTH = 5
EXPRESSIONS = 12
"""Pairs of parts that are given to sympy for one answer, within :data:`SECONDS`."""
SECONDS = 12.0

_EQUALS = re.compile(r"(?<![<>!=])=(?!=)")
_ABOUT = re.compile(r"\\approx(?![a-zA-Z])")
_MEMBER = re.compile(r"[a-zA-Z,\s\\]{1,60}?\\in(?![a-zA-Z])\s*(?=\S)")
_PLUS_MINUS = re.compile(r"\\(?:pm|mp)(?![a-zA-Z])")
_ROWS = re.compile(
    r"[(\[|]?\s*\\begin\{(?P<kind>[a-z]*?)(?:matrix|array)\}(?:\{[lcr| ]*\})?(?P<body>.*?)"
    r"\\end\{(?P=kind)(?:matrix|array)\}\s*[)\]|]?",
    re.DOTALL,
)
_ROW_END, _CELL_END = re.compile(r"\\\\"), re.compile("&")
_ORDERED = frozenset(("(", "[", "\\langle"))
_GEOMETRY = re.compile(
    r"\\(?:angle|overline|overrightarrow|overleftrightarrow|widehat|triangle|odot|vec|hat|parallel"
    r"|perp|cap|cup|mathbb|mathcal|subset\w*|cong|sim|neg|forall|exists|setminus|to)(?![a-zA-Z])"
)
_SUBSCRIPT = re.compile(r"_\{?[\w\\]+\}?|\^\{-1\}|\\frac\{d\w*\}\{d\w*\}")
_SAID = re.compile(r"(?:the\s+)?(?:final\s+|correct\s+)?answer\s+is\s*:?\s*", re.IGNORECASE)


def same(answer: str, gold: str) -> bool:
    """Whether ``answer`` equals ``gold``, each as written. Bounded in time.

    Raises :class:`MissingExtra` where an expression needs math-verify and it is not installed.
    """
    if max(len(answer), len(gold)) > 4 * MAX_ANSWER:
        return False
    mine, theirs = cleaned(answer), cleaned(gold)
    return _Comparison().same(_SAID.sub("", mine, count=1) or mine, theirs)


class _Comparison:
    """One comparison: counts the expressions that were given to sympy, and watches the clock."""

    def __init__(self) -> None:
        self.left = EXPRESSIONS
        self.until = time.monotonic() + SECONDS
        self.depth = 0

    def same(self, mine: str, theirs: str) -> bool:
        """Whether two cleaned texts are equal."""
        mine, theirs = mine.strip(), theirs.strip()
        if not mine or not theirs or self.depth > MAX_DEPTH:
            return False
        if squeezed(mine) == squeezed(theirs):
            return True
        if max(len(mine), len(theirs)) > MAX_ANSWER:
            return False
        self.depth += 1
        try:
            return self._same(mine, theirs)
        except TooLarge:
            return False  # numbers that are not written out are equal where their spelling is
        finally:
            self.depth -= 1

    def _same(self, mine: str, theirs: str) -> bool:  # noqa: PLR0911 - one per kind
        number, gold = exact(mine), exact(theirs)
        if number is not None and gold is not None:
            return number == gold
        if ("..." in mine and number is None) or ("..." in theirs and gold is None):
            return _dotted(mine) == _dotted(theirs)
        if (verdict := wording.clock(mine, theirs)) is not None:
            return verdict
        for notation in (wording.option, wording.base, wording.residue):
            if (verdict := notation(mine, theirs, self.same)) is not None:
                return verdict
        counted = quantities.quantity(mine), quantities.quantity(theirs)
        if counted[0] is not None and counted[1] is not None:
            return quantities.equal(counted[0], counted[1])
        if (verdict := wording.text(mine, theirs)) is not None:
            return verdict
        for step in (
            self._either_side,
            self._regions,
            self._matrices,
            self._collections,
            self._equations,
            self._ratios,
            self._units,
        ):
            if (verdict := step(mine, theirs)) is not None:
                return verdict
        return self._expressions(mine, theirs)

    def _either_side(self, mine: str, theirs: str) -> bool | None:
        """ "a \\approx b" is right by either side; "x \\in" in front is no part of a set."""
        ours, others = split(mine, _ABOUT), split(theirs, _ABOUT)
        if len(ours) > 1 or len(others) > 1:
            if len(ours) > 3 or len(others) > 3:
                return False
            return any(self.same(_last(a), _last(b)) for a in ours for b in others)
        bare = [
            _MEMBER.sub("", text, count=1) if _MEMBER.match(text) else text
            for text in (mine, theirs)
        ]
        return self.same(*bare) if bare != [mine, theirs] else None

    def _regions(self, mine: str, theirs: str) -> bool | None:
        compared = [regions.is_inequality(text) for text in (mine, theirs)]
        ours, others = regions.region(mine), regions.region(theirs)
        if ours and others and not (ours.plain and others.plain):
            return regions.same_region(ours, others, self.same)
        if all(compared):
            return regions.same_inequality(mine, theirs, self.same)
        if any(compared):
            return False
        if ours and others and mine[0] != theirs[0]:
            return False  # "(2,5)" and "[2,5]"
        return None

    def _matrices(self, mine: str, theirs: str) -> bool | None:
        both = [_ROWS.fullmatch(text) for text in (mine, theirs)]
        if both[0] is None or both[1] is None:
            return None
        if ("v" in both[0]["kind"].lower()) != ("v" in both[1]["kind"].lower()):
            return False
        ours, others = (
            [split(row, _CELL_END) for row in split(found["body"], _ROW_END) if row]
            for found in both
            if found
        )
        if [len(row) for row in ours] != [len(row) for row in others] or len(ours) > MAX_ITEMS:
            return False
        return all(
            self.same(a, b)
            for one, other in zip(ours, others, strict=True)
            for a, b in zip(one, other, strict=True)
        )

    def _collections(  # noqa: PLR0911 - one per pair of kinds
        self, mine: str, theirs: str
    ) -> bool | None:
        kind, ours = _parts(mine)
        gold_kind, others = _parts(theirs)
        if max(len(ours), len(others)) > MAX_ITEMS:
            return False
        kinds = {kind, gold_kind}
        if "" in kinds:
            one = mine if kind == "" else theirs
            if kinds & _ORDERED or len(kinds) == 1 or len(split(one, _EQUALS)) > 1:
                return None
            return self._unordered(ours, others)
        if not kinds & _ORDERED:
            return self._unordered(ours, others)
        long = min(len(ours), len(others)) > 2
        if "\\{" in kinds and kinds & _ORDERED:
            return kinds == {"\\{", "["} and long and self._unordered(ours, others)
        if kinds == {"(", "["} and not long:
            return False
        return len(ours) == len(others) and all(
            self.same(_last(one), _last(other)) for one, other in zip(ours, others, strict=True)
        )

    def _unordered(self, ours: list[str], others: list[str]) -> bool:
        """Each part of one has an equal in the other: a repetition changes nothing."""
        found: set[int] = set()
        for one in ours:
            equal = [at for at, other in enumerate(others) if squeezed(one) == squeezed(other)]
            equal = equal or [at for at, other in enumerate(others) if self.same(one, other)]
            if not equal:
                return False
            found.update(equal)
        return all(
            at in found or any(self.same(one, other) for one in ours)
            for at, other in enumerate(others)
        )

    def _equations(  # noqa: PLR0911 - one per form
        self, mine: str, theirs: str
    ) -> bool | None:
        ours, others = split(mine, _EQUALS), split(theirs, _EQUALS)
        if not (all(ours) and all(others)):
            return False
        if len(ours) == 1 and len(others) == 1:
            return None
        if len(others) == 1:
            return self.same(found, theirs) if (found := _value(ours)) is not None else False
        if len(ours) == 1:
            return self.same(mine, others[-1]) if _is_name(others[0]) else False
        names = {squeezed(side[0]).lower() for side in (ours, others) if _is_name(side[0])}
        if len(names) == 1 and _is_name(ours[0]) and _is_name(others[0]):
            return self.same(ours[-1], others[-1])
        if len(ours) > 2 or len(others) > 2:
            return False
        return self._expressions(mine, theirs)

    def _ratios(self, mine: str, theirs: str) -> bool | None:
        return wording.ratio(mine, theirs, self.same)

    def _units(self, mine: str, theirs: str) -> bool | None:
        """ "5\\pi cm": a unit behind an expression."""
        (left, unit), (right, other) = quantities.parted(mine), quantities.parted(theirs)
        if (left, right) == (mine, theirs):
            return None
        if unit is not None and other is not None and unit != other:
            return False
        return self.same(left, right)

    def _expressions(self, mine: str, theirs: str) -> bool:
        if _GEOMETRY.search(mine) or _GEOMETRY.search(theirs):
            return False
        if not (expressions.readable(mine) and expressions.readable(theirs)):
            return False
        self.left -= 1
        if self.left < 0 or time.monotonic() > self.until:
            return False
        return expressions.equivalent(mine, theirs)


def _dotted(text: str) -> str:
    return re.sub(r",?\.\.\.,?", "...", squeezed(text))


def _parts(text: str) -> tuple[str, list[str]]:
    """Kind of the collection ("": one thing, "list": no bracket) and its parts."""
    inner, kind = text, "list"
    if (found := bracketed(text)) is not None:
        parts = items(found[1])
        if found[0] == "\\{" or len(parts) > 1:
            inner, kind = found[1], found[0]
    parts = [part for one in items(inner) for part in _signs(one)]
    if kind == "list" and len(parts) < 2:
        return "", [text]
    return kind, parts


def _signs(text: str) -> list[str]:
    """ "1 \\pm 2" as "1 + 2" and "1 - 2"; \\mp is the other one."""
    if not _PLUS_MINUS.search(text):
        return [text]
    upper = text.replace("\\pm", "+").replace("\\mp", "-")
    return [upper, text.replace("\\pm", "-").replace("\\mp", "+")]


def _last(text: str) -> str:
    """The value of a named part: "x = 3" is 3."""
    sides = split(text, _EQUALS)
    return sides[-1] if len(sides) > 1 and _is_name(sides[0]) else text


def _value(sides: list[str]) -> str | None:
    """What an equation answers where the gold is none: "x=5", "5=x", "m+n=17", "2^{3} = 8"."""
    if _is_name(sides[0]):
        return sides[-1]
    if len(sides) == 2 and _is_name(sides[1]):
        return sides[0]
    if sides[-1] == "0" or exact(sides[-1]) is None:
        return None
    # "x^{2}+y^{2} = 25" is a circle, "m+n = 17" and "2^{3} = 8" state a value
    stated = exact(sides[0]) is not None or "^" not in sides[0]
    return sides[-1] if stated else None


def _is_name(text: str) -> bool:
    """Whether ``text`` names something: "x", "f(x)", "\\mathbf{v}", "AB", "P(A)", "(x, y)"."""
    bare = _SUBSCRIPT.sub("", text)
    return (
        len(bare) <= 60
        and bool(bare or text)
        and not re.search(r"[-+*/\d^<>]|\\(?:pi|sqrt|frac|infty|le|ge)", bare)
    )
