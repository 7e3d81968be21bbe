"""Logits from a model's final hidden states, a limited number of positions at a time.

A plain output layer is ``head(hidden)``. Some models scale or cap its output (Gemma 2, Cohere,
Granite); for these the model's own ``forward`` runs on given hidden states in place of the body's.
Which way is right is determined on a short text, never assumed. The same text shows whether the
model is causal, that is, whether a position can't see the token that it predicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from ..core.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Head = Callable[[torch.Tensor], torch.Tensor]
"""Maps final hidden states (N, D) to logits (N, V) in the model's dtype."""

CHECKED_TOKENS = 8
LARGE_LOGIT = 2.0**13
"""A logit far above every soft cap in use (Gemma 2: 30)."""
CAUSAL_SHARE = 1e-4
"""Largest change of the states, relative to their norm, that counts as float32 rounding over many
layers (experts regroup tokens when one changes). Seeing a later token moves even small random
models by more."""


def final_states(model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the head's input (B, T, D): the last block's output after the final norm."""
    return model.base_model(**batch, use_cache=False).last_hidden_state


def find_head(model: PreTrainedModel, ids: Sequence[int], *, side: str) -> Head:
    """Return a function that gives the model's logits, verified on the first 8 of ``ids``.

    Head and model multiply the same matrices of the same shape in the same dtype, so they differ by
    at most one rounding of the dtype, or by a few float32 roundings if the sum is split
    differently. The tolerance is that much of the largest logit. A soft cap bends small logits by
    less, so the comparison is repeated on states so large that the logits reach thousands. This
    second pass has another last token, which must not change the states before it.
    Raises :class:`InputError` if neither way reproduces the logits, and for a model whose positions
    see later tokens.
    """
    tried = list(ids[:CHECKED_TOKENS])
    other = [*tried[:-1], 0 if tried[-1] else 1]
    with torch.inference_mode():
        logits_TV, hidden_TD = _logits_and_states(model, tried)
        if hidden_TD is not None:
            scale = _enlargement(hidden_TD, logits_TV)
            large_TV, large_TD = _logits_and_states(model, other, scale=scale)
            _require_causal(hidden_TD[:-1], large_TD[:-1] / scale, side=side)
            asked = ((hidden_TD, logits_TV), (large_TD, large_TV))
            for head in (_plain(model), _own_forward(model)):
                if head is not None and all(_agree(head(h), theirs) for h, theirs in asked):
                    return head
    raise InputError(
        f"the {side} model's logits can't be computed from its final hidden states",
        remedy="the token probe does not support this architecture; use probe hidden",
    )


def _logits_and_states(
    model: PreTrainedModel, ids: Sequence[int], *, scale: float = 1.0
) -> tuple[torch.Tensor, Any]:
    """Return logits and final states (T, ...) of one pass, with the states scaled by ``scale``.

    The states are ``None`` for a model without a body separate from its head.
    """
    ids_1T = torch.tensor([list(ids)], device=model.device)
    if model.base_model is model:
        return model(input_ids=ids_1T, use_cache=False).logits[0], None
    seen: list[torch.Tensor] = []

    def scaled(_module: Any, _given: Any, output: Any) -> Any:
        output.last_hidden_state = output.last_hidden_state * scale
        seen.append(output.last_hidden_state[0])
        return output

    handle = model.base_model.register_forward_hook(scaled)
    try:
        logits_TV = model(input_ids=ids_1T, use_cache=False).logits[0]
    finally:
        handle.remove()
    return logits_TV, seen[0]


def _require_causal(one_TD: torch.Tensor, other_TD: torch.Tensor, *, side: str) -> None:
    """Refuse a model whose states change by more than rounding when only a later token changes."""
    share = max(CAUSAL_SHARE, 8 * torch.finfo(one_TD.dtype).eps)
    moved, norm = (float(torch.linalg.vector_norm(x.float())) for x in (one_TD - other_TD, one_TD))
    if moved > share * norm:  # the probe reports NaN, naming the text
        raise InputError(
            f"the {side} model is bidirectional: a position's state depends on later tokens",
            remedy="compare causal language models, or use probe hidden for others",
        )


def _enlargement(hidden_TD: torch.Tensor, logits_TV: torch.Tensor) -> float:
    """Return a power of two (exact in every dtype) that keeps scaled states far from overflow."""
    finite_V = logits_TV[logits_TV.isfinite()].float().abs()
    logit = float(finite_V.max()) if len(finite_V) else 0.0
    room = torch.finfo(hidden_TD.dtype).max / 16 / max(1.0, float(hidden_TD.float().abs().max()))
    wanted = min(LARGE_LOGIT / max(logit, 1e-3), room)
    return 2.0 ** math.floor(math.log2(wanted)) if wanted > 1 else 1.0


def drop_body(model: PreTrainedModel) -> None:
    """Free the weights that :func:`find_head`'s heads don't use; the model can't run again."""
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
    """Return the model's own ``forward``, with given states in place of the body's output."""

    def head(hidden_ND: torch.Tensor) -> torch.Tensor:
        with _body_returns(model.base_model, _BodyOutput(hidden_ND[None])):
            return model(inputs_embeds=hidden_ND[None], use_cache=False).logits[0]

    return head


@contextmanager
def _body_returns(body: Any, output: _BodyOutput) -> Iterator[None]:
    """Make ``body(...)`` return ``output``; restore a forward set on the instance (by hooks)."""
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

    Heads pass the rest on unread (caches, attentions, names that change between versions), so all
    other attributes are ``None``.
    """

    def __init__(self, hidden_1ND: torch.Tensor) -> None:
        self.last_hidden_state = hidden_1ND

    def __getattr__(self, _name: str) -> None:
        return None

    def __getitem__(self, index: int) -> torch.Tensor:
        return (self.last_hidden_state,)[index]


def _agree(ours_TV: torch.Tensor, theirs_TV: torch.Tensor) -> bool:
    """Whether logits are equal up to rounding where theirs are finite; others are checked later."""
    finite_TV = theirs_TV.isfinite()
    if not finite_TV.any():
        return True
    share = max(torch.finfo(theirs_TV.dtype).eps, 64 * torch.finfo(torch.float32).eps)
    ours_N, theirs_N = ours_TV[finite_TV].float(), theirs_TV[finite_TV].float()
    return bool((ours_N - theirs_N).abs().max() <= share * theirs_N.abs().max())
