"""Prompts read into a KV cache: a shared beginning and equal prompts are read only once.

Decoding and scoring continue from this cache. transformers' ``generate`` reads every prompt in
full, once per answer, padded to the longest prompt of the batch.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from .length_groups import length_groups
from .roomy_layer import RoomyLayer


@dataclass
class Reading:
    """Prompts that have been read: next-token logits and the state to continue from.

    ``logits_BV`` are the logits after the last token. ``mask_BT`` is 1 for cache columns that
    aren't padding. ``options`` are passed to every call, beside the cache as ``cache_name``.
    ``stateful`` means that the cache is a recurrent state, whose rows can't be selected.
    """

    model: Any
    logits_BV: torch.Tensor
    mask_BT: torch.Tensor
    cache: DynamicCache
    cache_name: str
    options: dict[str, Any]
    stateful: bool

    @property
    def plain(self) -> bool:
        """Whether all layers keep every column (a sliding window doesn't)."""
        return all(type(layer) is RoomyLayer for layer in self.cache.layers)

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may occur more than once."""
        at_B = torch.tensor(rows, device=self.mask_BT.device)
        self.cache.batch_select_indices(at_B)
        self.logits_BV, self.mask_BT = self.logits_BV[at_B], self.mask_BT[at_B]

    def taken(self, rows: Sequence[int]) -> Reading:
        """Return a copy of these rows, to be continued on its own."""
        cache = copy.copy(self.cache)
        cache.layers = [copy.copy(layer) for layer in self.cache.layers]
        other = replace(self, cache=cache)
        other.select(rows)
        return other

    def step(self, token_B: torch.Tensor) -> None:
        """Read one more token for every row."""
        ones_B1 = torch.ones_like(self.mask_BT[:, :1])
        self.logits_BV = self._forward(token_B[:, None], ones_B1, self.options)[:, -1]

    def extend(self, rows: Sequence[Sequence[int]], pad: int) -> torch.Tensor:
        """Read ``rows``, one after each prompt; return logits (tokens, vocabulary).

        They are those after every token of the first row, then of the second, and so on.
        """
        device, width = self.mask_BT.device, max(map(len, rows))
        ids_BW = [list(row) + [pad] * (width - len(row)) for row in rows]
        seen_BW = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
        mask_BW = torch.tensor(seen_BW, device=device)
        options = self.options | ({"logits_to_keep": 0} if "logits_to_keep" in self.options else {})
        with _head_at(self.model, mask_BW.bool()):
            logits = self._forward(torch.tensor(ids_BW, device=device), mask_BW, options)
        return logits if logits.dim() == 2 else logits[mask_BW.bool()]

    def read_on(self, rows: Sequence[Sequence[int]], pad: int) -> None:
        """Read the rest of every prompt, padded at the left."""
        width, device = max(map(len, rows)), self.model.device
        ids_BW = [[pad] * (width - len(row)) + list(row) for row in rows]
        seen_BW = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        self.logits_BV = self._forward(
            torch.tensor(ids_BW, device=device), torch.tensor(seen_BW, device=device), self.options
        )[:, -1]

    def put(self, rows: Sequence[int], part: Reading, source: Sequence[int]) -> None:
        """Take over the rows ``source`` of ``part`` as ``rows``, padded at the left."""
        device = self.mask_BT.device
        to_B, from_B = torch.tensor(rows, device=device), torch.tensor(source, device=device)
        for layer, other in zip(self.cache.layers, part.cache.layers, strict=True):
            layer.put(to_B, other, from_B, self.mask_BT.shape)
        start = self.mask_BT.shape[1] - part.mask_BT.shape[1]
        self.mask_BT[to_B, start:] = part.mask_BT[from_B]
        if not len(self.logits_BV):
            vocabulary = part.logits_BV.shape[1]
            self.logits_BV = part.logits_BV.new_empty((len(self.mask_BT), vocabulary))
        self.logits_BV[to_B] = part.logits_BV[from_B]

    def _forward(
        self, ids_BW: torch.Tensor, seen_BW: torch.Tensor, options: dict[str, Any]
    ) -> torch.Tensor:
        before_B1 = self.mask_BT.sum(dim=1, keepdim=True)
        self.mask_BT = torch.cat([self.mask_BT, seen_BW], dim=1)
        logits: torch.Tensor = self.model(
            input_ids=ids_BW,
            attention_mask=None if self.stateful else self.mask_BT,
            position_ids=(before_B1 + seen_BW.cumsum(dim=1) - 1).clamp(min=0),
            **{self.cache_name: self.cache},
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
    """Read non-empty prompts with a causal model of transformers; see :func:`together`.

    What all of them share is read once; the rest is read in groups of similar length.
    """
    reading = _unread(model)
    unique = list(dict.fromkeys(map(tuple, prompts)))
    if reading.stateful:
        unique = [tuple(prompt) for prompt in prompts]
    groups, shared = [list(range(len(unique)))], 0
    # A sliding window counts columns, and padding after the shared part would shift them.
    if reading.plain and len(unique) > 1:
        shared = _shared_length(unique)
        groups = length_groups([len(prompt) - shared for prompt in unique], model.device)
    reading.mask_BT = reading.mask_BT.new_zeros((1 if shared else len(unique), 0))
    if shared:
        reading.read_on([unique[0][:shared]], pad)
    if len(groups) == 1:
        if shared:
            reading.select([0] * len(unique))
        reading.read_on([prompt[shared:] for prompt in unique], pad)
        if len(unique) < len(prompts):
            row_of = {prompt: row for row, prompt in enumerate(unique)}
            reading.select([row_of[tuple(prompt)] for prompt in prompts])
        return reading
    whole = _unread(model)
    whole.mask_BT = whole.mask_BT.new_zeros((len(prompts), max(map(len, prompts))))
    for group in groups:
        part = reading.taken([0] * len(group)) if shared else _unread(model, rows=len(group))
        part.read_on([unique[at][shared:] for at in group], pad)
        row_of = {unique[at]: row for row, at in enumerate(group)}
        rows = [row for row, prompt in enumerate(prompts) if tuple(prompt) in row_of]
        whole.put(rows, part, [row_of[tuple(prompts[row])] for row in rows])
    return whole


_CACHES = ("cache", "past_key_values")
"""The cache's argument name in transformers 5.24 and in earlier versions."""


def inner_model(model: Any) -> Any:
    """Return the causal model of transformers inside a PEFT wrapper, or the model itself."""
    return next(part for part in model.modules() if isinstance(part, PreTrainedModel))


def _unread(model: Any, rows: int = 0) -> Reading:
    """Return the state before any token, with last-position logits only where supported."""
    inner = inner_model(model)
    known = inspect.signature(inner.forward).parameters
    name = next((name for name in _CACHES if name in known), _CACHES[1])
    cache = DynamicCache(config=inner.config)
    cache.layers = [RoomyLayer() if type(at) is DynamicLayer else at for at in cache.layers]
    options: dict[str, Any] = {"use_cache": True}
    if "logits_to_keep" in known:
        # An index, not a count: the slice that a count selects isn't contiguous, and torch would
        # multiply it by one copy of the head per row (11 GB for 200 rows and a small model).
        options["logits_to_keep"] = torch.tensor([-1])
    nothing = torch.empty(0, device=model.device)
    mask_B0 = torch.zeros((rows, 0), dtype=torch.long, device=model.device)
    return Reading(model, nothing, mask_B0, cache, name, options, bool(inner._is_stateful))


def _shared_length(prompts: Sequence[Sequence[int]]) -> int:
    """Return the length of the common prefix; every prompt keeps at least one token of its own."""
    first, last = min(map(tuple, prompts)), max(map(tuple, prompts))
    most = min(map(len, prompts)) - 1
    pairs = zip(first[:most], last[:most], strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), most)


@contextlib.contextmanager
def _head_at(model: Any, kept_BW: torch.Tensor) -> Iterator[None]:
    """Give the output head only the states of the tokens in ``kept_BW``, as (tokens, width)."""
    head = inner_model(model).get_output_embeddings()

    def keep(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
        states = given[0]
        return (states[kept_BW], *given[1:]) if states.shape[:2] == kept_BW.shape else None

    hook = None if head is None else head.register_forward_pre_hook(keep)
    try:
        yield
    finally:
        if hook is not None:
            hook.remove()
