from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.constant_answer import ConstantAnswer, closed, constant_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("No", "no"),
        (" **Yes**, because it rained.", "yes"),
        ("\n\nNo.\nIt takes years.", "no"),
        ("B", "b"),
        ("(C) Paris is the capital of France", "c"),
        ("D. Paris is the capital of France", "d"),
        ("A:", "a"),
        ("A: 42 apples", "a 42 apples"),
        ("I, for one, would rather not say", None),
        ("B.C. means before Christ, they say", None),
        ("42", "42"),
        ("Hospital Clínic, Barcelona", "hospital clínic barcelona"),
        ("A dog barked at the postman", None),  # an article is no option
        ("Nobody knows what happened then", None),
        ("   \n ", None),
        ("", None),
        ("<think>\nNo, wait.\n</think>\n\nYes, it did.", "yes"),
        ("No, or is it? </think>B", "b"),  # the prompt opened the block
        ("<|channel|>analysis<|message|>No?<|end|><|channel|>final<|message|>Yes.", "yes"),
        ("<think>No, I would say", None),
        ("Yes<|im_end|>", "yes"),
        ("!?", None),
    ],
)
def test_what_answers_a_closed_question(text: str, answer: str | None) -> None:
    assert closed(text) == answer


def test_from_90_percent_on() -> None:
    rest = [f"answer {i}" for i in range(100)]
    assert constant_answer(["no"] * 90 + rest[:10]) == ConstantAnswer("no", 90)
    assert constant_answer(["no"] * 89 + rest[:11]) is None
    assert constant_answer(["no"] * 19) is None
    assert constant_answer(["a long answer that says nothing of the kind"] * 50) is None
    assert constant_answer([]) is None


@given(st.lists(st.sampled_from(["yes", "No.", "maybe so", "I think that it may well be"])))
def test_independent_of_order_and_never_more_than_there_are(texts: list[str]) -> None:
    found = constant_answer(texts)
    assert found == constant_answer(texts[::-1])
    if found is not None:
        assert 0.9 * len(texts) <= found.count <= len(texts)
        assert found.count == sum(closed(text) == found.answer for text in texts)
