"""Combinations and permutations in international notations: C(5,2), 5C2, C_5^2, 5 choose 2.

Some of these are ambiguous (C(3,4) may be a point named C), so :func:`counted` is a second reading
beside the literal one.

>>> counted("C(5,2)*3"), counted("{}_5C_2"), counted("P(5,2)"), counted("(5,2)")
('(\\\\binom{5}{2})*3', '(\\\\binom{5}{2})', '(\\\\frac{5!}{(5-2)!})', '(5,2)')
"""

from __future__ import annotations

import re

_INDEX = r"\s*(?:\{\s*(\w{1,4})\s*\}|(\w))"
_CALLED = re.compile(
    r"(?P<name>(?<![a-zA-Z\\»])[CP]|«(?:nCr|ncr|comb|binom|nPr|npr|perm)»|(?<![a-zA-Z\\])n[CP]r)"
    r"\s*\(\s*(?P<n>\w{1,4})\s*,\s*(?P<k>\w{1,4})\s*\)"
)
_BESIDE = re.compile(rf"(?:\{{\s*\}})?\s*[_^]{_INDEX}\s*«?(?P<name>[CP])»?\s*_{_INDEX}")
_ABOVE = re.compile(rf"(?<![a-zA-Z\\])«?(?P<name>[CPA])»?\s*(?P<first>[_^]){_INDEX}\s*[_^]{_INDEX}")
_BETWEEN = re.compile(r"(?<![\w.])(?P<n>\d{1,4})\s*(?P<name>[CP])\s*(?P<k>\d{1,4})(?![\w.])")
CHOOSE = re.compile(r"(?<![\w}])(\d{1,4}|[a-z])\s+choose\s+(\d{1,4}|[a-z])(?!\w)")
"""A combination in words, which is unambiguous and therefore always read as one."""


def counted(text: str) -> str:
    """Rewrite such notations in canonical ``text`` as binomials or quotients of factorials."""
    if not any(sign in text for sign in "CPA") and "«" not in text:
        return text
    text = _CALLED.sub(lambda m: _written(m["name"].strip("«»n")[:1], m["n"], m["k"]), text)
    text = _BESIDE.sub(lambda m: _written(m["name"], m[1] or m[2], m[4] or m[5]), text)
    text = _ABOVE.sub(_above, text)
    return _BETWEEN.sub(lambda m: _written(m["name"], m["n"], m["k"]), text)


def _above(match: re.Match[str]) -> str:
    first, second = match[3] or match[4], match[5] or match[6]
    lower, upper = (first, second) if match["first"] == "_" else (second, first)
    if lower.isdigit() and upper.isdigit() and int(upper) > int(lower):
        lower, upper = upper, lower  # some countries write n above, others below
    return _written(match["name"], lower, upper)


def _written(name: str, n: str, k: str) -> str:
    if name.upper() in ("P", "A"):
        return f"(\\frac{{{n}!}}{{({n}-{k})!}})"
    return f"(\\binom{{{n}}}{{{k}}})"
