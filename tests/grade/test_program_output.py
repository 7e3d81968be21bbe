"""When outputs and values are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.program_output import (
    Wording,
    close_text,
    close_value,
    same_lines,
    same_value,
)

ORDER, CASE = Wording(any_order=True), Wording(any_case=True)


@pytest.mark.parametrize(
    ("output", "expected", "lines", "close"),
    [
        ("5\n", "5", True, True),
        ("5", "6", False, False),
        ("", "", True, True),
        ("", "5", False, False),
        ("1 2  \n3 \n", "1 2\n3", True, True),
        ("1  2", "1 2", True, True),
        ("a  b", "a b", False, True),
        ("1\n\n2", "1\n2", False, True),
        ("1 2", "1\n2", False, False),
        ("1.50", "1.5", True, True),
        ("2.0", "2", True, True),
        ("2.0000001", "2", False, False),
        ("0.333333333", "0.333333334", False, True),
        ("0.33", "0.333333", False, False),
        ("1e6", "1000000.0", True, True),
        ("1000001.0", "1000000.0", False, True),
        ("100000.5", "100000.0", False, False),
        ("50000000000000001", "50000000000000000", False, False),
        ("YES", "Yes", False, False),
        ("nan", "1.5", False, False),
        ("inf", "1e999", False, True),
        ("x 1.0", "x 1", False, True),
        ("5 extra", "5", False, False),
    ],
)
def test_text(output: str, expected: str, lines: bool, close: bool) -> None:
    assert same_lines(output, expected) is lines
    assert close_text(output, expected) is close


@pytest.mark.parametrize(
    ("output", "expected", "same", "close"),
    [
        ("[1, 2]", "[1,2]", True, True),
        ("[2, 1]", "[1,2]", False, False),
        ("null", "null", True, True),
        ("", "null", False, False),
        ("null", "0", False, False),
        ("true", "true", True, True),
        ('"a"', '"a"', True, True),
        ('"5"', "5", False, False),
        ("0.30000000000000004", "0.3", False, True),
        ("[[0.1], 2]", "[[0.10000001], 2]", False, True),
        ("3.0000001", "3", False, False),
        ("3.0", "3", True, True),
        ("NaN", "0.5", False, False),
        ("[" * 100_000, "[]", False, False),
        ("9" * 5000, "1", False, False),
        ("[1, 2", "[1, 2]", False, False),
    ],
)
def test_values(output: str, expected: str, same: bool, close: bool) -> None:
    assert same_value(output, expected) is same
    assert close_value(output, expected) is close


def test_wording_opens_order_and_case() -> None:
    assert close_text("b\na", "a\nb", ORDER)
    assert not close_text("b\nb", "a\nb", ORDER)
    assert close_value("[[2],[1],[1]]", "[[1],[2],[1]]", ORDER)
    assert not close_value("[[2],[1],[2]]", "[[1],[2],[1]]", ORDER)
    assert not close_value("[[2, 1]]", "[[1, 2]]", ORDER)
    assert close_text("YES\nno", "Yes\nNo", CASE)
    assert Wording.of("You may return the answer in any\n order.") == ORDER
    assert Wording.of("Print YES or NO, in any case.") == CASE
    assert Wording.of("Print the order of the boxes in this case.") == Wording()


@given(st.recursive(st.integers() | st.text() | st.booleans(), st.lists, max_leaves=8))
def test_a_value_equals_itself(value: object) -> None:
    import json

    text = json.dumps(value)
    assert same_value(text, text)
    assert close_value(text, text, ORDER)


@given(st.text())
def test_a_text_equals_itself(text: str) -> None:
    assert same_lines(text, text)
    assert close_text(text, text, Wording(any_order=True, any_case=True))
