"""Strict JSON: rejects input that some parsers accept and others don't.

A key that occurs twice in one object is rejected, because it is unclear which value counts. So is
nesting beyond :data:`MAX_DEPTH`, because recursive code would overflow the stack. NaN and Infinity
are accepted: lm-eval and Inspect write them for "no score".
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
"""Maximum number of nested objects and arrays; harness results have about ten."""
MAX_DIGITS = 300
"""Digits of an integer; a longer one is read as Infinity, like 1e400: no float can hold it."""


def too_deep(value: Any) -> bool:
    """Whether objects and arrays are nested more than :data:`MAX_DEPTH` levels deep."""
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
        raise ValueError(f"key '{name(twice)}' occurs twice in one object")
    return found


def _whole(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        return -math.inf if digits.startswith("-") else math.inf
    return int(digits)


DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=_whole)
"""Raises ``ValueError``, or ``RecursionError`` for nesting far beyond :data:`MAX_DEPTH`."""


_COLON = re.compile(rb'"[ \t\r\n]*:')
_QUOTED_COLON = re.compile(rb'\\"[ \t\r\n]*:')
_LONGEST = 10**MAX_DIGITS


def quick_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object ``line``, decoded fast; ``None`` if :data:`DECODER` has to check the line.

    msgspec keeps the last of two equal keys. Every key is followed by a quotation mark and a colon,
    so a line with no more of these pairs than keys in the result has no duplicate key. ``None``
    does not mean that the line is invalid: such a pair may occur in a text.
    """
    try:
        value = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return None
    if value.__class__ is not dict or not _has_keys(line, _keys(value, MAX_DEPTH)):
        return None
    return value


def _has_keys(line: bytes, count: int) -> bool:
    """Whether ``line``, which is JSON, certainly has no more than ``count`` keys."""
    pairs = len(_COLON.findall(line))
    # Without an escaped backslash, a quotation mark behind a backslash is inside a text.
    if pairs > count and b"\\\\" not in line:
        pairs -= len(_QUOTED_COLON.findall(line))
    return pairs == count


def _keys(value: dict[str, Any] | list[Any], depth: int) -> int:
    """Number of keys at all levels; -1 for nesting beyond ``depth`` or a very long number."""
    found, inside = (len(value), value.values()) if isinstance(value, dict) else (0, value)
    for part in inside:
        kind = part.__class__
        if kind is dict or kind is list:
            inner = _keys(part, depth - 1) if depth > 1 else -1
            if inner < 0:
                return -1
            found += inner
        elif kind is int and not -_LONGEST < part < _LONGEST:
            return -1
    return found
