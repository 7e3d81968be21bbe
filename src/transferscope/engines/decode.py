"""Batched decoding in which what prompts share is read once and finished rows leave the batch.

``generate`` of transformers reads every prompt whole, as often as it is asked, and carries finished
rows to the end of the longest. With answers of half the limit, 8 rollouts of a prompt, or the same
system message and examples before every question, that is most of the work. Evaluation and training
draw their answers here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel, TopPLogitsWarper
from transformers.cache_utils import DynamicLayer

COMPACT = 0.8
"""Rows leave once so small a share of the batch still runs: each time the cache is copied."""

Choose = Callable[[torch.Tensor], torch.Tensor]
"""From next-token logits (rows, vocabulary) to token ids (rows,)."""


def chooser(temperature: float, top_p: float = 1.0) -> Choose:
    """Greedy at temperature 0, else draws from softmax(logits / temperature), cut to ``top_p``.

    Draws come from torch's global generator.
    """
    if temperature == 0.0:
        return lambda logits_BV: logits_BV.argmax(dim=1)
    nucleus = TopPLogitsWarper(top_p) if top_p < 1.0 else None

    def draw(logits_BV: torch.Tensor) -> torch.Tensor:
        scores_BV = logits_BV.float() / temperature
        if nucleus is not None:
            scores_BV = nucleus(None, scores_BV)
        return torch.multinomial(scores_BV.softmax(dim=1), 1)[:, 0]

    return draw


@torch.no_grad()  # type: ignore[untyped-decorator]
def decode(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    choose: Choose,
    ends: Sequence[int],
    pad: int,
    stopped: Callable[[Sequence[Sequence[int]]], Sequence[bool]] | None = None,
) -> list[list[int]]:
    """One answer per row of ``prompts``, its end token included; equal rows share a prompt.

    A row ends with a token of ``ends``, where ``stopped`` says so of its answer so far, or after
    ``max_tokens``. ``model`` is a causal model of transformers; one that keeps a recurrent state
    instead of keys and values carries its finished rows along.
    """
    device, stateful = model.device, _inner(model)._is_stateful
    options, cache = _options(_inner(model))
    unique = list(prompts) if stateful else list(dict.fromkeys(map(tuple, prompts)))
    # A window counts columns, which padding behind the shared part would shift.
    plain = all(type(layer) is DynamicLayer for layer in cache.layers)
    shared = _shared_length(unique) if plain and len(unique) > 1 else 0
    if shared:
        model(input_ids=torch.tensor([unique[0][:shared]], device=device), **options)
        cache.batch_select_indices(torch.zeros(len(unique), dtype=torch.long, device=device))
    width = max(map(len, unique)) - shared
    rows = [[pad] * (width + shared - len(p)) + list(p[shared:]) for p in unique]
    seen = [
        [1] * shared + [0] * (width + shared - len(p)) + [1] * (len(p) - shared) for p in unique
    ]
    mask_BT = torch.tensor(seen, device=device)
    found = model(
        input_ids=torch.tensor(rows, device=device),
        attention_mask=mask_BT,
        position_ids=(mask_BT.cumsum(1) - 1).clamp(min=0)[:, shared:],
        **options,
    )
    logits_BV = found.logits[:, -1]
    if len(unique) < len(prompts):
        place = {prompt: at for at, prompt in enumerate(unique)}
        owner_B = torch.tensor([place[tuple(prompt)] for prompt in prompts], device=device)
        cache.batch_select_indices(owner_B)
        logits_BV, mask_BT = logits_BV[owner_B], mask_BT[owner_B]
    position_B = mask_BT.sum(dim=1)
    answers: list[list[int]] = [[] for _ in prompts]
    last = set(ends)
    batch, running = list(range(len(prompts))), set(range(len(prompts)))
    for step in range(max_tokens):
        token_B = choose(logits_BV)
        for row, token in zip(batch, token_B.tolist(), strict=True):
            if row in running:
                answers[row].append(token)
                if token in last:
                    running.remove(row)
        if stopped is not None and running:
            asked = sorted(running)
            ended = stopped([answers[row] for row in asked])
            running -= {row for row, over in zip(asked, ended, strict=True) if over}
        if not running or step == max_tokens - 1:
            break
        if len(running) <= COMPACT * len(batch) and not stateful:
            left = [at for at, row in enumerate(batch) if row in running]
            batch = [batch[at] for at in left]
            left_B = torch.tensor(left, device=device)
            cache.batch_select_indices(left_B)
            mask_BT, position_B, token_B = mask_BT[left_B], position_B[left_B], token_B[left_B]
        mask_BT = torch.cat([mask_BT, torch.ones_like(mask_BT[:, :1])], dim=1)
        found = model(
            input_ids=token_B[:, None],
            attention_mask=mask_BT,
            position_ids=position_B[:, None],
            **options,
        )
        logits_BV, position_B = found.logits[:, -1], position_B + 1
    return answers


_CACHES = ("cache", "past_key_values")
"""What transformers 5.24 and versions before call it."""


def _inner(model: Any) -> Any:
    """The causal model of transformers inside a wrapper of PEFT, or itself."""
    return next(part for part in model.modules() if isinstance(part, PreTrainedModel))


def _options(inner: Any) -> tuple[dict[str, Any], DynamicCache]:
    """A new cache, under its name; logits of the last position only where that can be asked."""
    known = inspect.signature(inner.forward).parameters
    name = next((name for name in _CACHES if name in known), _CACHES[1])
    cache = DynamicCache(config=inner.config)
    options: dict[str, Any] = {name: cache, "use_cache": True}
    if "logits_to_keep" in known:
        options["logits_to_keep"] = 1
    return options, cache


def _shared_length(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens that all prompts begin with; every prompt keeps one of its own at least."""
    first, last = min(prompts), max(prompts)
    most = min(map(len, prompts)) - 1
    pairs = zip(first[:most], last[:most], strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), most)
