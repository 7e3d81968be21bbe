"""Answers that are taken back in the next breath."""

import pytest

from transferscope.grade.corrections import corrected
from transferscope.grade.statements import run


@pytest.mark.parametrize(
    ("content", "now"),
    [
        ("5, wait, no, it's 6.", "6"),
        ("5. Wait, no. It's 6.", "6"),
        ("5... no, 6.", "6"),
        ("5, or rather 6.", "6"),
        ("5. Oops, I forgot one: 6.", "6"),
        ("5. No, that's wrong. It is 6.", "6"),
        ("5, no, 6, no, 7.", "7"),
        ("5, nein, 6.", "6"),
        ("5,不对,是6", "6"),
        ("5. Actually, it should be $6$.", "6"),
        ("5, not 6.", None),
        ("5. No further step is needed.", None),
        ("5, no more and no less.", None),
        ("5. Hmm, wait. That is right.", None),
        ("5. Actually, 6 is even.", None),
        ("5. We had 7 before. No, 6 remain.", None),  # another sentence stands between
        ("5", None),
    ],
)
def test_corrected(content: str, now: str | None) -> None:
    assert corrected(content, run) == now


def test_behind_a_box_at_once() -> None:
    assert corrected(". Wait, it should be 6.", run, at_once=True) == "6"
    assert corrected(" apples, no, 6.", run, at_once=True) is None
