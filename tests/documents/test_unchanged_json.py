"""Every document prints what its command printed before documents had a version, and no less."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, SNAPSHOTS

from transferscope.core.typed_record import plain

POINT = r"(p_holm|smallest_p|mde)"
ADDED = {
    r"\.schema": "the version",
    r"\.groups": "a comparison explains itself",
    rf"\.tuned\[\d+\]\.(plane\.\w+|retention)\.{POINT}": "what its standing rests on",
    rf"\.contrasts\[\d+\]\.(gain|retention)\.{POINT}": "what its standing rests on",
    r"\.order\[\d+\]\.because": "what made the change of the worst group",
    r"\.tuned\[\d+\]\.benchmarks\[\d+\]\.(forgetting|backward)(_adjusted)?": "null without answers",
}
"""Places that documents have got since, and why."""
CHANGED = {
    r"\.complete\.\w+\.outcomes_bytes": "lines have no blanks between their tokens",
    r"\.tuned\[1\]\.benchmarks\[0\]\.mde": "an effective number lost a unit to rounding",
}
"""Places whose numbers are others now, and why."""


def differences(mine: Any, theirs: Any, at: str = "") -> list[str]:
    """Places at which two JSON values differ, but for :data:`ADDED`; numbers may by rounding."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        added = [f"{at}.{key}" for key in mine.keys() - theirs.keys()]
        places = [f"{place}: added" for place in added if not _allowed(place)]
        places += [f"{at}.{key}: lost" for key in theirs.keys() - mine.keys()]
        shared = mine.keys() & theirs.keys()
        return places + [
            found for key in shared for found in differences(mine[key], theirs[key], f"{at}.{key}")
        ]
    if isinstance(mine, list) and isinstance(theirs, list):
        places = [] if len(mine) == len(theirs) else [f"{at}: {len(mine)} and {len(theirs)}"]
        pairs = enumerate(zip(mine, theirs, strict=False))
        return places + [found for n, (a, b) in pairs for found in differences(a, b, f"{at}[{n}]")]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (mine, theirs))
    same = mine == pytest.approx(theirs, rel=1e-9, abs=1e-12) if numbers else mine == theirs
    alike = same and (numbers or type(mine) is type(theirs))
    meant = any(re.fullmatch(pattern, at) for pattern in CHANGED)
    return [] if alike or (numbers and meant) else [f"{at}: {mine!r}, {theirs!r}"]


def _allowed(place: str) -> bool:
    return any(re.fullmatch(pattern, place) for pattern in ADDED)


@pytest.mark.parametrize("name", CASES)
def test_the_json_of_a_document_is_what_it_was(name: str, tmp_path: Path) -> None:
    before = json.loads((SNAPSHOTS / f"{name}.json").read_text())
    after = json.loads(json.dumps(plain(CASES[name](tmp_path)), allow_nan=False))
    assert differences(after, before) == []


def test_a_difference_is_seen() -> None:
    assert differences({"a": [1.0, {"b": None}]}, {"a": [1.0 + 1e-13, {"b": None}]}) == []
    assert differences({"a": 1}, {"a": 1, "b": 2}) == [".b: lost"]
    assert differences({"a": [1, True]}, {"a": [1, 1]}) == [".a[1]: True, 1"]
    assert differences({"groups": 1, "b": 1}, {}) == [".b: added"]
    assert differences([None], [0.0]) == ["[0]: None, 0.0"]
    assert differences([1], [1, 2]) == [": 1 and 2"]
