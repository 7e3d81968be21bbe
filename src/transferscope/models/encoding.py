"""Encoding of rendered prompts, without doubling special tokens that a chat template wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def carries_start(tokenizer: PreTrainedTokenizerBase, text: str) -> bool:
    """Whether ``text`` begins with the tokenizer's start token, as a rendered prompt may."""
    start = tokenizer.bos_token
    return bool(start) and text.startswith(start)


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return token ids, with special tokens unless the text already begins with the start token."""
    return list(tokenizer.encode(text, add_special_tokens=not carries_start(tokenizer, text)))
