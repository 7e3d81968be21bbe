"""From a model's final hidden states to its logits, some positions at a time.

A plain output layer is ``head(hidden)``. Some models scale or cap what it returns (Gemma 2,
Cohere, Granite); their own ``forward`` is then run on hidden states that are handed to it in
place of the body's. Which way is right is found out on a short text, never assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from ..core.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Head = Callable[[torch.Tensor], torch.Tensor]
"""Final hidden states (N, D) to logits (N, V) in the model's dtype."""

CHECKED_TOKENS = 8


def final_states(model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """What the head sees, (B, T, D): the last block's output after the final norm."""
    return model.base_model(**batch, use_cache=False).last_hidden_state


def find_head(model: PreTrainedModel, ids: Sequence[int], *, side: str) -> Head:
    """The function that gives the model's logits, verified on the first 8 of ``ids``.

    Head and model multiply the same matrices of the same shape in the same dtype, so they differ
    by one rounding of the dtype at most, or by some float32 roundings where the sum is split
    differently. Tolerance: that much of the largest logit. Raises :class:`InputError` where
    neither way reproduces the logits.
    """
    ids_1T = torch.tensor([list(ids[:CHECKED_TOKENS])], device=model.device)
    with torch.inference_mode():
        logits_1TV, hidden_1TD = _logits_and_states(model, ids_1T)
        if hidden_1TD is not None:
            for head in (_plain(model), _own_forward(model)):
                if head is not None and _agree(head(hidden_1TD[0]), logits_1TV[0], hidden_1TD):
                    return head
    raise InputError(
        f"the {side} model's logits don't follow from its final hidden states",
        remedy="this architecture is not supported by the token probe",
    )


def _logits_and_states(
    model: PreTrainedModel, ids_1T: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Both from one forward pass; no states where the model has no body apart from its head."""
    if model.base_model is model:
        return model(input_ids=ids_1T, use_cache=False).logits, None
    seen: list[torch.Tensor] = []
    handle = model.base_model.register_forward_hook(
        lambda _module, _given, output: seen.append(output.last_hidden_state)
    )
    try:
        logits_1TV = model(input_ids=ids_1T, use_cache=False).logits
    finally:
        handle.remove()
    return logits_1TV, seen[0]


def drop_body(model: PreTrainedModel) -> None:
    """Free all weights that a head of :func:`find_head` doesn't need; the model can't run again."""
    kept = {id(p) for module in _outputs(model) for p in module.parameters()}
    for module in model.base_model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None and id(parameter) not in kept:
                module._parameters[name] = None


def _outputs(model: PreTrainedModel) -> list[torch.nn.Module]:
    head = model.get_output_embeddings()
    return [] if head is None else [head]


def _plain(model: PreTrainedModel) -> Head | None:
    head: Head | None = model.get_output_embeddings()
    return head


def _own_forward(model: PreTrainedModel) -> Head:
    """The model's own ``forward`` with its body replaced by the states at hand."""

    def head(hidden_ND: torch.Tensor) -> torch.Tensor:
        with _body_returns(model.base_model, _BodyOutput(hidden_ND[None])):
            return model(inputs_embeds=hidden_ND[None], use_cache=False).logits[0]

    return head


@contextmanager
def _body_returns(body: Any, output: _BodyOutput) -> Iterator[None]:
    """Inside, ``body(...)`` returns ``output``. A forward set on the instance (hooks) survives."""
    own = vars(body).get("forward")
    body.forward = lambda *_, **__: output
    try:
        yield
    finally:
        del body.forward
        if own is not None:
            body.forward = own


class _BodyOutput:
    """The part of a body's output that heads read; index 0 is the states, as in transformers.

    Heads pass the rest on unread (caches, attentions, names that change between versions): None.
    """

    def __init__(self, hidden_1ND: torch.Tensor) -> None:
        self.last_hidden_state = hidden_1ND

    def __getattr__(self, _name: str) -> None:
        return None

    def __getitem__(self, index: int) -> torch.Tensor:
        return (self.last_hidden_state,)[index]


def _agree(ours_TV: torch.Tensor, theirs_TV: torch.Tensor, hidden: torch.Tensor) -> bool:
    """Equal up to rounding; states that are not finite are reported later, by text."""
    if not theirs_TV.isfinite().all():
        return True
    share = max(torch.finfo(hidden.dtype).eps, 64 * torch.finfo(torch.float32).eps)
    largest = theirs_TV.float().abs().max()
    return bool((ours_TV.float() - theirs_TV.float()).abs().max() <= share * largest)
