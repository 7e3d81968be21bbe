"""How a training query is put to the model: one user message through the chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def messages(prompt: str) -> list[Message]:
    """The conversation that asks ``prompt``."""
    return [{"role": "user", "content": prompt}]


def prompt_ids(prompt: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids up to where the answer begins."""
    text = tokenizer.apply_chat_template(
        messages(prompt), tokenize=False, add_generation_prompt=True
    )
    return list(tokenizer.encode(text, add_special_tokens=False))
