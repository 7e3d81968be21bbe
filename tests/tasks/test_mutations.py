"""Wrong answers made from right ones."""

from __future__ import annotations

import pytest

from transferscope.tasks.paper.mutations import mutations


@pytest.mark.parametrize(
    ("gold", "expected"),
    [
        ("7", ("8", "-7")),
        ("19", ("10", "-19")),
        ("0", ("1",)),
        ("-5", ("-6",)),
        ("\\frac{1}{2}", ("\\frac{2}{2}", "\\frac{1}{3}", "-\\frac{1}{2}")),
        ("(3,4)", ("(4,4)", "(3,5)", "-(3,4)", "(3,4]")),
        ("1,2,3", ("2,2,3", "1,2,4", "-1,2,3", "1,2")),
        ("(0,4]", ("(1,4]", "(0,5]", "-(0,4]", "(0,4)")),
        ("(1,2),(3,4)", ("(2,2),(3,4)", "(1,2),(3,5)", "-(1,2),(3,4)", "(1,2)", "(1,2),(3,4]")),
        ("\\text{(C)}", ("A",)),
        ("A", ("E",)),
        ("\\text{east}", ("\\text{something else}",)),
        ("p - q", ("p - q + 1",)),
    ],
)
def test_by_hand(gold: str, expected: tuple[str, ...]) -> None:
    assert mutations(gold) == expected
