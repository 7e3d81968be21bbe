"""Stop strings for batches: every row ends by itself, and it is known where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import StoppingCriteria

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class StopStrings(StoppingCriteria):  # type: ignore[misc]
    """Ends a row when a stop string stands in its answer; ``ended``: row to its length in tokens.

    Only as many last tokens are decoded as a stop string can span, so that a step's cost does not
    grow with the answer.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, stops: Sequence[str], prompt_width: int
    ) -> None:
        self.tokenizer, self.stops, self.prompt_width = tokenizer, stops, prompt_width
        # A token may be a single byte; two more for what straddles the ends.
        self.window = max((len(stop.encode()) for stop in stops), default=0) + 2
        self.ended: dict[int, int] = {}

    def __call__(
        self,
        input_ids: torch.Tensor,
        scores: torch.Tensor,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> torch.Tensor:
        """(batch,) booleans: which rows are done."""
        length = input_ids.shape[1] - self.prompt_width
        start = self.prompt_width + max(0, length - self.window)
        for row, text in enumerate(self.tokenizer.batch_decode(input_ids[:, start:])):
            if row not in self.ended and any(stop in text for stop in self.stops):
                self.ended[row] = length
        done = torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)
        done[list(self.ended)] = True
        return done
