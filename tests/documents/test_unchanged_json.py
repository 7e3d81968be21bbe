"""Every document prints what its command printed before documents had a version, and no less."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, SNAPSHOTS, printed

ADDED = {"schema"}
"""The one field that documents have got since."""


def differences(mine: Any, theirs: Any, at: str = "") -> list[str]:
    """Places at which two JSON values differ; numbers may by rounding."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        places = [f"{at}.{key}: only in one" for key in mine.keys() ^ theirs.keys()]
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
    return (
        [] if same and (numbers or type(mine) is type(theirs)) else [f"{at}: {mine!r}, {theirs!r}"]
    )


@pytest.mark.parametrize("name", CASES)
def test_the_json_of_a_document_is_what_it_was(name: str, tmp_path: Path) -> None:
    before = json.loads((SNAPSHOTS / f"{name}.json").read_text())
    after = json.loads(json.dumps(printed(CASES[name](tmp_path)), allow_nan=False))
    if isinstance(before, dict) and "schema" not in before:
        after = {key: value for key, value in after.items() if key not in ADDED}
    assert differences(after, before) == []


def test_a_difference_is_seen() -> None:
    assert differences({"a": [1.0, {"b": None}]}, {"a": [1.0 + 1e-13, {"b": None}]}) == []
    assert differences({"a": 1}, {"a": 1, "b": 2}) == [".b: only in one"]
    assert differences({"a": [1, True]}, {"a": [1, 1]}) == [".a[1]: True, 1"]
    assert differences([None], [0.0]) == ["[0]: None, 0.0"]
    assert differences([1], [1, 2]) == [": 1 and 2"]
