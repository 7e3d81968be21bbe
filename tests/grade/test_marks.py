"""Letters, times, residues and bases are part of an answer."""

import pytest

from transferscope.grade.marks import choice, clock, letter, same_in_base, same_residue, same_time
from transferscope.grade.notation import canonical


def test_letters() -> None:
    assert letter("(B)") == letter("b") == letter("«Option» B") == "B"
    assert letter("«Brown»") == letter("B 42") == ""
    assert choice("(B) 42") == choice("B. 42") == ("B", "42")
    assert choice("(A) ∧ (C)") == choice("42") == ("", "")


@pytest.mark.parametrize(
    ("mine", "theirs", "verdict"),
    [
        ("5:30 p.m.", "5:30 a.m.", False),
        ("5:30 p.m.", "5:30", True),
        ("17:30", "5:30 PM", True),
        ("19:30", "7:30", False),
        ("7 pm", "7", True),
        ("7 pm", "8", False),
        ("12:00 a.m.", "0:00", True),
        ("7", "8", None),
    ],
)
def test_times(mine: str, theirs: str, verdict: bool | None) -> None:
    assert same_time(canonical(mine), canonical(theirs)) is verdict


def test_a_day_has_24_hours() -> None:
    assert clock("25:00") is None
    assert clock("3:75") is None
    assert clock(canonical("13:00 p.m.")) is None
    assert clock(canonical("12:15 a.m.")).seconds == 15 * 60


def test_residues_and_bases() -> None:
    def same(a: str, b: str) -> bool:
        return a == b

    pairs = [
        (r"3 \pmod 7", r"10 \pmod{7}", True),
        (r"3 \pmod 7", r"3 \pmod{5}", False),
        (r"x \equiv 3 \pmod 7", "3", True),
        ("3", "4", None),
    ]
    for mine, theirs, verdict in pairs:
        assert same_residue(canonical(mine), canonical(theirs), same) is verdict
    for mine, theirs, verdict in [
        ("101_2", "101_{2}", True),
        ("101_2", "101_3", False),
        ("101_2", "101", True),
        ("5", "101_2", False),
        ("1F_{16}", r"1f_{\text{sixteen}}", True),
        ("5", "6", None),
    ]:
        assert same_in_base(canonical(mine), canonical(theirs)) is verdict
