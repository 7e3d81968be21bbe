"""Numbers, times and dates in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.spoken import digits

ONES = "one two three four five six seven eight nine ten eleven twelve thirteen".split()  # noqa: SIM905
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("five hundred and two apples", "502 apples"),
        ("one million, five hundred thousand and one", "1500001"),
        ("twelve hundred", "1200"),
        ("a hundred", "100"),
        ("minus seven", "-7"),
        ("Twenty One", "21"),
        ("seven or eight", "7 or 8"),
        ("five and six", "5 and 6"),  # two numbers
        ("five six", "5 6"),
        ("two thirds", "2/3"),
        ("two and a half", "2 1/2"),
        ("three point one four", "3.14"),
        ("half", "1/2"),
        ("half an hour", "1/2 hour"),
        ("half past five", "5:30"),
        ("quarter to one", "12:45"),
        ("5 o'clock", "5:00"),
        ("5:30 in the morning", "5:30 a.m."),
        ("noon", "12 p.m."),
        ("$5 and 50 cents", "$5.50"),
        ("May 5th", "5 May"),
        ("the 5th of May", "the 5 May"),
        ("5 (five)", "5 "),
        ("fünf", "5"),
    ],
)
def test_words_become_digits(text: str, read: str) -> None:
    assert digits(text) == read


@pytest.mark.parametrize(
    "text",
    ["one of them", "the blue one", "fifty-fifty", "one-to-one", "someone", "two-digit",
     "a third option", "twenty-first", "it may be 5", "\\tenrm", "often", ""],
)  # fmt: skip
def test_other_words_stay(text: str) -> None:
    assert digits(text) == text


@given(st.integers(0, 12), st.integers(0, 7), st.integers(0, 8), st.booleans())
def test_below_a_million(thousands: int, tens: int, ones: int, linked: bool) -> None:
    words = f"{ONES[thousands]} thousand {'and ' if linked else ''}{TENS[tens]}-{ONES[ones]}"
    assert digits(words) == str(1000 * (thousands + 1) + 10 * (tens + 2) + ones + 1)
