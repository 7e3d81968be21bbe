"""What sentences state, and where formulas end."""

import pytest

from transferscope.grade.cues import cues
from transferscope.grade.formulas import formula
from transferscope.grade.notation import plain_signs
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
        (" wrong.", None),
        (" found by adding all the terms together.", None),
    ],
)
def test_stated(behind: str, said: str | None) -> None:
    found = stated(behind)
    assert (found or "").replace(" and ", " ").split() == (said or "").replace(" and ", " ").split()


@pytest.mark.parametrize(
    ("sentence", "comma"),
    [
        ("The final answer is 12.", False),
        ("**Answer:** 12", False),
        ("A: 12", False),
        ("答案：12", False),
        ("答えは12です", False),
        ("정답은 12", False),
        ("Die Antwort lautet 12.", True),
        ("La réponse finale est 12.", True),
        ("La respuesta correcta es 12.", True),
        ("A resposta é 12.", True),
        ("La risposta è 12.", True),
        ("Ответ: 12", True),
        ("الجواب هو 12", False),
        ("उत्तर: 12", False),
    ],
)
def test_every_language_announces(sentence: str, comma: bool) -> None:
    found = next(statements(plain_signs(sentence)))
    assert found.text.startswith("12")
    assert found.comma is comma


def test_the_last_announcement_counts_but_for_somebody_else_s() -> None:
    text = "The answer is 3. No, the answer is 4. But the reference answer is 5."
    assert [said.text for said in statements(text)] == ["4", "3"]
    assert not list(cues("this matter is settled"))


def test_a_formula_ends_where_words_go_on() -> None:
    assert formula("2x + 3, since x is odd", 0) == ("2x + 3", 6)
    assert formula("12 (see step 3)", 0) == ("12", 2)
    assert formula("12 (3 × 4).", 0) == ("12", 2)
    assert formula("2 (x + 1) is it", 0) == ("2 (x + 1)", 9)
    assert formula("a number", 0) is None
    assert run("I think so") is None
    assert run("x") == "x"
