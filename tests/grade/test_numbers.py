"""Exact arithmetic: by hand, against Python's fractions, and never without bound."""

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.latex import cleaned
from transferscope.grade.numbers import TooLarge, exact


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"2\frac{1}{2}", Fraction(5, 2)),
        ("-1 1/2", Fraction(-3, 2)),
        ("3e8", Fraction(3 * 10**8)),
        (r"3\times 10^{-2}", Fraction(3, 100)),
        (r"1{,}234.5", Fraction(2469, 2)),
        ("1 234", Fraction(1234)),
        (r"0.1\overline{6}", Fraction(1, 6)),
        ("0.2727...", None),  # two blocks may be chance
        ("0.272727...", Fraction(3, 11)),
        (r"\sqrt[3]{\frac{8}{27}}", Fraction(2, 3)),
        (r"\sqrt{2}", None),
        (r"\binom{5}{2} - |{-3}|", Fraction(7)),
        ("-2^2", Fraction(-4)),
        ("2^{-1}", Fraction(1, 2)),
        ("5!/3!", Fraction(20)),
        ("1/0", None),
        ("3 4", None),
        ("2x", None),
        ("1,2", None),
        ("", None),
    ],
)
def test_values_by_hand(text: str, value: Fraction | None) -> None:
    assert exact(cleaned(text)) == value


def test_tiny_numbers_are_told_apart() -> None:
    assert exact("1/2006!") != exact("1/2004!")
    assert exact("10^{-20}") != exact("10^{-21}")


NUMBERS = st.fractions(max_denominator=999)


@given(NUMBERS, NUMBERS, st.sampled_from("+-*"))
def test_arithmetic_is_that_of_fractions(a: Fraction, b: Fraction, sign: str) -> None:
    want = {"+": a + b, "-": a - b, "*": a * b}[sign]
    text = rf"({a}) {sign} (\frac{{{b.numerator}}}{{{b.denominator}}})"
    assert exact(text) == want


@pytest.mark.parametrize("text", ["9^{9^{9^{9}}}", "99999!", "10^{99999}", "1e999999"])
def test_a_number_too_large_is_not_written_out(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(TooLarge):
        exact(text)
    assert time.perf_counter() - began < 5


def test_hostile_text_is_no_number() -> None:
    assert exact("(" * 2_000 + "1") is None
    assert exact("1+" * 1_999) is None
    assert exact("9" * 5_000) is None
