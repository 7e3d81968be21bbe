"""Log-probabilities of continuations; a prompt is read once for all of its choices."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from .length_groups import length_groups
from .packed_linear import PackedLinear
from .prompt_cache import inner_model, read

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Pair = tuple[Sequence[int], Sequence[int]]
"""Token ids of a prompt and of its continuation, neither empty."""


@torch.no_grad()  # type: ignore[untyped-decorator]
def score(model: Any, pairs: Sequence[Pair], *, pad: int) -> list[float]:
    """Return log p(continuation | prompt) for every pair in nats, normalised in float32."""
    if inner_model(model)._is_stateful:
        return [_whole(model, *pair) for pair in pairs]
    row_of = {prompt: row for row, prompt in enumerate(dict.fromkeys(tuple(p) for p, _ in pairs))}
    row_B = [row_of[tuple(prompt)] for prompt, _ in pairs]
    reading = read(model, list(row_of), pad)
    first_B = torch.tensor([after[0] for _, after in pairs], device=reading.logits_BV.device)
    nats_B = _log_probabilities(reading.logits_BV[torch.tensor(row_B)], first_B)
    longer = [at for at, (_, after) in enumerate(pairs) if len(after) > 1]
    groups = [list(range(len(longer)))]
    if reading.plain:
        groups = length_groups([len(pairs[at][1]) for at in longer], model.device)
    for group in groups if longer else ():
        ats = [longer[place] for place in group]
        branch = reading.taken([row_B[at] for at in ats])
        logits_NV = branch.extend([pairs[at][1][:-1] for at in ats], pad)
        rest = [token for at in ats for token in pairs[at][1][1:]]
        nats_N = _log_probabilities(logits_NV, torch.tensor(rest, device=logits_NV.device))
        parts = nats_N.split([len(pairs[at][1]) - 1 for at in ats])
        nats_B[ats] += torch.stack([part.sum() for part in parts])
    return [float(nats) for nats in nats_B]


def _whole(model: Any, prompt: Sequence[int], after: Sequence[int]) -> float:
    """Score one pair in one forward pass, for models with a recurrent state.

    Such a state can't ignore padding and can't be extended by several tokens at once.
    """
    ids_1T = torch.tensor([[*prompt, *after]], device=model.device)
    logits_TV = model(input_ids=ids_1T).logits[0, len(prompt) - 1 : -1]
    return float(_log_probabilities(logits_TV, ids_1T[0, len(prompt) :]).sum())


def _log_probabilities(logits_NV: torch.Tensor, token_N: torch.Tensor) -> torch.Tensor:
    """Return float32 log p (N,) of one token under each row of logits."""
    logits_NV = logits_NV.float()
    chosen_N: torch.Tensor = logits_NV.gather(1, token_N[:, None])[:, 0]
    return chosen_N - logits_NV.logsumexp(dim=1)


@contextlib.contextmanager
def float32_head(model: PreTrainedModel) -> Iterator[None]:
    """Compute the output head in float32, whatever the model's dtype."""
    head = model.get_output_embeddings()
    if not isinstance(head, torch.nn.Linear | PackedLinear) or head.weight.dtype == torch.float32:
        yield
        return
    weight = head.weight.float()
    bias = None if head.bias is None else head.bias.float()

    def once(states: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(states.float(), weight, bias)

    # Replaces the head's own product: a forward hook would pay for both.
    own: dict[str, Any] = head.__dict__
    before = {"forward": own["forward"]} if "forward" in own else {}
    own["forward"] = once
    try:
        yield
    finally:
        del own["forward"]
        own.update(before)
