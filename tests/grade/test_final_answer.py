"""Which part of a response is its answer: boxes, "####", sentences, the end."""

import time

import pytest

from transferscope.grade.final_answer import MAX_CHARS, final_answer, finished, last_boxed, readings


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"first \boxed{3}, no: \boxed{4}", "4"),
        (r"The roots are \boxed{3} and $\boxed{-3}$.", "3, -3"),
        (r"\boxed{12} (write it in \boxed{})", "12"),
        (r"\boxed{\fbox{9}}", "9"),
        (r"thus $\boxed 8$ since 3 + 5 = 8", "8"),
        (r"It is \boxed{8}, not \boxed{9}", "8"),
        (r"thus \boxed{8", None),
        (r"The answer is 7, thus \boxed{7", "7"),
        ("#### 42 in total\nThere are 3 steps.", "42"),
        ("#### 1. Set up\nThe sum is 9.", "9"),
        ("Answer: 7\nQuestion: and 1 + 1?\nAnswer: 2", "7"),
        ("Question: 3 + 4?\nAnswer: 7", "7"),
        ("7\n<|im_start|>user\nand 8?", "7"),
        ("<think>The answer is 3.</think>It is 7.", "7"),
        ("<think>The answer is 3", None),
        ("She has 12 apples in 3 baskets.", "12"),
        ("10 - 3 = 7", "7"),
        ("The length isn't 10.", None),
        ("所以一共有25本。", "25"),
        ("nothing", None),
    ],
)
def test_the_answer_a_response_commits_to(response: str, answer: str | None) -> None:
    found = final_answer(response)
    assert found == answer or (answer is not None and (found or "").startswith(answer))


def test_a_decimal_comma_is_read_in_the_sentence_s_language_first() -> None:
    assert readings("La réponse est 3,5.") == ("3.5", "3,5")
    assert readings("Die Antwort ist 1.234,5.") == ("1234.5", "1.234,5")
    assert readings("The answer is 3,5.") == ("3,5",)


def test_boxes_balance_and_placeholders_are_none() -> None:
    assert last_boxed(r"\boxed{a \{ b \}}") == r"a \{ b \}"
    assert last_boxed(r"\boxed{your answer}") is None
    assert last_boxed(r"\boxed{...}") is None
    assert finished(r"\boxed{1} \boxed{2}")
    assert not finished(r"\boxed{1} \boxed{2")


@pytest.mark.parametrize(
    "unit",
    ["{", "\\boxed{", "\\boxed 1 ", "#### 1\n", "the answer is ", "Answer: 1\n", "答案是", "1,",
     "$1", "Question: ", "the answer to ", "1 and ", "a: 1\n", "\\text{", "<think>", "1 cm ",
     "\n", " ", "°"],
)  # fmt: skip
def test_hostile_text_is_bounded(unit: str) -> None:
    text = unit * (10 * MAX_CHARS // len(unit))
    began = time.perf_counter()
    final_answer(text)
    final_answer("The answer is " + text)
    assert time.perf_counter() - began < 10
