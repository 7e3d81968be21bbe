"""Numbers within an absolute error."""

from __future__ import annotations

import pytest

from transferscope.grade.tolerance import is_close


@pytest.mark.parametrize(
    ("answer", "gold", "errors", "close"),
    [
        ("3.14", "\\pi", (0.01,), True),
        ("3.14", "\\pi", (0.001,), False),
        ("22/7", "$\\pi$", (0.01,), True),
        ("x = 3.1", "3", (0.1,), True),  # the bound itself
        ("x \\approx 3.1", "3", (0.1,), True),
        ("3.11", "3", (0.1,), False),
        ("3", "3", (), False),  # nothing is close without a tolerance
        ("2.0, 1.1", "1, 2", (0.2,), True),
        ("1.1", "1, 2", (0.2,), False),
        ("1.5, 1.6", "1, 2", (0.6, 0.6), True),
        ("1.9, 1.9", "1, 2", (0.2,), False),  # each number has its own partner
        ("(2, 1.1)", "(1, 2)", (0.2,), False),  # a tuple keeps its order
        ("(1.1, 2)", "(1, 2)", (0.2,), True),
        ("1.1, 2", "(1, 2)", (0.2,), False),
        ("1.05, 2.5", "1, 2", (0.1, 0.5), True),
        ("1.05, 2.5", "1, 2", (0.1, 0.1), False),
        ("1", "1, 2", (0.1, 0.2, 0.3), False),  # as many errors as numbers, or one
        ("3.1 \\text{ km}", "3", (0.2,), True),
        ("3.1 \\text{ km}", "3\\text{ km}", (0.2,), True),
        ("3100 \\text{ m}", "3\\text{ km}", (0.2,), True),
        ("3.1 \\text{ s}", "3\\text{ km}", (0.2,), False),
        ("n + 1", "3", (9.0,), False),
        ("\\text{east}", "3", (9.0,), False),
        ("3", "n", (9.0,), False),
        ("1/0", "3", (9.0,), False),
        ("50\\%", "0.5", (0.1,), False),
        ("7" * 3000, "3", (9.0,), False),
        (",".join("1" * 13), ",".join("1" * 13), (0.1,), False),  # too many orders to try
    ],
)
def test_by_hand(answer: str, gold: str, errors: tuple[float, ...], close: bool) -> None:
    assert is_close(f"So \\boxed{{{answer}}}.", gold, errors) is close


def test_no_answer_is_close_to_nothing() -> None:
    assert not is_close("I give up", "3", (9.0,))
