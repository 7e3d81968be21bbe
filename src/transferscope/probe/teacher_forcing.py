"""Teacher forcing: responses as token ids on which both tokenizers must agree."""

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
"""A prompt, its response and, if known, the token ids that the model generated."""
ANCHORS = ("\n", ")", "a")
"""Texts to tokenise a response after, for tokenizers that put a space before every text."""


@dataclass(frozen=True, slots=True)
class Forced:
    """A teacher-forced sequence of text ``text``; the last ``n_response`` ids are the response."""

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
    """Return the responses that have tokens, each with its prompt, as token ids.

    ``own_template`` renders messages through the base's chat template, otherwise through the tuned
    model's. They are rendered as an engine would
    (:func:`~transferscope.engines.rendering.rendered`) and then treated like any other prompt. Ids
    that come with a response are used if they decode to it; otherwise the response is tokenised.

    Raises :class:`InputError` for different tokenizers, a prompt without tokens, messages that the
    chat template refuses, and if no response has a token.
    """
    require_same_tokenizer(base, tuned)
    template = _with_template(*((base, tuned) if own_template else (tuned, base)))
    forced = []
    for text, (prompt, response, *written) in enumerate(responses):
        asked = prompt if isinstance(prompt, str) else rendered(template, prompt)
        head, tail = _prompt_ids(base, asked), continuation_ids(base, response)
        if head != _prompt_ids(tuned, asked) or tail != continuation_ids(tuned, response):
            raise refused_tokenizers(f"they tokenise text {text + 1} differently")
        for ids in written:
            # Ids from another tokenizer, or from before the text was edited, decode differently.
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
    """Return the token ids of ``text`` as the continuation of other text.

    Metaspace tokenizers (Llama 2, Mistral) put a space before every text, which a response that
    follows its prompt doesn't have. For these the text is tokenised after an anchor, whose tokens
    are then cut off. If an anchor merges with the text, the next one is tried; if all do, the text
    is tokenised alone.
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
    """Whether the tokenizer puts a space before texts: the tokens of "a" then spell more."""
    pieces = tokenizer.convert_ids_to_tokens(_plain_ids(tokenizer, "a"))
    spelled = "".join(pieces)
    return spelled != "a" and spelled.endswith("a")


def _plain_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _prompt_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return the prompt's ids, after the begin token if the tokenizer adds one to texts."""
    head, bos = _plain_ids(tokenizer, text), tokenizer.bos_token_id
    begun = tokenizer(text)["input_ids"]
    if bos is not None and begun[:1] == [bos] and head[:1] != [bos]:
        return [bos, *head]
    return head


def _spelled(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """Decode generated ids as the engine does."""
    return str(tokenizer.decode(list(ids), skip_special_tokens=True))


def _with_template(
    first: PreTrainedTokenizerBase, second: PreTrainedTokenizerBase
) -> PreTrainedTokenizerBase:
    return first if first.chat_template or not second.chat_template else second
