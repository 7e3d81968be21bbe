"""Letters that replies commit to: every form that is read, and of those that are not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.letters import letter

REPLIES = [
    ("B", "B"),
    ("(C)", "C"),
    ("B.", "B"),
    ("B) the second one", "B"),
    ("First I thought the answer is A, but the answer is D.", "D"),
    ("Answer: (A)", "A"),
    ("A cat sat on the mat.", None),
    ("E", None),
    ("", None),
    ("none of them", None),
    ("**D** because", None),
    ("The answer is (C)", "C"),
    ("I prefer tea.", None),
    ("It is a matter of taste.", None),
    ("A matter of debate", None),
    ("(b)", "B"),
    ("b)", "B"),
    ("b) Paris", "B"),
    ("The answer is A or B.", None),
    ("A or B", None),
    ("A, C", None),
    ("I think the answer is C because B is too small.", "C"),
    ("\\boxed{\\text{B}}", "B"),
    ("$\\boxed{\\text{(C)}}$", "C"),
    ("\\boxed{B. 42}", "B"),
    ("Ｂ", "B"),
    ("答案是（C）。", "C"),
    ("故选D。", "D"),
    ("正解はBです。", "B"),
    ("정답은 C입니다.", "C"),
    ("Bが正解です", "B"),
    ("Правильный ответ: C", "C"),
    ("Правильный ответ — D.", "D"),
    ("الإجابة هي B", "B"),
    ("A resposta correta é a alternativa D.", "D"),
    ("La risposta corretta è B.", "B"),
    ("La respuesta es (C).", "C"),
    ("Die richtige Antwort lautet C.", "C"),
    ("Richtig ist B.", "B"),
    ("La bonne réponse est la lettre C.", "C"),
    ("The correct option is D, not A.", "D"),
    ("Option B is correct.", "B"),
    ("Options A and B are both wrong, so the answer is C.", "C"),
    ("Let me think. A is too small. B is too large. So it's C.", "C"),
    ("None of these.", None),
    ("The answer is a cat.", None),
    ("The answer is A cat.", None),
    ("The answer is A.", "A"),
    ("Answer: A", "A"),
    ("A", "A"),
    ("A.", "A"),
    ("A) yes", "A"),
    ("A) 1\nB) 2\nC) 3\nThe answer is B", "B"),
    ("A) 1\nB) 2\nC) 3\nD) 4", None),
    ("I", None),
    ("I would go with option (D).", "D"),
    ("The final answer is **C**.", "C"),
    ("**Answer:** D", "D"),
    ("**Answer: D**", "D"),
    ("### Answer\nD", "D"),
    ("Answer - C", "C"),
    ("The answer is: \\(B\\)", "B"),
    ("The answer is\n\n**(B)**", "B"),
    ("The answer is Z", None),
    ("Reasoning: friction is ignored.\n\nC", "C"),
    ("Reasoning...\n**C**", "C"),
    ("My choice: C", "C"),
    ("Selected: B", None),
    ("choice B", "B"),
    ("option C", "C"),
    ("Answer is option C.", "C"),
    ("The answer isn't A. It's C.", "C"),
    ("It's not B. The correct answer is A.", "A"),
    ("The correct answer is neither A nor B.", None),
    ("Vitamin C is good for you.", None),
    ("Plan B is the correct answer", "B"),
    ("B and C are both correct", None),
    ("The answer is both A and C", None),
    ("The answer is B (not C).", "B"),
    ("<think>A</think>\n\nThe answer is C", "C"),
    ("thinking A</think>D", "D"),
    ("<think>The answer is B", None),
    ("Réponse : B", "B"),
    ("Antwort: C)", "C"),
    ("The correct answer would be C: 42", "C"),
    ("D - Paris", "D"),
    ("D — Paris", "D"),
    ("C, because it is larger.", "C"),
    ("'C'", "C"),
    ('"C"', "C"),
    ("[C]", "C"),
    ("<C>", "C"),
    ("{C}", "C"),
    ("$C$", "C"),
    ("\\(C\\)", "C"),
    ("\\text{C}", "C"),
    ("Final answer: $\\text{C}$", "C"),
    ("The answer is C!", "C"),
    ("Answer:B", "B"),
    ("ANSWER: B", "B"),
    ("the answer is (a)", "A"),
    ("the answer is a)", "A"),
    ("So, B.", "B"),
    ("Therefore B", "B"),
    ("B is right", "B"),
    ("B is wrong.", None),
    ("Not B.", None),
    ("A is incorrect, B is correct.", "B"),
    ("A is the correct answer.", "A"),
    ("Is it A? No. Is it B? Yes, B.", "B"),
]


@pytest.mark.parametrize(("reply", "expected"), REPLIES)
def test_letter(reply: str, expected: str | None) -> None:
    assert letter(reply, 4) == expected


@pytest.mark.parametrize(
    "said",
    [
        "{}",
        "({})",
        "**{}**",
        "The answer is {}.",
        "Answer: {}",
        "\\boxed{{{}}}",
        "$\\boxed{{\\text{{{}}}}}$",
        "La réponse est {}.",
        "Die Antwort lautet {}.",
        "La respuesta correcta es {}.",
        "答案：{}",
        "正解は{}です",
        "정답: {}",
        "Ответ: {}",
    ],
)
@pytest.mark.parametrize("right", ["B", "C", "D"])
@pytest.mark.parametrize("before", ["", "<think>Is it A? The answer is A.</think>\n\n"])
@pytest.mark.parametrize("after", ["", "<|im_end|>", "\n\nOption A is wrong."])
def test_every_form_of_every_letter(said: str, right: str, before: str, after: str) -> None:
    assert letter(before + said.replace("\\", "\\").format(right) + after, 4) == right


def test_letters_beyond_the_options_are_no_answer() -> None:
    assert letter("The answer is E.", 4) is None
    assert letter("The answer is E.", 5) == "E"


@pytest.mark.parametrize(
    "unit", ["the answer is ", "(", "A ", "\\boxed{", "*", "option ", "A and ", "\n(A)", "选"]
)
def test_hostile_replies_are_bounded(unit: str) -> None:
    start = time.process_time()
    letter(unit * 100_000, 4)
    assert time.process_time() - start < 2.0


@given(st.text(max_size=200))
def test_any_text_gives_a_letter_of_the_options_or_none(text: str) -> None:
    assert letter(text, 4) in (None, "A", "B", "C", "D")
