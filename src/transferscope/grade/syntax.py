"""Parser of canonical formulas into trees of numbers, symbols, operations and functions.

A recursive descent parser for the formulas found in answers. Anything else (integrals, sums, words)
raises :class:`Unreadable`, so that the caller can try another way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from .notation import FUNCTIONS

MAX_DEPTH = 40
MAX_TOKENS = 250
MAX_NUMBER = 1_000
"""Longest row of digits in a formula."""


class Unreadable(ValueError):
    """The text is not a formula that this module can parse."""


@dataclass(frozen=True, slots=True)
class Node:
    """A tree node; ``kind`` is "number", "symbol", or the name of an operation on ``parts``."""

    kind: str
    parts: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    name: str = ""


_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+(?![\d.]))?)
    | \\(?P<command>[a-zA-Z]+)
    | (?P<function>(?:{FUNCTIONS}|pi|infinity|oo)(?![a-zA-Z]))
    | (?P<symbol>[^\W\d_]'*)
    | (?P<sign>\*\*|[-+*/^_!()\[\]{{}}|,√±°⌊⌋⌈⌉])
    )""",
    re.VERBOSE,
)
GREEK = frozenset(
    """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi
    rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi
    Omega""".split()  # noqa: SIM905
)
_NAMES = frozenset(FUNCTIONS.split("|")) - {"lim", "det"}
_CLOSING = {"(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉"}
_STARTS = frozenset("([{√⌊⌈")


@lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """Parse canonical ``text`` into a tree. Raises :class:`Unreadable`."""
    reader = _Reader(_tokens(text))
    node = reader.sum(0)
    if reader.kind:
        raise Unreadable(text)
    return node


def symbols(node: Node) -> frozenset[str]:
    """Return the names of the variables; e, i and π don't count."""
    if node.kind == "symbol":
        return frozenset((node.name,)) - {"e", "i", "π"}
    return frozenset().union(*(symbols(part) for part in node.parts))


def imaginary(node: Node) -> bool:
    """Whether the imaginary unit occurs."""
    return node.name == "i" or any(imaginary(part) for part in node.parts)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(found) > MAX_TOKENS:
            raise Unreadable(text)
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


