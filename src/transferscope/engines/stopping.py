"""Detection of stop strings in a batch of answers during decoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class StopStrings:
    """Checks after every token whether an answer ends in a stop string.

    Only the last tokens, as many as a stop string can span, are decoded, so the cost of a step
    doesn't grow with the answer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stops: Sequence[str]) -> None:
        self.tokenizer, self.stops = tokenizer, stops
        # A token may be a single byte; two more for tokens that straddle the ends.
        self.window = max((len(stop.encode()) for stop in stops), default=0) + 2

    def __call__(self, answers: Sequence[Sequence[int]]) -> list[bool]:
        """Return one boolean per answer, given as token ids without the prompt."""
        tails = [list(answer[-self.window :]) for answer in answers]
        texts = self.tokenizer.batch_decode(tails)
        return [any(stop in text for stop in self.stops) for text in texts]
