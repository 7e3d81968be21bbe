"""Choice grading by hand-worked replies."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.choice import UNKNOWN, letter, most_likely, names_only


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("B", "B"),
        ("(C)", "C"),
        ("B.", "B"),
        ("**D** because", None),
        ("B) the second one", "B"),
        ("The answer is C.", "C"),
        ("First I thought the answer is A, but the answer is D.", "D"),
        ("Answer: (A)", "A"),
        ("A cat sat on the mat.", None),
        ("E", None),
        ("", None),
        ("none of them", None),
    ],
)
def test_letter(reply: str, expected: str | None) -> None:
    assert letter(reply, 4) == expected


def pairs() -> dict[str, dict[str, str | None]]:
    """Replies and the letter that a reader finds, by kind; written for these tests.

    Of each kind some replies choose and others look alike and don't. Four options.
    """
    found: dict[str, dict[str, str | None]] = defaultdict(dict)
    file = Path(__file__).with_name("choice_pairs.jsonl")
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["kind"]][row["reply"]] = row["letter"]
    return found


PAIRS = pairs()


@pytest.mark.parametrize("kind", PAIRS)
def test_letters_by_kind(kind: str) -> None:
    assert {reply: letter(reply, 4) for reply in PAIRS[kind]} == PAIRS[kind]


def test_the_pairs_cover_both_sides() -> None:
    golds = [gold for kind in PAIRS.values() for gold in kind.values()]
    assert len(golds) >= 700
    assert golds.count(None) >= 200


def test_the_number_of_options_bounds_the_letters() -> None:
    assert letter("The answer is G.", 4) is None
    assert letter("The answer is G.", 7) == "G"
    assert letter("(J)", 10) == "J"
    assert letter("The answer is D or E.", 4) is None  # E is no option, but D is not chosen either


def test_the_ninth_option_is_a_letter_where_there_are_nine() -> None:
    assert letter("The answer is I.", 10) == "I"
    assert letter("The answer is (I).", 10) == "I"
    assert letter("The answer is I.", UNKNOWN) is None
    assert letter("I think the answer is C.", 10) == "C"


@pytest.mark.parametrize(
    "unit",
    [
        "A ",
        "(A) or (B) ",
        "the answer is ",
        "not ",
        "\\boxed{",
        "<B>",
        "if ",
        "{",
        "**B",
        "A\n",
        "I choose ",
        "答案是",
        "\\text{",
        "is it ",
        "so the the ",
        "$",
        "A, ",
        "Q: ",
        "\n\n",
        "(A)",
        "wait, ",
        "<|begin_of_box|>",
    ],
)
def test_hostile_replies_are_bounded(unit: str) -> None:
    reply = unit * (300_000 // len(unit))
    began = time.perf_counter()
    letter(reply, 4)
    assert time.perf_counter() - began < 3.0


@given(st.text(max_size=200))
def test_any_text_gives_a_letter_of_the_question_or_none(text: str) -> None:
    assert letter(text, 4) in ("A", "B", "C", "D", None)


@given(st.sampled_from("ABCD"), st.sampled_from(["({})", "**{}**", "[{}]", '"{}"', "${}$", "{}"]))
def test_wrappers_change_nothing(said: str, wrapper: str) -> None:
    for sentence in ("The answer is {}.", "Die Antwort ist {}.", "{}", "答案：{}", "I choose {}."):
        assert letter(sentence.format(wrapper.format(said)), 4) == said


def test_most_likely_takes_the_first_of_equals() -> None:
    assert most_likely([-3.0, -1.0, -1.0]) == 1
    with pytest.raises(ValueError, match="no options"):
        most_likely([])


def test_names_only() -> None:
    assert names_only("Anna lives in Rome.", "rome", ["Paris", "Rome"])
    assert not names_only("Rome or Paris", "Rome", ["Paris"])
    assert not names_only("Romeo", "Rome")
    assert not names_only("", "Rome")


def test_names_in_thoughts_do_not_count() -> None:
    assert names_only("<think>Paris? No.</think>Rome", "Rome", ["Paris"])
    assert not names_only("<think>Rome", "Rome")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("It's C.", "C"),
        ("Let me think. A is too small. B is too large. So it's C.", "C"),
        ("It's B, not A.", "B"),
        ("That is D", "D"),
        ("It's a", None),
        ("It is I.", None),
        ("It's A or B.", None),
        ("It is not A.", None),
    ],
)
def test_a_conclusion_alone(reply: str, expected: str | None) -> None:
    assert letter(reply, 4) == expected
