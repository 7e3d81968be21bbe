"""lm-eval's HFLM without the logits that nobody reads, and with an exact head."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from lm_eval.models.huggingface import HFLM

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class TailHFLM(HFLM):  # type: ignore[misc]
    """Computes logits of the last ``keep`` positions of a batch only.

    HFLM reads a row's logits counted from the end of the padded batch, so the others may be
    missing. Over a vocabulary of 50,000 they would cost more than the model's body.
    """

    keep = 0  # 0: all positions

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Wrapped models (PEFT) and some architectures compute all positions.
        self._tail = "logits_to_keep" in inspect.signature(self.model.forward).parameters

    def _model_call(self, inps: torch.Tensor, **_: Any) -> torch.Tensor:
        """(batch, kept positions, vocabulary)."""
        options = {"logits_to_keep": self.keep} if self._tail else {}
        with torch.no_grad():
            logits: torch.Tensor = self.model(inps, **options).logits
        return logits


class Request:
    """What HFLM reads of an lm-eval request."""

    task_name = None

    def __init__(self, pair: tuple[str, str]) -> None:
        self.args = pair


@contextlib.contextmanager
def float32_head(model: PreTrainedModel) -> Iterator[None]:
    """Compute the output head in float32, whatever the model's dtype."""
    head = model.get_output_embeddings()
    if not isinstance(head, torch.nn.Linear) or head.weight.dtype == torch.float32:
        yield
        return
    weight = head.weight.float()
    bias = None if head.bias is None else head.bias.float()

    def again(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...], __: torch.Tensor) -> Any:
        return torch.nn.functional.linear(inputs[0].float(), weight, bias)

    handle = head.register_forward_hook(again)
    try:
        yield
    finally:
        handle.remove()
