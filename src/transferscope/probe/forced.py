"""Responses as token ids for teacher forcing; both tokenizers must agree on every text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.records import Message
from .opened import refused_tokenizers, require_same_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Forced:
    """One teacher-forced sequence: the last ``n_response`` ids are the response's."""

    text: int
    ids: list[int]
    n_response: int


def teacher_forced(
    base: PreTrainedTokenizerBase,
    tuned: PreTrainedTokenizerBase,
    responses: Sequence[tuple[str | Sequence[Message], str]],
    *,
    own_template: bool,
) -> list[Forced]:
    """The responses that have tokens. ``own_template``: messages go through the base's template.

    Raises :class:`InputError` for tokenizers that differ, a prompt without tokens and no response
    with one.
    """
    require_same_tokenizer(base, tuned)
    template = _with_template(*((base, tuned) if own_template else (tuned, base)))
    forced = []
    for text, (prompt, response) in enumerate(responses):
        row = _encode(base, template, text, prompt, response)
        if row != _encode(tuned, template, text, prompt, response):
            raise refused_tokenizers(f"they split text {text + 1} differently")
        if row.n_response:
            forced.append(row)
    if not forced:
        raise InputError("no response has a token", remedy="give at least one non-empty response")
    return forced


def _with_template(
    first: PreTrainedTokenizerBase, second: PreTrainedTokenizerBase
) -> PreTrainedTokenizerBase:
    return first if first.chat_template or not second.chat_template else second


def _encode(
    tokenizer: PreTrainedTokenizerBase,
    template: PreTrainedTokenizerBase,
    text: int,
    prompt: str | Sequence[Message],
    response: str,
) -> Forced:
    """ids(prompt) + ids(response); ``text`` counts from 0 here and from 1 in messages."""
    if isinstance(prompt, str):
        rendered = prompt
    elif template.chat_template:
        rendered = template.apply_chat_template(
            [dict(message) for message in prompt], tokenize=False, add_generation_prompt=True
        )
    else:
        raise InputError(
            f"response {text + 1} has messages as its prompt but neither model a chat template",
            remedy="give the prompt as a string",
        )
    head = tokenizer(rendered, add_special_tokens=False)["input_ids"]
    if isinstance(prompt, str):
        bos = tokenizer.bos_token_id
        begun = tokenizer(rendered)["input_ids"]
        if bos is not None and begun[:1] == [bos] and head[:1] != [bos]:
            head = [bos, *head]
    tail = tokenizer(response, add_special_tokens=False)["input_ids"]
    if tail and not head:
        raise InputError(
            f"the prompt of response {text + 1} has no tokens",
            remedy="give a prompt: the first response token needs something before it",
        )
    return Forced(text, [*head, *tail], len(tail))
