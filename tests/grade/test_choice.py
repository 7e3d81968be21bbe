"""Choice grading by hand-worked replies."""

from __future__ import annotations

import pytest

from transferscope.grade.choice import letter, most_likely, names_only


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("B", "B"),
        ("(C)", "C"),
        ("B.", "B"),
        ("**D** because", None),
        ("B) the second one", "B"),
        ("The answer is C.", "C"),
        ("First I thought the answer is A, but the answer is D.", "D"),
        ("Answer: (A)", "A"),
        ("A cat sat on the mat.", None),
        ("E", None),
        ("", None),
        ("none of them", None),
    ],
)
def test_letter(reply: str, expected: str | None) -> None:
    assert letter(reply, 4) == expected


def test_most_likely_takes_the_first_of_equals() -> None:
    assert most_likely([-3.0, -1.0, -1.0]) == 1
    with pytest.raises(ValueError, match="no options"):
        most_likely([])


def test_names_only() -> None:
    assert names_only("Anna lives in Rome.", "rome", ["Paris", "Rome"])
    assert not names_only("Rome or Paris", "Rome", ["Paris"])
    assert not names_only("Romeo", "Rome")
    assert not names_only("", "Rome")