class _Reader:
    """A position in the tokens, with one method per level of precedence."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.bars = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    @property
    def text(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *signs: str) -> str:
        """Consume and return the next token if it is one of ``signs``, else return nothing."""
        if self.kind == "sign" and self.text in signs:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return ""

    def sum(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        node = self.product(depth)
        while sign := self.take("+", "-"):
            right = self.product(depth)
            node = Node("+", (node, right if sign == "+" else _negative(right)))
        return node

    def product(self, depth: int) -> Node:
        node = self.signed(depth)
        while True:
            if sign := self.take("*", "/"):
                node = Node(sign, (node, self.signed(depth)))
            elif self.begins():
                node = Node("*", (node, self.power(depth)))
            else:
                return node

    def begins(self) -> bool:
        """Whether a factor begins here; a number after a letter is a typo, not a product."""
        if self.kind == "number":
            return self.at > 0 and self.tokens[self.at - 1] in (("sign", "!"), ("sign", ")"))
        if self.kind in ("command", "function", "symbol"):
            return True
        return self.kind == "sign" and (
            self.text in _STARTS or (self.text == "|" and not self.bars)
        )

    def signed(self, depth: int) -> Node:
        minus = False
        for _ in range(MAX_DEPTH):
            sign = self.take("+", "-")
            if not sign:
                break
            minus ^= sign == "-"
        node = self.power(depth)
        return _negative(node) if minus else node

    def power(self, depth: int) -> Node:
        node = self.degrees(self.atom(depth))
        while self.take("!"):
            node = Node("factorial", (node,))
        if self.take("^", "**"):
            exponent = self.exponent(depth + 1)
            node = Node("^", (node, exponent))
            while self.take("!"):
                node = Node("factorial", (node,))
        return node

    def degrees(self, node: Node) -> Node:
        """Convert degrees to radians: sin 30° is sin(pi/6)."""
        if not self.take("°"):
            return node
        half = Node("/", (Node("symbol", name="π"), Node("number", value=Fraction(180))))
        return Node("*", (node, half))

    def exponent(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        if sign := self.take("-", "+"):
            node = self.exponent(depth + 1)
            return _negative(node) if sign == "-" else node
        return self.power(depth)

    def atom(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        kind, text = self.kind, self.text
        if not kind:
            raise Unreadable("ends early")
        self.at += 1
        if kind == "number":
            return self.mixed(Fraction(text) if len(text) < MAX_NUMBER else _too_long())
        if kind == "symbol":
            return self.symbol(text)
        if kind == "sign":
            return self.enclosed(text, depth)
        return self.command(text, depth)

    def mixed(self, value: Fraction) -> Node:
        """Read 2\\frac{1}{2} as two and a half, as in every textbook."""
        node = Node("number", value=value)
        if value.denominator == 1 and (self.kind, self.text) == ("command", "frac"):
            before = self.at
            self.at += 1
            part = Node("/", (self.argument(0), self.argument(0)))
            top, under = part.parts
            if top.kind == under.kind == "number" and 0 < top.value < under.value:
                return Node("+", (node, part))
            self.at = before
        return node

    def symbol(self, name: str) -> Node:
        if self.take("_"):
            if self.take("{"):
                index = ""
                while self.kind and not (self.kind == "sign" and self.text == "}"):
                    index += self.text
                    self.at += 1
                if not self.take("}"):
                    raise Unreadable("an unclosed index")
            else:
                index = self.text
                self.at += 1
            name = f"{name}_{index}"
        return Node("symbol", name=name)

    def enclosed(self, sign: str, depth: int) -> Node:
        if sign == "√":
            return Node("root", (self.argument(depth + 1), Node("number", value=Fraction(2))))
        if sign == "|":
            self.bars += 1
            node = self.sum(depth + 1)
            self.bars -= 1
            if not self.take("|"):
                raise Unreadable("a bar without its partner")
            return Node("abs", (node,))
        if sign not in _CLOSING:
            raise Unreadable(sign)
        bars, self.bars = self.bars, 0
        node = self.sum(depth + 1)
        self.bars = bars
        if not self.take(_CLOSING[sign]):
            raise Unreadable("a bracket without its partner")
        return Node({"⌊": "floor", "⌈": "ceil"}[sign], (node,)) if sign in "⌊⌈" else node

    def argument(self, depth: int) -> Node:
        """Parse ``{...}``, or one digit, letter or command as in ``\\frac12``."""
        if self.kind == "number" and len(self.text) > 1:
            digit = self.text[0]
            if not self.text.isdigit():
                raise Unreadable(self.text)
            self.tokens[self.at] = ("number", self.text[1:])
            return Node("number", value=Fraction(digit))
        return self.atom(depth)

    def command(self, name: str, depth: int) -> Node:  # noqa: PLR0911 - one per command
        if name == "frac":
            return Node("/", (self.argument(depth + 1), self.argument(depth + 1)))
        if name == "binom":
            return Node("binom", (self.argument(depth + 1), self.argument(depth + 1)))
        if name == "sqrt":
            degree = Node("number", value=Fraction(2))
            if self.take("["):
                degree = self.sum(depth + 1)
                if not self.take("]"):
                    raise Unreadable("an unclosed degree of a root")
            return Node("root", (self.argument(depth + 1), degree))
        if name == "cbrt":
            return Node("root", (self.argument(depth + 1), Node("number", value=Fraction(3))))
        if name in ("pi", "infinity", "oo"):
            if name != "pi":
                raise Unreadable(name)
            return self.symbol("π")
        if name in GREEK:
            return self.symbol("\\" + name)
        if name in _NAMES:
            return self.function(name, depth)
        raise Unreadable(name)

    def function(self, name: str, depth: int) -> Node:
        base = exponent = None
        if self.take("_"):
            base = self.argument(depth + 1)
        if self.take("^", "**"):
            exponent = self.exponent(depth + 1)
        if self.kind == "sign" and self.text in "({[|":
            opening = self.text
            if opening in "([{" and name in ("gcd", "lcm", "max", "min", "binom", "log"):
                arguments = self.several(depth + 1)
            else:
                arguments = (self.power(depth + 1),)
        else:
            arguments = (self.implicit(depth + 1),)
        if name == "log" and base is not None:
            arguments = (*arguments, base)
        elif base is not None:
            raise Unreadable(name)
        if exponent is not None and exponent == _negative(Node("number", value=Fraction(1))):
            return Node("arc" + name, arguments)
        node = Node(name, arguments)
        return node if exponent is None else Node("^", (node, exponent))

    def several(self, depth: int) -> tuple[Node, ...]:
        closing = _CLOSING[self.take("(", "[", "{")]
        found = [self.sum(depth)]
        while self.take(","):
            found.append(self.sum(depth))
        if not self.take(closing):
            raise Unreadable("a bracket without its partner")
        return tuple(found)

    def implicit(self, depth: int) -> Node:
        """Parse an argument without brackets: in sin 2x, all up to the next sign or function."""
        node = self.power(depth)
        while self.kind == "symbol" or (self.kind, self.text) == ("command", "frac"):
            node = Node("*", (node, self.power(depth)))
        return node


def _negative(node: Node) -> Node:
    return Node("-", (node,))


def _too_long() -> Fraction:
    raise Unreadable("a number of too many digits")
