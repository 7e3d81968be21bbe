"""Where a formula ends and its sentence goes on."""

import pytest

from transferscope.grade.formulas import formula


@pytest.mark.parametrize(
    ("content", "text", "end"),
    [
        ("2x + 3, since x is odd", "2x + 3", 6),
        ("12 (see step 3)", "12", 2),
        ("12 (3 × 4).", "12", 2),
        ("2 (x + 1) is it", "2 (x + 1)", 9),
        ("5! So there", "5", 1),
        ("5!+1 in all", "5!+1", 4),
        ("$x+1$ which", "x+1", 5),
        ("$5 and $6", "$5", 2),
        ("x so", "x", 1),
        ("(1, 2) and", "(1, 2)", 6),
        ("]0,1] is", "]0,1]", 5),
        ("5:30 p.m. today", "5:30", 4),
        ("1,234.5, then", "1,234.5", 7),
        ("5+ people", "5+", 2),
        ("5 + ", "5", 3),
        ("5‰ of", "5‰", 2),
        ("\\frac{1}{2} of", "\\frac{1}{2}", 11),
        ("...", "...", 3),
    ],
)
def test_ends(content: str, text: str, end: int) -> None:
    assert formula(content, 0) == (text, end)


@pytest.mark.parametrize("content", ["a number", "I think", "because", "", ")", "-", "A cat"])
def test_words_and_signs_are_no_formula(content: str) -> None:
    assert formula(content, 0) is None
