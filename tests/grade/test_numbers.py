"""Exact numbers in every way of writing them; oracle: Python's own fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.notation import canonical
from transferscope.grade.numbers import MAX_DIGITS, amount, chinese, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.50", Fraction(2469, 2)),
        (".5", Fraction(1, 2)),
        ("3e8", Fraction(3 * 10**8)),
        (r"3 \times 10^{-2}", Fraction(3, 100)),
        ("2 1/2", Fraction(5, 2)),
        (r"-2\frac{1}{3}", Fraction(-7, 3)),
        (r"0.\overline{27}", Fraction(3, 11)),
        (r"0.1\overline{6}", Fraction(1, 6)),
        ("0.(3)", Fraction(1, 3)),
        ("0.1666...", Fraction(1, 6)),
        ("3.5 million", Fraction(3500000)),
        ("seventeen", Fraction(17)),
        ("3万", Fraction(30000)),
        ("3.14...", None),
        ("1/0", None),
        ("7 apples", None),
        ("1e99999", None),
        ("x", None),
    ],
)
def test_amount(text: str, value: Fraction | None) -> None:
    assert amount(canonical(text)) == value


def test_number_is_nothing_else() -> None:
    assert number("$1,200") == 1200
    assert number("1 or 2") is None
    assert number("9" * (MAX_DIGITS + 1)) is None
    assert amount("9" * (MAX_DIGITS + 1)) is None


def test_chinese_numerals() -> None:
    assert chinese("十二") == "12"
    assert chinese("三万五千") == "35000"
    assert chinese("二十个") == "20个"
    assert chinese("一共有3个") == "一共有3个"


@given(st.fractions(max_denominator=10**6))
def test_fractions_and_mixed_numbers(value: Fraction) -> None:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 1)
    assert amount(canonical(f"{value.numerator}/{value.denominator}")) == value
    if rest and whole:
        latex = rf"{sign}{whole}\frac{{{rest.numerator}}}{{{rest.denominator}}}"
        assert amount(canonical(latex)) == value


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
    )
)
def test_decimals_are_exact(value: object) -> None:
    assert amount(str(value)) == Fraction(str(value))
