"""From a model's final hidden states to its logits, some positions at a time.

A plain output layer is ``head(hidden)``. Some models scale or cap what it returns (Gemma 2,
Cohere, Granite); their own ``forward`` is then run on hidden states that are handed to it in
place of the body's. Which way is right is found out on a short text, never assumed; neither is that
a position doesn't see the token that it predicts.
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
"""Final hidden states (N, D) to logits (N, V) in the model's dtype."""

CHECKED_TOKENS = 8
LARGE_LOGIT = 2.0**13
"""Far above every cap in use (Gemma 2: 30)."""
CAUSAL_SHARE = 1e-4
"""Of the states' norm, what float32 roundings come to over many layers (experts group the tokens
anew when one changes); a later token that is seen moves even random small models by more."""


def final_states(model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """What the head sees, (B, T, D): the last block's output after the final norm."""
    return model.base_model(**batch, use_cache=False).last_hidden_state


def find_head(model: PreTrainedModel, ids: Sequence[int], *, side: str) -> Head:
    """The function that gives the model's logits, verified on the first 8 of ``ids``.

    Head and model multiply the same matrices of the same shape in the same dtype, so they differ
    by one rounding of the dtype at most, or by some float32 roundings where the sum is split
    differently. Tolerance: that much of the largest logit. A soft cap bends small logits by less
    than that, so the same is asked once more of states so large that the model's logits reach
    thousands. That second pass has another last token, which must leave the states before it alone.
    Raises :class:`InputError` where neither way reproduces the logits, and for a model whose
    positions see what comes after them.
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
        f"the {side} model's logits don't follow from its final hidden states",
        remedy="this architecture is not supported by the token probe",
    )


def _logits_and_states(
    model: PreTrainedModel, ids: Sequence[int], *, scale: float = 1.0
) -> tuple[torch.Tensor, Any]:
    """Both (T, ...) from one forward pass, the head given ``scale`` times the body's states.

    No states where the model has no body apart from its head.
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
    """Refuse states that differ by more than rounding although only a later token does."""
    share = max(CAUSAL_SHARE, 8 * torch.finfo(one_TD.dtype).eps)
    moved, norm = (float(torch.linalg.vector_norm(x.float())) for x in (one_TD - other_TD, one_TD))
    if moved > share * norm:  # NaN is left to the probe, which names the text
        raise InputError(
            f"the {side} model is bidirectional: a position's state depends on later tokens",
            remedy="compare causal language models; for others there is probe hidden",
        )


def _enlargement(hidden_TD: torch.Tensor, logits_TV: torch.Tensor) -> float:
    """A power of two (exact in every dtype), the states staying well inside of their dtype."""
    finite_V = logits_TV[logits_TV.isfinite()].float().abs()
    logit = float(finite_V.max()) if len(finite_V) else 0.0
    room = torch.finfo(hidden_TD.dtype).max / 16 / max(1.0, float(hidden_TD.float().abs().max()))
    wanted = min(LARGE_LOGIT / max(logit, 1e-3), room)
    return 2.0 ** math.floor(math.log2(wanted)) if wanted > 1 else 1.0


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


def _agree(ours_TV: torch.Tensor, theirs_TV: torch.Tensor) -> bool:
    """Equal up to rounding where theirs are finite; others are judged later, by text."""
    finite_TV = theirs_TV.isfinite()
    if not finite_TV.any():
        return True
    share = max(torch.finfo(theirs_TV.dtype).eps, 64 * torch.finfo(torch.float32).eps)
    ours_N, theirs_N = ours_TV[finite_TV].float(), theirs_TV[finite_TV].float()
    return bool((ours_N - theirs_N).abs().max() <= share * theirs_N.abs().max())
