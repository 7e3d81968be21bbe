"""Reasoning blocks: what is left is the answer, in every model's notation."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.thinking import END_MARKS, still_thinking, without_thinking

PAIRS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<Thought>", "</Thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<seed:think>", "</seed:think>"),
    ('<thinking time="4">', "</thinking>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<｜begin▁of▁thinking｜>", "<｜end▁of▁thinking｜>"),
    ("<|think|>", "<|/think|>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<unused94>thought\n", "<unused95>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
]


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_every_tag_closed_open_and_lone(opening: str, closing: str) -> None:
    assert without_thinking(f"{opening}It is 3.{closing}\n\nIt is 4.") == "It is 4."
    assert without_thinking(f"{opening}It is 3, but") == ""
    assert without_thinking(f"It is 4. {opening}It is 3, but") == "It is 4. "
    assert without_thinking(f"{opening}a{closing}{opening}b{closing}c") == "c"
    assert still_thinking(f"{opening}It is 3, but")
    assert not still_thinking(f"{opening}It is 3.{closing}4")
    assert still_thinking("so", f"question {opening}\n")
    assert not still_thinking(f"so{closing}4", f"question {opening}\n")
    assert without_thinking(f"It is 3, so{closing}It is 4.") == "It is 4."


def test_a_block_ends_at_its_own_tag() -> None:
    inner = "<thinking>a <reflection>b</reflection> 3"
    assert without_thinking(inner) == ""
    assert without_thinking(inner + "</thinking>4") == "4"
    # nested, or only mentioned: the last closing tag counts
    assert without_thinking("<think>a<think>b</think>c</think>d") == "d"
    assert without_thinking("<think>I write in <think> tags</think>d") == "d"
    # closed by a tag of another name, which nothing within the block opened
    assert without_thinking("<think>3</thinking>4") == "4"
    assert without_thinking("<think>3</reasoning>4") == "4"


def test_what_only_looks_like_a_tag_stays() -> None:
    for text in (
        "Dear [reflection], see [address].",
        "Write `<think>` first.",
        "1 < 2 and 3 > 2",
        "<b>bold</b> [1] <thinker>",
        "analysis of the text",
        "  two blanks before, and behind  ",
        "a <|end|> in the middle",
    ):
        assert without_thinking(text) == text
        assert not still_thinking(text)


def test_gpt_oss_without_its_special_tokens() -> None:
    assert without_thinking("analysisWe need 3.assistantfinalIt is 4.") == "It is 4."
    assert without_thinking("analysisWe need 3, but") == ""
    assert still_thinking("analysisWe need 3, but")


@pytest.mark.parametrize("mark", END_MARKS)
def test_end_of_turn_marks_are_no_answer(mark: str) -> None:
    assert without_thinking(f"It is 4.{mark}") == "It is 4."
    assert without_thinking(f"It is 4.\n{mark} {mark}\n") == "It is 4."
    assert without_thinking(f"It is {mark} 4.") == f"It is {mark} 4."


@pytest.mark.parametrize(
    "unit", ["<think>", "</think>", "<", "[", "</s>", "<think ", "<|channel|>analysis", "< " * 9]
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    began = time.perf_counter()
    without_thinking(text)
    assert time.perf_counter() - began < 5


@given(st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "<|end|>", "a", " ", "</s>"])))
def test_nothing_is_made_up_and_twice_is_once(parts: list[str]) -> None:
    once = without_thinking("".join(parts))
    assert "think>" not in once.lower()
    assert without_thinking(once) == once
