"""Messages to the text that a model is given, and texts to token ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from ..core.errors import InputError
from ..core.records import Message
from ..models import encode

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def rendered(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """Chat template applied; a last assistant message is continued, not closed.

    Without a chat template (base models): the contents, separated by empty lines. Raises
    :class:`InputError` for a template that is broken or doesn't take these messages.
    """
    if tokenizer.chat_template is None:
        return "\n\n".join(m["content"] for m in messages)
    prefill = messages[-1]["role"] == "assistant"
    try:
        return str(
            tokenizer.apply_chat_template(
                [dict(m) for m in messages],
                tokenize=False,
                add_generation_prompt=not prefill,
                continue_final_message=prefill,
            )
        )
    # A template is somebody's program: its own refusals are TemplateErrors, its slips the rest;
    # transformers adds a ValueError where the answer to continue isn't in what comes out.
    except (TemplateError, TypeError, ValueError) as err:
        roles = ", ".join(m["role"] for m in messages[:8]) + (", ..." if len(messages) > 8 else "")
        raise InputError(
            f"the chat template can't render messages of {roles}: {str(err)[:200]}",
            place=tokenizer.name_or_path or None,
            remedy="give messages that it takes (not every one takes a system message), "
            "or mend the tokenizer's chat template",
        ) from None


def unrendered(messages: Sequence[Message]) -> str:
    """A text that :func:`messages_of` turns back: roles and lengths, then the contents as they are.

    For servers that apply the template themselves. Nothing in a content is escaped, so that an
    answer's artefacts are told from it as from a rendered prompt.
    """
    heads = json.dumps([[m["role"], len(m["content"])] for m in messages])
    return "\n".join([heads, *(m["content"] for m in messages)])


def messages_of(text: str) -> list[dict[str, str]]:
    """The messages behind :func:`unrendered`. Raises :class:`ValueError` for another text."""
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
    """Token ids of a prompt and of what a continuation adds to it.

    As in lm-eval, a prompt's last spaces belong to the continuation. ``empty`` stands for a prompt
    without tokens. Raises :class:`InputError` (naming ``name``) when no token is left to score.
    """
    start = encode(tokenizer, prompt.rstrip())
    after = encode(tokenizer, prompt + continuation)[len(start) :]
    start = start or [*empty]
    if not (start and after):
        raise InputError(
            f"no token of {continuation!r} is left to score",
            place=name,
            remedy="give every choice a text of its own",
        )
    return start, after
