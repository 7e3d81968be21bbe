"""Whole answers against each other, where kinds meet."""

import pytest

from transferscope.grade.equality import MAX_CHARS, same

pytest.importorskip("math_verify")


@pytest.mark.parametrize(
    ("answer", "gold", "right"),
    [
        ("x = 3, y = 4", "(3,4)", True),
        ("(1,2)", r"\{1,2\}", False),
        ("[1,2]", "(1,2)", False),
        ("1,2", "(1,2)", True),
        ("4", r"\{4\}", True),
        ("m+n=17", "17", True),
        ("5x-7y+4=0", "0", False),
        ("2x+3", "y=2x+3", True),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", "(1,2)", True),
        ("y>2", "x>2", False),
        (r"\text{no solution}", r"\emptyset", True),
        ("1, 2, 3, \\ldots", "1, 2, 3", False),
        ("5 or more", "5", False),
        ("5+", "5", False),
        (r"\ge 5", "5", False),
        (r"\text{all real numbers}", r"(-\infty, \infty)", True),
        (r"3 \text{ (since } x > 0)", "3", True),
        ("", "5", False),
        ("C(5,2)", "10", True),
        ("C(3,4)", "(3,4)", True),  # a point of that name
        ("C(5,2)", "5", False),
        ("5 to 1", "5", False),
        ("5 to 1", "5/1", True),
        ("3:2", "1.5", True),
        (r"1+\sqrt{2} \approx 2.414", r"1+\sqrt{2}", True),
        (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "-2", True),
        ("[[1,2],[3,4]]", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", True),
        (r"(1,2)^T", r"\begin{pmatrix}1\\2\end{pmatrix}", True),
    ],
)
def test_same(answer: str, gold: str, right: bool) -> None:
    assert same(answer, gold) is right


def test_long_answers_are_compared_by_their_characters() -> None:
    long = "x + " * MAX_CHARS + "1"
    assert same(long, long)
    assert not same(long, long + " + 0")
