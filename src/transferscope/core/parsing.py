"""JSON read strictly: what one reader takes and another refuses is refused.

Refused are a key that comes twice in one object (which value counts?) and nesting beyond
:data:`MAX_DEPTH` (code that walks over such a value would run out of stack). NaN and Infinity pass:
lm-eval and Inspect write them for "no score".

Lines are read twice as fast by :func:`quick_object`, which answers only for what is beyond doubt.
:data:`DECODER` reads the others and says what is wrong with them.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

import msgspec

from .shown import name

MAX_DEPTH = 100
"""Levels of objects and arrays inside each other; results of harnesses have about ten."""
MAX_DIGITS = 300
"""Digits of a whole number. A longer one is read as Infinity, as 1e400 is: no float holds it."""
_LONGEST = 10**MAX_DIGITS
_COLON = re.compile(rb'"[ \t\r\n]*:')
_QUOTED_COLON = re.compile(rb'\\"[ \t\r\n]*:')


def too_deep(value: Any) -> bool:
    """Whether objects and arrays lie inside each other beyond :data:`MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for whole in level
            if isinstance(whole, dict | list)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
        if not level:
            return False
    return any(isinstance(whole, dict | list) for whole in level)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"key '{name(twice)}' stands twice in one object")
    return found


def _whole(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        return -math.inf if digits.startswith("-") else math.inf
    return int(digits)


DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=_whole)
"""Raises ``ValueError``, or ``RecursionError`` far beyond :data:`MAX_DEPTH`."""


class _Doubt(Exception):
    """The value is one that only :data:`DECODER` judges."""


def quick_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object in ``line`` as :data:`DECODER` reads it, or ``None`` where in doubt.

    msgspec is as strict as ``DECODER`` but for three things, which are looked for here: nesting,
    long whole numbers and keys that come twice. It keeps the last of two values. Every key is
    followed by a colon, so a line has at least as many ``":`` as keys. Where it has exactly as many
    as the decoded objects have keys, no key came twice. A text may hold ``":`` too (``\\":`` is
    known to be one); such a line is in doubt.
    """
    try:
        value = msgspec.json.decode(line)
        if value.__class__ is not dict:
            return None
        keys = _keys_in(value, MAX_DEPTH)
    except (ValueError, RecursionError, _Doubt):
        return None
    return value if _has_keys(line, keys) else None


def _has_keys(line: bytes, keys: int) -> bool:
    """Whether ``line`` certainly has no more than ``keys`` keys."""
    colons = len(_COLON.findall(line))
    if colons > keys and b"\\\\" not in line:  # behind two of them a quotation mark may end a key
        colons -= len(_QUOTED_COLON.findall(line))
    return colons == keys


def _keys_in(value: dict[str, Any] | list[Any], levels: int) -> int:
    """Number of keys of all objects in ``value``; raises :class:`_Doubt` below ``levels``."""
    if not levels:
        raise _Doubt
    count, parts = 0, iter(value)
    if isinstance(value, dict):
        count, parts = len(value), iter(value.values())
    for part in parts:
        kind = part.__class__
        if kind is dict or kind is list:
            count += _keys_in(part, levels - 1)
        elif kind is int and not -_LONGEST < part < _LONGEST:
            raise _Doubt
    return count
