"""Gold prompts inside of rendered ones, template by template."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.rendered import Prompts, messages_text, plain

ASKED = "Write a haiku about  rain.\n\nUse no commas."
SYSTEM = "You are a helpful assistant."
TEMPLATES = [
    "{p}",
    "  {p}\n",
    "<|im_start|>user\n{p}<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>system\n{s}<|im_end|>\n<|im_start|>user\n{p}<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\n{p} /no_think<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    "<s>[INST] {p} [/INST]",
    "<s>[INST] <<SYS>>\n{s}\n<</SYS>>\n\n{p} [/INST]",
    "[SYSTEM_PROMPT]{s}[/SYSTEM_PROMPT][INST]{p}[/INST]",
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{s}<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n{p}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "<bos><start_of_turn>user\n{p}<end_of_turn>\n<start_of_turn>model\n",
    "<|user|>\n{p}<|end|>\n<|assistant|>\n",
    "<|system|>\n{s}</s>\n<|user|>\n{p}</s>\n<|assistant|>\n",
    "<｜begin▁of▁sentence｜>{s}<｜User｜>{p}<｜Assistant｜><think>\n",
    "<|start|>system<|message|>{s}<|end|><|start|>user<|message|>{p}<|end|><|start|>assistant",
    "Human: {p}\n\nAssistant:",
    "{s}\n\nHuman: {p}\n\nAssistant: Let me think.",
    "A chat with an assistant. USER: {p} ASSISTANT:",
    "### Instruction:\n{p}\n\n### Response:\n",
    "{s} {p}",
    "Answer the following prompt. {p} Think before you answer.",
]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("prompt", [ASKED, "Say hi"])
def test_a_template_hides_no_prompt(template: str, prompt: str) -> None:
    if prompt == "Say hi" and template in TEMPLATES[-2:]:
        pytest.skip("a prompt as short as this is only found on lines of its own")
    others = ["Write a haiku about rain.", "Use no commas.", "You are", "Sa", "Write"]
    rendered = template.format(p=prompt, s=SYSTEM)
    assert Prompts([*others, prompt]).find(rendered) == prompt


def test_messages_as_json() -> None:
    prompts = Prompts([ASKED])
    turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ASKED}]
    assert prompts.find(json.dumps(turns)) == ASKED
    turns[1]["content"] = [{"type": "text", "text": ASKED}, {"type": "image"}]  # type: ignore[assignment]
    assert prompts.find(json.dumps(turns)) == ASKED
    for text in ("[1, 2]", "[" * 5_000, "[]", '[{"role": "user"}]', "[INST] x"):
        assert messages_text(text) == text


def test_the_longest_of_two_prompts_is_meant() -> None:
    short, long = "Write a poem about rain.", "Write a poem about rain. Use no commas."
    prompts = Prompts([short, long])
    assert prompts.find(f"Human: {long}\n\nAssistant:") == long
    assert prompts.find(f"Human: {short}\n\nAssistant:") == short
    assert prompts.find(f"Be brief. {long}") == long


def test_no_prompt_is_found_inside_of_a_word_or_a_changed_prompt() -> None:
    prompts = Prompts(["Name a colour of rain", "p", "Write at least 3 lines about rain."])
    assert prompts.find("Name a colour of rainbows") is None
    assert prompts.find("Please stop") is None
    assert prompts.find("Human: stop p stop\n\nAssistant:") is None
    assert prompts.find("Human: p\n\nAssistant:") == "p"
    assert prompts.find("Write at least 1 line about rain.") is None
    assert prompts.find("") is None


@given(st.text(max_size=80))
def test_plain_is_idempotent(text: str) -> None:
    once = plain(text)
    assert plain(once) == plain(plain(once))
    assert "\n\n" not in once


@pytest.mark.parametrize("unit", ["<|", "<|im_start|>user\n", "a", "a ", "[", "Human: ", "### "])
def test_hostile_prompts_are_bounded(unit: str) -> None:
    golds = [f"{'a' * 30}{n}" for n in range(500)] + [f"{'a ' * 30}{n}" for n in range(500)]
    prompts = Prompts(golds)
    began = time.perf_counter()
    assert prompts.find(unit * (200_000 // len(unit))) is None
    assert time.perf_counter() - began < 3.0
