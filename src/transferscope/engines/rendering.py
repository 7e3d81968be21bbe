"""Messages to the text that a model is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def rendered(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """Chat template applied; a last assistant message is continued, not closed.

    Without a chat template (base models): the contents, separated by empty lines.
    """
    if tokenizer.chat_template is None:
        return "\n\n".join(m["content"] for m in messages)
    prefill = messages[-1]["role"] == "assistant"
    return str(
        tokenizer.apply_chat_template(
            [dict(m) for m in messages],
            tokenize=False,
            add_generation_prompt=not prefill,
            continue_final_message=prefill,
        )
    )
