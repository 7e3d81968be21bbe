"""Sentences that announce an answer."""

import pytest

from transferscope.grade.cues import cues
from transferscope.grade.notation import plain_signs
from transferscope.grade.statements import statements


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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The result is 7. The answer is 5.", [("answer is", False), ("result is ", False)]),
        ("La réponse est 4. The answer is 5.", [("answer is", False), ("réponse est", True)]),
        ("The answer to (a) is 4.", [("answer to (a) is", False)]),
        ("The reference answer is 5. The student's answer is 6.", []),
        ("The result is not clear.", []),
        ("this matter is settled", []),
    ],
)
def test_the_last_first_and_those_of_a_result_behind_all_others(
    text: str, found: list[tuple[str, bool]]
) -> None:
    assert [(text[cue.start : cue.end], cue.comma) for cue in cues(text)] == found
