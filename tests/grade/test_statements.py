"""What sentences state, and where formulas end."""

import pytest

from transferscope.grade.statements import run, stated, statements


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (" 12, since x = 4.", "12"),
        (" 2 + 3 = 5, because ...", "2 + 3 = 5"),
        (": **12**", "12"),
        (" (3, -1).", "(3, -1)"),
        (" {1, 2}.", "{1, 2}"),
        (" $\\frac{1}{2}$, about 0.5.", "\\frac{1}{2}"),
        (" \\(x\\) or \\(y\\).", "x or y"),
        (" 5 or 6.", "5 or 6"),
        (" 3, 4, and 5.", "3, 4, 5"),
        (" 12, 3 of which are red.", "12"),
        (" 3 hours and 20 minutes.", "3 hours and 20 minutes"),
        (" 12 cm² in all", "12 cm²"),
        (" 3:45 p.m.", "3:45 p.m."),
        (" $5 and $6.", "$5, $6"),
        (" between 5 and 6.", "between 5 and 6"),
        (" 10 or more.", "10 or more"),
        (" 5!", "5"),
        (":\n\n$$x^2$$", "x^2"),
        (" yes.", "yes"),
        (" not 5 but 6.", "6"),
        (" 5 out of 6.", "5 out of 6"),
        (" 5 to 1.", "5 to 1"),
        (" 1 in 6.", "1 in 6"),
        (" 3 in all.", "3"),
        (" five hundred and two.", "502"),
        (" 5, possibly 6.", "5 or 6"),
        (" 3 ft 6 in.", "3 ft 6 in."),
        (" > 5.", "> 5"),
        (" wrong.", None),
        (" found by adding all the terms together.", None),
    ],
)
def test_stated(behind: str, said: str | None) -> None:
    found = stated(behind)
    assert (found or "").replace(" and ", " ").split() == (said or "").replace(" and ", " ").split()


def test_the_last_announcement_counts_but_for_somebody_else_s() -> None:
    text = "The answer is 3. No, the answer is 4. But the reference answer is 5."
    assert [said.text for said in statements(text)] == ["4", "3"]


def test_what_runs_on_as_words_is_no_answer() -> None:
    assert run("I think so") is None
    assert run("x") == "x"
