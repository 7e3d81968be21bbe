"""Responses as token ids for teacher forcing; both tokenizers must agree on every text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.records import Message
from ..engines.rendering import rendered
from .model_pairs import refused_tokenizers, require_same_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Answered = tuple[str | Sequence[Message], str] | tuple[str | Sequence[Message], str, Sequence[int]]
"""A prompt and its response; third, the token ids that the model wrote, where they are known."""
ANCHORS = ("\n", ")", "a")
"""What a response is tokenised behind where texts begin with a space of the tokenizer's own."""


@dataclass(frozen=True, slots=True)
class Forced:
    """One teacher-forced sequence: the last ``n_response`` ids are the response's."""

    text: int
    ids: list[int]
    n_response: int


def teacher_forced(
    base: PreTrainedTokenizerBase,
    tuned: PreTrainedTokenizerBase,
    responses: Sequence[Answered],
    *,
    own_template: bool,
) -> list[Forced]:
    """The responses that have tokens. ``own_template``: messages go through the base's template.

    Messages become the text that an engine gives its model
    (:func:`~transferscope.engines.rendering.rendered`), and that text is a prompt like any other.
    Ids that come with a response are taken as they are where they spell it, else it is tokenised.

    Raises :class:`InputError` for tokenizers that differ, a prompt without tokens, messages that
    the chat template refuses, and no response with a token.
    """
    require_same_tokenizer(base, tuned)
    template = _with_template(*((base, tuned) if own_template else (tuned, base)))
    forced = []
    for text, (prompt, response, *written) in enumerate(responses):
        asked = prompt if isinstance(prompt, str) else rendered(template, prompt)
        head, tail = _prompt_ids(base, asked), continuation_ids(base, response)
        if head != _prompt_ids(tuned, asked) or tail != continuation_ids(tuned, response):
            raise refused_tokenizers(f"they split text {text + 1} differently")
        for ids in written:
            # Another tokenizer's ids, or those of a text that was edited, spell something else.
            if any(_spelled(tokenizer, ids) == response for tokenizer in (base, tuned)):
                tail = list(ids) or tail
        if tail and not head:
            raise InputError(
                f"the prompt of response {text + 1} has no tokens",
                remedy="give a prompt: the first response token needs something before it",
            )
        if tail:
            forced.append(Forced(text, [*head, *tail], len(tail)))
    if not forced:
        raise InputError("no response has a token", remedy="give at least one non-empty response")
    return forced


def continuation_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of ``text`` as it goes on after other text: nothing is put before it.

    Metaspace tokenizers (Llama 2, Mistral) begin every text with a space, which a response that
    follows its prompt doesn't have: there it is tokenised behind an anchor, whose tokens are then
    cut off. An anchor that runs together with the text gives way to the next; where all do, the
    text stands alone.
    """
    alone = _plain_ids(tokenizer, text)
    if not alone or not _begins_with_space(tokenizer):
        return alone
    for anchor in ANCHORS:
        before, both = _plain_ids(tokenizer, anchor), _plain_ids(tokenizer, anchor + text)
        clean = before and tokenizer.unk_token_id not in before and both[: len(before)] == before
        if clean:
            return both[len(before) :]
    return alone


def _begins_with_space(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokens of "a" spell more than an "a": a space of the tokenizer's before it."""
    pieces = tokenizer.convert_ids_to_tokens(_plain_ids(tokenizer, "a"))
    spelled = "".join(pieces)
    return spelled != "a" and spelled.endswith("a")


def _plain_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _prompt_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The prompt as it is, behind the begin token where the tokenizer adds one to texts."""
    head, bos = _plain_ids(tokenizer, text), tokenizer.bos_token_id
    begun = tokenizer(text)["input_ids"]
    if bos is not None and begun[:1] == [bos] and head[:1] != [bos]:
        return [bos, *head]
    return head


def _spelled(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """The text of generated ids, as the engine gives it."""
    return str(tokenizer.decode(list(ids), skip_special_tokens=True))


def _with_template(
    first: PreTrainedTokenizerBase, second: PreTrainedTokenizerBase
) -> PreTrainedTokenizerBase:
    return first if first.chat_template or not second.chat_template else second
