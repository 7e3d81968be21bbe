"""The yes-or-no reader and the released one, by replies worked out by hand."""

from __future__ import annotations

import pytest

from transferscope.grade.yes_no import first_line_has, yes_or_no


@pytest.mark.parametrize(
    "reply",
    [
        "Yes",
        "yes.",
        "YES!",
        "**Yes**",
        "- Yes",
        "Yes, he did.",
        "Yes - it fits.",
        "Yes it is",
        "Yes. No source supports it.",
        "Yes, no doubt.",
        "Well, yes",
        "I would say yes",
        "It fits, so yes.",
        "The answer is yes.",
        "The final answer is: Yes",
        "Answer: yes, it is",
        "#Your Judgement#: Yes",
        "Plausible: yes",
        "Yes or No: Yes",
        "Is it right? No? It is: Yes.",
        "Was he there? No. Is it made up? Yes.",
        'The answer "no, never" is out of place. Yes.',
        r"\boxed{\text{Yes}}",
        "<think>No, or is it?</think>Yes<|im_end|>",
    ],
)
def test_a_yes(reply: str) -> None:
    assert yes_or_no(reply) is True


@pytest.mark.parametrize(
    "reply",
    [
        "no",
        "No, the answer is supported.",
        "No\n\nThe summary is fine.",
        "No because it fits",
        "No it isn't",
        "No (none)",
        "Judgement: No (supported)",
        "The answer to the question is no.",
        "Yes, wait. No, it is wrong.",
        'Nothing is made up. Therefore, the answer is "No".',
        "It is not plausible. No.",
        r"Yes is tempting, but the answer is $\boxed{No}$.",
        "Yes, I thought</think>No",
    ],
)
def test_a_no(reply: str) -> None:
    assert yes_or_no(reply) is False


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Not sure.",
        "Nolan was it",
        "No doubt it is made up.",
        "No one knows.",
        "no way",
        "No. 1 is right",
        "There is no answer.",
        "yes and no",
        "Answer yes or no.",
        "I cannot say yes or no.",
        "I would not say yes.",
        'The answer "yes" is plausible',
        "It contains no hallucinated information.",
        "<think>Yes",
    ],
)
def test_neither(reply: str) -> None:
    assert yes_or_no(reply) is None


def test_what_a_reply_denies_in_place_of_a_no() -> None:
    assert yes_or_no("No hallucinations found.", absent="hallucinat") is False
    assert yes_or_no("No signs of hallucination.", absent="hallucinat") is False
    assert yes_or_no("No doubt a hallucination.", absent="hallucinat") is None
    assert yes_or_no("Hallucinations: none", absent="hallucinat") is None


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("Yes", True),
        (" No.\nYes", False),
        ("Not sure.", False),
        ("Nolan directed it.", False),
        ("No. Yes", None),
        ("yes", None),
        ("The answer is\nYes", None),
        ("<think>\nYes</think>\nYes", None),
    ],
)
def test_the_released_reading(reply: str, verdict: bool | None) -> None:
    assert first_line_has(reply) is verdict
