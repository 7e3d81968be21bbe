"""Intervals and inequalities become the same regions."""

import pytest

from transferscope.grade import regions
from transferscope.grade.notation import canonical
from transferscope.grade.regions import Interval


@pytest.mark.parametrize(
    ("text", "intervals"),
    [
        ("(0,1]", [Interval("0", "1", (False, True))]),
        ("]0,1]", [Interval("0", "1", (False, True))]),
        ("[0;1[", [Interval("0", "1", (True, False))]),
        ("x > 3", [Interval("3", "∞", (False, False))]),
        ("3 \\ge x", [Interval("-∞", "3", (False, True))]),
        ("5 > x \\ge 1", [Interval("1", "5", (True, False))]),
        ("x>1 \\text{ and } x<3", [Interval("1", "3", (False, False))]),
        ("\\mathbb{R}", [Interval("-∞", "∞", (False, False))]),
        ("x \\ne 2", [Interval("-∞", "2", (False, False)), Interval("2", "∞", (False, False))]),
    ],
)
def test_regions(text: str, intervals: list[Interval]) -> None:
    assert list(regions.region(canonical(text)).intervals) == intervals


def test_what_is_no_region() -> None:
    for text in ("5", "x + y > 3 + z > 2", "[1,2,3]", "x = 3", "x>1 \\text{ and } y<3"):
        assert regions.region(canonical(text)) is None
