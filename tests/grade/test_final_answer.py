"""What a response commits to, without a look at the gold."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.final_answer import MAX_CHARS, found, last_boxed


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("The answer is 12, since x = 4.", "12"),
        ("The answer is 12.\n\nQuestion: 1 + 1?\nThe answer is 2.", "12"),
        ("Question: 1 + 1?\nThe answer is 2.", "2"),
        ("#### 18\nThat took 3 steps.", "18"),
        ("#### Step 2\nadd\n#### 18", "18"),
        (r"\boxed{3} or \boxed{4}", "3, 4"),
        (r"\boxed{3}. I checked it twice, and get \boxed{4}", "4"),
        (r"\boxed 5 of 6", "5"),
        (r"\fbox{5}", "5"),
        (r"\boxed{5} (write \boxed{})", "5"),
        (r"It may be 5. \boxed{12", None),
        ("<think>The answer is 3.</think>The answer is 4.", "4"),
        ("<think>The answer is 3.", None),
        ("The correct answer is 4. The other answer is wrong.", "4"),
        ("So she has 12 apples in 3 baskets.", "12"),
        ("no number", None),
    ],
)
def test_found(response: str, answer: str | None) -> None:
    given_ = found(response)
    assert (None if given_ is None else given_.text) == answer


def test_a_decimal_comma_is_the_sentence_s() -> None:
    assert found("La réponse est 3,5.").foreign  # type: ignore[union-attr]
    assert not found("The answer is 3,5.").foreign  # type: ignore[union-attr]


def test_escaped_braces_close_no_box() -> None:
    assert last_boxed(r"\boxed{\{1, 2\}}") == r"\{1, 2\}"
    assert last_boxed(r"\boxed{5\}") is None


PARTS = [
    "the answer is ",
    r"\boxed{",
    "}",
    "#### ",
    "\n",
    "1",
    ",",
    "$",
    "a ",
    "Question:",
    "(",
    "=",
]


@given(st.lists(st.sampled_from(PARTS), max_size=15).map("".join))
def test_any_text_is_read(text: str) -> None:
    answer = found(text)
    assert answer is None or answer.text.strip()


@pytest.mark.parametrize(
    "part", [*PARTS, "answer to ", "答案", "1,", "- ", r"\boxed{1}, ", "<answer>"]
)
def test_hostile_text_takes_linear_time(part: str) -> None:
    began = time.perf_counter()
    found(part * (MAX_CHARS // len(part)))
    # about 0.3 s; quadratic time would be minutes
    assert time.perf_counter() - began < 10
