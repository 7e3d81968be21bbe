"""Farewells, signatures, and whose words a line is."""

import pytest

from transferscope.core.signatures import POSTSCRIPT, credited, named, parting, signature, signs


@pytest.mark.parametrize("line", ["Kind regards", "Love, Mum", "The End", "Love, your friend Tom"])
def test_signature(line: str) -> None:
    assert signature(line)


@pytest.mark.parametrize("line", ["Love, which", "Then the bees", "Kind regards,"])
def test_no_signature(line: str) -> None:
    assert not signature(line)


@pytest.mark.parametrize(
    ("line", "own", "listed", "found"),
    [
        ("- Shakespeare", True, False, True),
        ("- Shakespeare", True, True, False),  # an item among items
        ('"Be." - Hamlet, Act 3, Scene 1', False, False, True),
        ("——鲁迅", True, False, True),
        ("- 2 Timothy 1:7", True, False, True),
        ("- anonymous", True, False, True),
        ("Call me - Tom", True, False, True),
        ("Call me - Tom", False, False, False),
        ("well-being", True, False, False),
        ("- the next step", True, False, False),
        ("Photo by Ann Lee", True, False, True),
        ("It is read by many", True, False, False),
    ],
)
def test_credited(line: str, own: bool, listed: bool, found: bool) -> None:
    assert credited(line, own=own, listed=listed) is found


def test_names_partings_and_postscripts() -> None:
    assert named("Karl von Frisch")
    assert not named("Karl von")
    assert parting("Cheers!")
    assert not parting("It rains!")
    assert signs("Tom", "Take care!".strip("!"), ["x", "", "Take care"])
    assert not signs("Tom", "It rains", ["x", "", "It rains"])
    assert [bool(POSTSCRIPT.match(t)) for t in ("P.S. Hi", "PS: Hi", "P.P.S. Hi", "PSG won")] == [
        True, True, True, False,
    ]  # fmt: skip
