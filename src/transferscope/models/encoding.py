"""Rendered prompts to token ids: what a chat template wrote already isn't added again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def carries_start(tokenizer: PreTrainedTokenizerBase, text: str) -> bool:
    """Whether ``text`` begins with the tokenizer's start token, as a rendered prompt may."""
    start = tokenizer.bos_token
    return bool(start) and text.startswith(start)


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids with the tokenizer's special tokens, unless the text carries its start already."""
    return list(tokenizer.encode(text, add_special_tokens=not carries_start(tokenizer, text)))
