"""Turns a training query into a prompt: one user message, formatted by the chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import TemplateError

from ..core.errors import InputError
from ..core.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def messages(prompt: str) -> list[Message]:
    """Return the conversation that asks ``prompt``."""
    return [{"role": "user", "content": prompt}]


def require_template(tokenizer: PreTrainedTokenizerBase, *, name: str) -> None:
    """Raise :class:`InputError` if the model ``name`` has no usable chat template or no end token.

    An evaluation can run on a base without a chat template, but an arm trains on conversations.
    """
    remedy = "use a base with a chat template and an end token, or add them to its tokenizer"
    if not tokenizer.chat_template or tokenizer.eos_token_id is None:
        what = "no end token" if tokenizer.chat_template else "no chat template"
        raise InputError(f"its tokenizer has {what}", place=name, remedy=remedy)
    try:
        prompt_ids("1 + 1?", tokenizer)
    except (TemplateError, TypeError, ValueError) as err:  # a template is third-party code
        what = f"its chat template fails on a question: {' '.join(str(err).split())[:200]}"
        raise InputError(what, place=name, remedy="fix the tokenizer's chat template") from None


def prompt_ids(prompt: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the token ids of the prompt, up to where the answer begins."""
    text = tokenizer.apply_chat_template(
        messages(prompt), tokenize=False, add_generation_prompt=True
    )
    return list(tokenizer.encode(text, add_special_tokens=False))
