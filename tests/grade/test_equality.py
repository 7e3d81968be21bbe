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
        ("f(t) = t + 22", "f(x) = x + 22", True),  # a function's variable may have any name
        ("f(n) = n + 1, f(n) = -1", "f(x) = -1, f(x) = x + 1", True),
        (r"f(n) = \sin n", r"f(x) = \sin x", True),
        ("f(x) = ax + b", "f(n) = an + b", True),
        ("f(n) = 2n", "f(x) = 3x", False),
        ("f(n) = n + x", "f(x) = 2x", False),  # but not that of another quantity
        ("f(x) = a", "f(a) = a", False),
        (r"a \approx 1.68, b \approx 0.45", "1.68, 0.45", True),
        (r"b \approx 1.68, a \approx 0.45", "a = 1.68, b = 0.45", False),
    ],
)
def test_same(answer: str, gold: str, right: bool) -> None:
    assert same(answer, gold) is right


def test_long_answers_are_compared_by_their_characters() -> None:
    long = "x + " * MAX_CHARS + "1"
    assert same(long, long)
    assert not same(long, long + " + 0")
