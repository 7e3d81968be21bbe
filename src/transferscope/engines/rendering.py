"""Rendering of messages to prompts, and encoding of prompts and continuations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from ..core.errors import InputError
from ..core.records import Message, digest
from ..models import encode
from .prompt_form import AS_USUAL, PromptForm

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def rendered(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], form: PromptForm = AS_USUAL
) -> str:
    """Apply the chat template; a final assistant message is left open to be continued.

    Without a chat template (base models, or ``form``), the contents are joined by blank lines.
    Raises :class:`InputError` if the template is broken, doesn't accept these messages or can't
    switch thinking as ``form`` asks.
    """
    place = tokenizer.name_or_path or "tokenizer"
    if tokenizer.chat_template is None or not form.template:
        form.switches_of("", place=place)
        return plain(messages)
    prefill = messages[-1]["role"] == "assistant"
    switches: Mapping[str, bool] = {}
    if form.thinking is not None:
        switches = form.switches_of(str(tokenizer.get_chat_template()), place=place)
    try:
        return str(
            tokenizer.apply_chat_template(
                [dict(m) for m in messages],
                tokenize=False,
                add_generation_prompt=not prefill,
                continue_final_message=prefill,
                **switches,
            )
        )
    # A template is third-party code: it refuses messages with a TemplateError, and its bugs raise
    # the others. transformers raises ValueError if the output lacks the answer to continue.
    except (TemplateError, TypeError, ValueError) as err:
        roles = ", ".join(m["role"] for m in messages[:8]) + (", ..." if len(messages) > 8 else "")
        raise InputError(
            f"the chat template can't render messages of {roles}: {str(err)[:200]}",
            place=tokenizer.name_or_path or None,
            remedy="use messages that the template accepts (some accept no system message), "
            "or fix the tokenizer's chat template",
        ) from None


def plain(messages: Sequence[Message]) -> str:
    """Return the contents of the messages, joined by blank lines."""
    return "\n\n".join(m["content"] for m in messages)


def template_digest(tokenizer: PreTrainedTokenizerBase, form: PromptForm) -> str:
    """Return what a run records of the chat template: its hash, ``"none"`` or ``"off"``."""
    if not form.template:
        return "off"
    return "none" if tokenizer.chat_template is None else digest(tokenizer.chat_template)


def unrendered(messages: Sequence[Message]) -> str:
    """Return a text that :func:`messages_of` reverses: roles and lengths, then the contents.

    It serves servers that apply the template themselves. Contents are not escaped, so that checks
    for artefacts in an answer can use this text like a rendered prompt.
    """
    heads = json.dumps([[m["role"], len(m["content"])] for m in messages])
    return "\n".join([heads, *(m["content"] for m in messages)])


def messages_of(text: str) -> list[dict[str, str]]:
    """Reverse :func:`unrendered`. Raises :class:`ValueError` for any other text."""
    heads, _, rest = text.partition("\n")
    messages = []
    for role, length in json.loads(heads):
        messages.append({"role": str(role), "content": rest[: int(length)]})
        rest = rest[int(length) + 1 :]
    return messages


def encode_pair(
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    continuation: str,
    *,
    empty: Sequence[int],
    name: str,
) -> tuple[list[int], list[int]]:
    """Return the token ids of a prompt and those that a continuation adds to it.

    As in lm-eval, a prompt's trailing spaces belong to the continuation. ``empty`` replaces a
    prompt without tokens. Raises :class:`InputError` (naming ``name``) if no token is left to
    score.
    """
    start = encode(tokenizer, prompt.rstrip())
    after = encode(tokenizer, prompt + continuation)[len(start) :]
    start = start or [*empty]
    if not (start and after):
        raise InputError(
            f"{continuation!r} adds no token that could be scored",
            place=name,
            remedy="give every choice a non-empty text",
        )
    return start, after
