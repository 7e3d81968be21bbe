"""Stop strings for batches: which answers have just ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class StopStrings:
    """Whether a stop string stands at the end of an answer, asked after every token.

    Only as many last tokens are decoded as a stop string can span, so that a step's cost does not
    grow with the answer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stops: Sequence[str]) -> None:
        self.tokenizer, self.stops = tokenizer, stops
        # A token may be a single byte; two more for what straddles the ends.
        self.window = max((len(stop.encode()) for stop in stops), default=0) + 2

    def __call__(self, answers: Sequence[Sequence[int]]) -> list[bool]:
        """One boolean per answer (token ids without its prompt)."""
        tails = [list(answer[-self.window :]) for answer in answers]
        texts = self.tokenizer.batch_decode(tails)
        return [any(stop in text for stop in self.stops) for text in texts]
