"""How a training query is put to the model: one user message through the chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import TemplateError

from ..core.errors import InputError
from ..core.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def messages(prompt: str) -> list[Message]:
    """The conversation that asks ``prompt``."""
    return [{"role": "user", "content": prompt}]


def require_template(tokenizer: PreTrainedTokenizerBase, *, name: str) -> None:
    """Raise :class:`InputError` where a query can't be put to the model ``name``, or has no end.

    A base without a chat template answers an evaluation; an arm is a conversation.
    """
    remedy = "name a base with a chat template and an end token, or add them to its tokenizer"
    if not tokenizer.chat_template or tokenizer.eos_token_id is None:
        what = "no end token" if tokenizer.chat_template else "no chat template"
        raise InputError(f"its tokenizer has {what}", place=name, remedy=remedy)
    try:
        prompt_ids("1 + 1?", tokenizer)
    except (TemplateError, TypeError, ValueError) as err:  # a template is somebody's program
        what = f"its chat template can't ask a question: {' '.join(str(err).split())[:200]}"
        raise InputError(what, place=name, remedy="mend the tokenizer's chat template") from None


def prompt_ids(prompt: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids up to where the answer begins."""
    text = tokenizer.apply_chat_template(
        messages(prompt), tokenize=False, add_generation_prompt=True
    )
    return list(tokenizer.encode(text, add_special_tokens=False))
