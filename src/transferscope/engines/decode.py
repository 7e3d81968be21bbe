"""Batched decoding in which equal prompts are read once and finished rows leave the batch.

``generate`` of transformers reads every prompt as often as it is asked and carries finished rows to
the end of the longest. With answers of half the limit, or 8 rollouts of a prompt, that is most of
the work. Evaluation and training draw their answers here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel, TopPLogitsWarper

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
    device, inner = model.device, _inner(model)
    unique = list(dict.fromkeys(map(tuple, prompts)))
    if inner._is_stateful:
        unique = list(map(tuple, prompts))
    place = {prompt: at for at, prompt in enumerate(unique)}
    width = max(map(len, unique))
    rows = [[pad] * (width - len(p)) + list(p) for p in unique]
    mask = [[0] * (width - len(p)) + [1] * len(p) for p in unique]
    ids_GT, mask_BT = torch.tensor(rows, device=device), torch.tensor(mask, device=device)
    step_options = _options(inner)
    found = model(
        input_ids=ids_GT,
        attention_mask=mask_BT,
        position_ids=(mask_BT.cumsum(1) - 1).clamp(min=0),
        **step_options,
    )
    logits_BV = found.logits[:, -1]
    cache = next(step_options[name] for name in _CACHES if name in step_options)
    if len(unique) < len(prompts):
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
        if len(running) <= COMPACT * len(batch) and not inner._is_stateful:
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
            **step_options,
        )
        logits_BV, position_B = found.logits[:, -1], position_B + 1
    return answers


_CACHES = ("cache", "past_key_values")
"""What transformers 5.24 and versions before call it."""


def _inner(model: Any) -> Any:
    """The causal model of transformers inside a wrapper of PEFT, or itself."""
    return next(part for part in model.modules() if isinstance(part, PreTrainedModel))


def _options(inner: Any) -> dict[str, Any]:
    """A new cache under its name, and logits of the last position only where that can be asked."""
    known = inspect.signature(inner.forward).parameters
    name = next((name for name in _CACHES if name in known), _CACHES[1])
    options: dict[str, Any] = {name: DynamicCache(config=inner.config), "use_cache": True}
    if "logits_to_keep" in known:
        options["logits_to_keep"] = 1
    return options
