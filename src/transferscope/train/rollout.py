"""Rollouts of a group at the price of one prompt: read once, and finished rows leave the batch.

``generate`` of transformers reads every prompt as often as it has rollouts and carries finished
rows to the end. With 8 rollouts and answers of half the limit that is most of the work.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

COMPACT = 0.8
"""Rows leave once so small a share of the batch still runs: each time the cache is copied."""


@torch.no_grad()  # type: ignore[untyped-decorator]
def sample(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    temperature: float,
    ends: Sequence[int],
    pad: int,
) -> list[list[int]]:
    """One sampled answer per row of ``prompts``, its end token included; equal rows share a prompt.

    Draws from softmax(logits / temperature) over the whole vocabulary with torch's global
    generator. ``model`` is a causal model of transformers with a dynamic cache.
    """
    device = model.device
    unique = list(dict.fromkeys(map(tuple, prompts)))
    place = {prompt: at for at, prompt in enumerate(unique)}
    owner_B = torch.tensor([place[tuple(prompt)] for prompt in prompts], device=device)
    width = max(map(len, unique))
    rows = [[pad] * (width - len(p)) + list(p) for p in unique]
    mask = [[0] * (width - len(p)) + [1] * len(p) for p in unique]
    ids_GT, mask_GT = torch.tensor(rows, device=device), torch.tensor(mask, device=device)
    cache = DynamicCache(config=model.config)
    # transformers 5.24 calls it cache, and past_key_values before.
    known = inspect.signature(model.forward).parameters
    shared = {"cache" if "cache" in known else "past_key_values": cache, "logits_to_keep": 1}
    found = model(
        input_ids=ids_GT,
        attention_mask=mask_GT,
        position_ids=(mask_GT.cumsum(1) - 1).clamp(min=0),
        **shared,
    )
    cache.batch_select_indices(owner_B)
    logits_BV, mask_BT = found.logits[owner_B, -1], mask_GT[owner_B]
    position_B = mask_BT.sum(1)
    ends_E = torch.tensor(list(ends), device=device)
    answers_NM = torch.full((len(prompts), max_tokens), -1, device=device)
    row_B = torch.arange(len(prompts), device=device)
    runs_B = torch.ones_like(row_B, dtype=torch.bool)
    for step in range(max_tokens):
        token_B = torch.multinomial((logits_BV.float() / temperature).softmax(1), 1)[:, 0]
        answers_NM[row_B[runs_B], step] = token_B[runs_B]
        runs_B &= ~torch.isin(token_B, ends_E)
        if not runs_B.any() or step == max_tokens - 1:
            break
        if runs_B.sum() <= COMPACT * len(runs_B):
            left = runs_B.nonzero()[:, 0]
            cache.batch_select_indices(left)
            row_B, mask_BT, position_B = row_B[left], mask_BT[left], position_B[left]
            token_B, runs_B = token_B[left], runs_B[left]
        mask_BT = torch.cat([mask_BT, torch.ones_like(mask_BT[:, :1])], dim=1)
        found = model(
            input_ids=token_B[:, None],
            attention_mask=mask_BT,
            position_ids=position_B[:, None],
            **shared,
        )
        logits_BV, position_B = found.logits[:, -1], position_B + 1
    return [[token for token in row if token >= 0] for row in answers_NM.tolist()]
