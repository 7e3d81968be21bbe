"""What stands outside the reasoning, mark by mark, and in linear time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.thinking import END_MARKS, without_thinking


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>", "</think>"),
        ("<THINK>", "</Think>"),
        ("<think >", "</think>"),
        ('<think effort="low">', "</think>"),
        ("<thinking>", "</thinking>"),
        ("<thought>", "</thought>"),
        ("<thoughts>", "</thoughts>"),
        ("<reasoning>", "</reasoning>"),
        ("<reflection>", "</reflection>"),
        ("<scratchpad>", "</scratchpad>"),
        ("<seed:think>", "</seed:think>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|thinking|>", "<|/thinking|>"),
        ("[THINK]", "[/THINK]"),
        ("◁think▷", "◁/think▷"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|channel>thought\n", "<channel|>"),
        ("<unused94>thought\n", "<unused95>"),
    ],
)
def test_a_block_is_dropped_closed_or_not(opening: str, closing: str) -> None:
    assert without_thinking(f"{opening}it is B{closing}\n\nIt is C.") == "It is C."
    assert without_thinking(f"Well. {opening}it is B{closing}") == "Well."
    assert without_thinking(f"{opening}it is B, or") == ""
    assert without_thinking(f"It is C. {opening}or is it B") == "It is C."
    assert without_thinking(f"it is B{closing}It is C.") == "It is C."
    twice = f"{opening}one{closing}first {opening}two{closing}second"
    assert without_thinking(twice) == "first second"
    assert without_thinking(f"{opening}{closing}C") == "C"


def test_blocks_inside_blocks_and_closings_of_another_name() -> None:
    nested = "Hm. <thinking>a<reflection>b</reflection>c</thinking>d"
    assert without_thinking(nested) == "Hm. d"
    assert without_thinking("<think>a<think>b</think>c</think>d") == "d"
    assert without_thinking("<think>I write <think> first</think>d") == "d"
    assert without_thinking("<thinking>a</think>d") == "d"


def test_marks_of_gpt_oss_that_lost_their_special_tokens() -> None:
    assert without_thinking("analysisWe try 7.assistantfinalIt is 5.") == "It is 5."
    assert without_thinking("analysis of variance") == "analysis of variance"
    tool = "<|channel|>commentary to=python<|message|>7<|channel|>final<|message|>5<|return|>"
    assert without_thinking(tool) == "5"


@pytest.mark.parametrize("mark", END_MARKS)
def test_marks_of_the_end_of_a_turn_go(mark: str) -> None:
    assert without_thinking(f"It is 5.{mark}") == "It is 5."
    assert without_thinking(f"It is 5. {mark}\n{mark}\n") == "It is 5."
    inside = f"The mark {mark} ends a turn."
    assert without_thinking(inside) == inside


@pytest.mark.parametrize(
    "text", ["", "  two\n", "a < b > c", "I think [so].", "x<thinker>y", "<|x|>"]
)
def test_other_text_is_returned_as_it_is(text: str) -> None:
    assert without_thinking(text) is text


def test_words_on_both_sides_of_a_block_stay_two_words() -> None:
    assert without_thinking("12<think>x</think>5") == "12 5"


PARTS = ["<think>", "</think>", "[THINK]", "[/THINK]", "<|im_end|>", "a", " ", "<", "◁think▷"]


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_nothing_is_added_and_a_second_pass_finds_nothing(text: str) -> None:
    once = without_thinking(text)
    assert without_thinking(once) == once
    assert len(once) <= len(text)
    assert "think" not in once


@pytest.mark.parametrize(
    "part", ["<think>", "</think>", "<", "<think ", "<|channel|>", "</s>", " ", "<think>a</think>"]
)
def test_hostile_text_takes_linear_time(part: str) -> None:
    began = time.perf_counter()
    without_thinking(part * (1_000_000 // len(part)))
    # about 0.3 s; quadratic time would be hours
    assert time.perf_counter() - began < 20
