"""n choose k in many notations."""

import pytest

from transferscope.grade.combinations import counted
from transferscope.grade.expressions import value
from transferscope.grade.maths import is_correct
from transferscope.grade.notation import canonical


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("C(5,2)", 10), ("nCr(5, 2)", 10), ("{}_5C_2", 10), ("^5C_2", 10), ("_5C_2", 10),
        ("5C2", 10), ("C_5^2", 10), ("C^2_5", 10), (r"\mathrm{C}_5^2", 10), (r"{5 \choose 2}", 10),
        (r"5 \choose 2", 10), ("5 choose 2", 10), (r"\dbinom{5}{2}", 10), ("C(5,2)*3", 30),
        ("P(5,2)", 20), ("5P2", 20), ("A_5^2", 20),
    ],
)  # fmt: skip
def test_notations(text: str, number: int) -> None:
    pytest.importorskip("mpmath")
    assert value(counted(canonical(text))) == number
    assert is_correct(rf"\boxed{{{text}}}", str(number))
    assert not is_correct(rf"\boxed{{{text}}}", "5")


def test_other_letters_stay() -> None:
    for text in ("(5,2)", "CP", "x+C", "C=5", "5C_2", "P", "AC_1"):
        assert counted(text) == text
