"""Options judged in turn."""

import pytest

from transferscope.grade.choice_text import mentions
from transferscope.grade.choice_verdicts import judged


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("A. is incorrect. C. is correct.", "C", "A"),
        ("A is false, B is true, and C is false.", "B", "AC"),
        ("A. Paris: incorrect.\nB. Rome: correct.", "B", "A"),
        ("A. Paris ❌\nB. Rome ✅", "B", "A"),
        ("A. This is wrong.\nB. This is right.", "B", "A"),
        ("A) 12 is too small, so it is incorrect.\nB) 15 is correct.", "B", "A"),
        ("A is not correct. B is entirely correct.", "B", "A"),
        ("A: No. B: No. C: Yes.", "C", "AB"),
        ("A ist falsch. B ist richtig.", "B", "A"),
        ("A. It is not a metal\nB. It is the best conductor", "", ""),  # the options' own texts
        ("A) True\nB) False", "", ""),
        ("A is correct.", "", ""),  # one alone
    ],
)
def test_judged(text: str, right: str, wrong: str) -> None:
    verdicts = judged(text.lower(), mentions(text))
    if len(right + wrong) < 2:
        assert verdicts == {}
    else:
        assert verdicts == dict.fromkeys(right, True) | dict.fromkeys(wrong, False)
