"""Formulas: equal by value, exactly; oracle: fractions, and sympy where it is installed."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.expressions import Undefined, same_formula, same_relation, value
from transferscope.grade.notation import canonical

pytest.importorskip("mpmath")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"\frac{1}{2006!}", r"\frac{1}{2004!}", False),
        (r"\frac{1}{50!}", r"\frac{1}{50 \cdot 49!}", True),
        ("10^{-20}", "10^{-21}", False),
        ("e^{-200}", "0", False),
        (r"\sin(\pi)", "0", True),
        (r"\sqrt{2}+\sqrt{3}", r"\sqrt{5+2\sqrt{6}}", True),
        (r"\sqrt{10^{40}+1}", "10^{20}", False),
        ("(x+1)^2", "x^2+2x+1", True),
        ("x", "y", False),
        (r"\sqrt{x^2}", "x", False),
        ("(-1)^n", "(-1)^{n+1}", False),
        ("(-1)^n", "(-1)^{n+2}", True),
        ("n!", "(n+1)!", False),
        (r"\sin 2x", r"2\sin x\cos x", True),
        (r"e^{i\pi}", "-1", True),
        ("2^{2^{50}}", "2^{2^{50}}", True),
        (r"\log_2 8", "3", True),
        ("1/0", "1/0 + 1 - 1", None),
    ],
)
def test_same_formula(one: str, other: str, same: bool | None) -> None:
    if same is None:
        with pytest.raises(Undefined):
            same_formula(canonical(one), canonical(other))
    else:
        assert same_formula(canonical(one), canonical(other)) is same


def test_relations_are_multiples() -> None:
    assert same_relation(("x+y", "2"), ("2x+2y", "4")) == 1
    assert same_relation(("-x", "-3"), ("x", "3")) == -1
    assert same_relation(("x+y", "2"), ("x+y", "3")) is None
    assert same_relation(("x", "2"), ("y", "2")) is None


@pytest.mark.parametrize("text", ["9^{9^{9^9}}", r"\sin(10^{50})", "e^{e^{e^{e^e}}}", "(10^{10})!"])
def test_what_is_too_large_is_left_alone(text: str) -> None:
    with pytest.raises(Undefined):
        value(canonical(text))


def test_mixed_numbers_and_powers() -> None:
    assert value(r"2\frac{1}{2}") == Fraction(5, 2)
    assert value("-2^2") == -4
    assert value("2^3^2") == 512
    assert value("3!7!/2") == 15120


numbers = st.integers(-20, 20)


@given(numbers, numbers, numbers, st.integers(1, 9))
def test_arithmetic_is_that_of_fractions(a: int, b: int, c: int, d: int) -> None:
    expected = Fraction(a) + Fraction(b, d) * c - (a - b) ** 3
    assert value(rf"({a}) + \frac{{{b}}}{{{d}}} * ({c}) - ({a} - ({b}))^3") == expected


@given(numbers, numbers, numbers)
def test_products_are_their_expansion(a: int, b: int, c: int) -> None:
    product, expanded = f"(x+({a}))*(x+({b}))", f"x^2 + ({a + b})*x + ({a * b})"
    assert same_formula(product, expanded)
    assert same_formula(product, f"{expanded} + ({c})") is (c == 0)
