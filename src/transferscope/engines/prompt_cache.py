"""Prompts read into a KV cache: a shared beginning and equal prompts are read only once.

Decoding and scoring continue from this cache. transformers' ``generate`` reads every prompt in
full, once per answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

ROOM = 128
"""Number of columns by which a cache grows."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values with room for further columns.

    For every token, the library's own layer copies all it holds into a larger tensor. For long
    answers that takes most of a step's time and fragments the heap (13 GB where 1.3 GB are held).
    """

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self._rooms: list[torch.Tensor | None] = [None, None]

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *args: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append columns and return all keys and values."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys = self._append(0, self.keys, key_states)
        self.values = self._append(1, self.values, value_states)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows."""
        super().batch_select_indices(indices)
        self._rooms = [None, None]

    def _append(self, which: int, held: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        before = held.shape[-2] if held.numel() else 0
        after = before + new.shape[-2]
        room = self._rooms[which]
        if room is None or room.shape[-2] < after:
            room = new.new_empty((*new.shape[:-2], after + ROOM, new.shape[-1]))
            if before:
                room[..., :before, :] = held
            self._rooms[which] = room
        room[..., before:after, :] = new
        return room[..., :after, :]


@dataclass
class Reading:
    """Prompts that have been read: next-token logits and the state to continue from.

    ``logits_BV`` are the logits after the last token. ``mask_BT`` is 1 for cache columns that
    aren't padding. ``options`` are passed to every call. ``stateful`` means that the cache is a
    recurrent state, whose rows can't be selected.
    """

    model: Any
    logits_BV: torch.Tensor
    mask_BT: torch.Tensor
    cache: DynamicCache
    options: dict[str, Any]
    stateful: bool

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may occur more than once."""
        at_B = torch.tensor(rows, device=self.mask_BT.device)
        self.cache.batch_select_indices(at_B)
        self.logits_BV, self.mask_BT = self.logits_BV[at_B], self.mask_BT[at_B]

    def step(self, token_B: torch.Tensor) -> None:
        """Read one more token for every row."""
        ones_B1 = torch.ones_like(self.mask_BT[:, :1])
        self.logits_BV = self._forward(token_B[:, None], ones_B1, self.options)[:, -1]

    def extend(self, rows: Sequence[Sequence[int]], pad: int) -> torch.Tensor:
        """Read ``rows``, one after each prompt; return logits (B, W, vocabulary) for every token.

        Logits beyond the end of a row are meaningless.
        """
        device, width = self.mask_BT.device, max(map(len, rows))
        ids_BW = [list(row) + [pad] * (width - len(row)) for row in rows]
        seen_BW = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
        options = self.options | ({"logits_to_keep": 0} if "logits_to_keep" in self.options else {})
        return self._forward(
            torch.tensor(ids_BW, device=device), torch.tensor(seen_BW, device=device), options
        )

    def _forward(
        self, ids_BW: torch.Tensor, seen_BW: torch.Tensor, options: dict[str, Any]
    ) -> torch.Tensor:
        before_B1 = self.mask_BT.sum(dim=1, keepdim=True)
        self.mask_BT = torch.cat([self.mask_BT, seen_BW], dim=1)
        logits: torch.Tensor = self.model(
            input_ids=ids_BW,
            attention_mask=None if self.stateful else self.mask_BT,
            position_ids=before_B1 + (seen_BW.cumsum(dim=1) - 1).clamp(min=0),
            **options,
        ).logits
        return logits


def together(model: Any, prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Group the rows of ``prompts`` that can be read at once: all of them, or those of one length.

    A recurrent state would absorb padding, so such a model reads one length at a time.
    """
    every = range(len(prompts))
    if not inner_model(model)._is_stateful:
        return [list(every)]
    lengths = sorted({len(prompt) for prompt in prompts})
    return [[at for at in every if len(prompts[at]) == length] for length in lengths]


def read(model: Any, prompts: Sequence[Sequence[int]], pad: int) -> Reading:
    """Read non-empty prompts with a causal model of transformers; see :func:`together`."""
    inner = inner_model(model)
    device, stateful = model.device, bool(inner._is_stateful)
    options, cache = _options(inner)
    unique = list(dict.fromkeys(map(tuple, prompts)))
    if stateful:
        unique = [tuple(prompt) for prompt in prompts]
    # A sliding window counts columns, and padding after the shared part would shift them.
    plain = all(type(layer) is RoomyLayer for layer in cache.layers)
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
        attention_mask=None if stateful else mask_BT,
        position_ids=(mask_BT.cumsum(dim=1) - 1).clamp(min=0)[:, shared:],
        **options,
    ).logits[:, -1]
    reading = Reading(model, logits_BV, mask_BT, cache, options, stateful)
    if len(unique) < len(prompts):
        place = {prompt: at for at, prompt in enumerate(unique)}
        reading.select([place[tuple(prompt)] for prompt in prompts])
    return reading


_CACHES = ("cache", "past_key_values")
"""The cache's argument name in transformers 5.24 and in earlier versions."""


def inner_model(model: Any) -> Any:
    """Return the causal model of transformers inside a PEFT wrapper, or the model itself."""
    return next(part for part in model.modules() if isinstance(part, PreTrainedModel))


def _options(inner: Any) -> tuple[dict[str, Any], DynamicCache]:
    """Return call options with a new cache, for last-position logits only where supported."""
    known = inspect.signature(inner.forward).parameters
    name = next((name for name in _CACHES if name in known), _CACHES[1])
    cache = DynamicCache(config=inner.config)
    cache.layers = [RoomyLayer() if type(at) is DynamicLayer else at for at in cache.layers]
    options: dict[str, Any] = {name: cache, "use_cache": True}
    if "logits_to_keep" in known:
        # An index, not a count: the slice that a count selects isn't contiguous, and torch would
        # multiply it by one copy of the head per row (11 GB for 200 rows and a small model).
        options["logits_to_keep"] = torch.tensor([-1])
    return options, cache


def _shared_length(prompts: Sequence[Sequence[int]]) -> int:
    """Return the length of the common prefix; every prompt keeps at least one token of its own."""
    first, last = min(map(tuple, prompts)), max(map(tuple, prompts))
    most = min(map(len, prompts)) - 1
    pairs = zip(first[:most], last[:most], strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), most)
