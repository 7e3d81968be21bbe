"""Batched decoding in which what prompts share is read once and finished rows leave the batch.

``generate`` of transformers reads every prompt whole, as often as it is asked, and carries finished
rows to the end of the longest. With answers of half the limit, 8 rollouts of a prompt, or the same
system message and examples before every question, that is most of the work. Evaluation and training
draw their answers here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel, TopPLogitsWarper
from transformers.cache_utils import DynamicLayer

COMPACT = 0.8
"""Rows leave once so small a share of the batch still runs: each time the cache is copied."""

Choose = Callable[[torch.Tensor], torch.Tensor]
"""From next-token logits (rows, vocabulary) to token ids (rows,)."""
Stopped = Callable[[Sequence[Sequence[int]]], Sequence[bool]]
"""Which of these answers (token ids) have just ended for another reason than an end token."""


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
    stopped: Stopped | None = None,
) -> list[list[int]]:
    """One answer per row of ``prompts``, its end token included; equal rows share a prompt.

    A row ends with a token of ``ends``, where ``stopped`` says so of its answer so far, or after
    ``max_tokens``. ``model`` is a causal model of transformers. A recurrent state would take in
    padding and can't lose rows: such a model reads prompts of one length at a time, to the end.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    every = range(len(prompts))
    if _inner(model)._is_stateful:
        lengths = sorted({len(prompt) for prompt in prompts})
        parts = [[at for at in every if len(prompts[at]) == length] for length in lengths]
    else:
        parts = [list(every)]
    for part in parts:
        asked = _read(model, [prompts[at] for at in part], pad)
        found = _answer(
            model, asked, max_tokens=max_tokens, choose=choose, ends=ends, stopped=stopped
        )
        for at, answer in zip(part, found, strict=True):
            answers[at] = answer
    return answers


@dataclass
class _Asked:
    """Prompts that have been read: what comes next, and what every further step needs.

    ``mask_BT`` marks the cache's columns that are no padding; ``options`` go into every call.
    """

    logits_BV: torch.Tensor
    mask_BT: torch.Tensor
    cache: DynamicCache
    options: dict[str, Any]
    stateful: bool

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may be named more than once."""
        at_B = torch.tensor(rows, device=self.mask_BT.device)
        self.cache.batch_select_indices(at_B)
        self.logits_BV, self.mask_BT = self.logits_BV[at_B], self.mask_BT[at_B]

    def step(self, model: Any, token_B: torch.Tensor) -> None:
        """Read one more token of every row."""
        position_B1 = self.mask_BT.sum(dim=1, keepdim=True)
        self.mask_BT = torch.cat([self.mask_BT, torch.ones_like(self.mask_BT[:, :1])], dim=1)
        self.logits_BV = model(
            input_ids=token_B[:, None],
            attention_mask=None if self.stateful else self.mask_BT,
            position_ids=position_B1,
            **self.options,
        ).logits[:, -1]


def _read(model: Any, prompts: Sequence[Sequence[int]], pad: int) -> _Asked:
    """Read the prompts: the beginning that all share once, and equal ones once."""
    device, inner = model.device, _inner(model)
    options, cache = _options(inner)
    unique = list(dict.fromkeys(map(tuple, prompts)))
    if inner._is_stateful:
        unique = [tuple(prompt) for prompt in prompts]
    # A window counts columns, which padding behind the shared part would shift.
    plain = all(type(layer) is DynamicLayer for layer in cache.layers)
    shared = _shared_length(unique) if plain and len(unique) > 1 else 0
    if shared:
        model(input_ids=torch.tensor([unique[0][:shared]], device=device), **options)
        cache.batch_select_indices(torch.zeros(len(unique), dtype=torch.long, device=device))
    width = max(map(len, unique))
    rows = [[pad] * (width - len(p)) + list(p[shared:]) for p in unique]
    seen = [[1] * shared + [0] * (width - len(p)) + [1] * (len(p) - shared) for p in unique]
    mask_BT = torch.tensor(seen, device=device)
    logits_BV = model(
        input_ids=torch.tensor(rows, device=device),
        attention_mask=None if inner._is_stateful else mask_BT,
        position_ids=(mask_BT.cumsum(1) - 1).clamp(min=0)[:, shared:],
        **options,
    ).logits[:, -1]
    asked = _Asked(logits_BV, mask_BT, cache, options, inner._is_stateful)
    if len(unique) < len(prompts):
        place = {prompt: at for at, prompt in enumerate(unique)}
        asked.select([place[tuple(prompt)] for prompt in prompts])
    return asked


def _answer(
    model: Any,
    asked: _Asked,
    *,
    max_tokens: int,
    choose: Choose,
    ends: Sequence[int],
    stopped: Stopped | None,
) -> list[list[int]]:
    """The answers to all rows, which leave the batch as they end."""
    batch, last = list(range(len(asked.logits_BV))), frozenset(ends)
    answers: list[list[int]] = [[] for _ in batch]
    running = set(batch)
    for step in range(max_tokens):
        token_B = choose(asked.logits_BV)
        for row, token in zip(batch, token_B.tolist(), strict=True):
            if row in running:
                answers[row].append(token)
                if token in last:
                    running.remove(row)
        if stopped is not None and running:
            still = sorted(running)
            over = stopped([answers[row] for row in still])
            running -= {row for row, ended in zip(still, over, strict=True) if ended}
        if not running or step == max_tokens - 1:
            break
        if len(running) <= COMPACT * len(batch) and not asked.stateful:
            left = [at for at, row in enumerate(batch) if row in running]
            batch, token_B = [batch[at] for at in left], token_B[left]
            asked.select(left)
        asked.step(model, token_B)
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
    first, last = min(map(tuple, prompts)), max(map(tuple, prompts))
    most = min(map(len, prompts)) - 1
    pairs = zip(first[:most], last[:most], strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), most)
