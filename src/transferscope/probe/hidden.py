"""Hidden-state shift: one forward pass per batch for all layers, then PCA shift, CKA, relative L2.

Source: arXiv 2507.00432 (PCA shift), docs/science.md section 4. The released script runs one pass
per layer, averages over padding and loads all texts as one batch. Pooling ``authors`` reproduces
its numbers; ``mean`` (the default) leaves padding out.

Layer 0 is the embedding output and layer l the output of block l. transformers applies the final
norm to the last entry of ``hidden_states``, so layer L is the last block *after the final norm*,
which is the head's input. The released procedure uses the same states.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.hidden_shift import MIN_TEXTS, Features, HiddenShift, measure_parts
from ..core.labels import Labels
from ..core.records import Tick, no_tick
from ..core.shard import WHOLE, Shard
from ..models import ModelSource, carries_start, position_limit
from .layers import find_taps, pooled_layers
from .model_pairs import (
    Side,
    batches,
    open_tokenizer,
    pad_id,
    padded,
    refused_tokenizers,
    require_readable,
    require_same_tokenizer,
    sides,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from .model_pairs import Opened

Pooling = Literal["mean", "last", "authors"]
TAP_TOKENS = 8  # enough to tell the layers' states from each other
AUTHORS_TOKENS = 128  # where the released script truncates; it pads on the left to the longest text


def hidden_shift(
    base: str | ModelSource | Opened,
    tuned: str | ModelSource | Opened,
    texts: Sequence[str],
    *,
    labels: Labels | None = None,
    **options: Any,
) -> HiddenShift:
    """Measure how far tuning moved the hidden states of ``texts``, layer by layer.

    ``labels`` name the benchmark of every text; the shift is then also measured for each benchmark
    and group. ``options`` and errors are those of :func:`hidden_features`.
    """
    return measure_parts(hidden_features(base, tuned, texts, **options), labels or Labels())


def hidden_features(
    base: str | ModelSource | Opened,
    tuned: str | ModelSource | Opened,
    texts: Sequence[str],
    *,
    pooling: Pooling = "mean",
    batch_tokens: int = 2048,
    max_tokens: int | None = None,
    dtype: str = "float32",
    device_map: str | None = None,
    shard: Shard = WHOLE,
    tick: Tick = no_tick,
) -> Features:
    """Return pooled hidden states of ``texts``, or of a ``shard`` of them, under both models.

    A text's feature is the float32 mean over its tokens (``mean``), its last token's state
    (``last``) or, as in the released script, the mean over as many positions as the longest text
    has, at most 128, after left padding and truncation (``authors``). Texts are truncated to
    ``max_tokens``. A batch holds up to ``batch_tokens`` tokens with padding, and a shard has whole
    batches, so that all shards together give exactly the result of one run.
    Models given by name are loaded in ``dtype`` (over devices by ``device_map``) one after the
    other, so that memory holds one model. An adapter of the given base is loaded with it once and
    switched on and off.

    Raises :class:`InputError` for fewer than three texts, a text without tokens, different
    tokenizers or shapes, and states that are not finite.
    """
    if pooling not in get_args(Pooling):
        raise InputError(
            f"unknown pooling {pooling!r}", remedy=f"use one of {', '.join(get_args(Pooling))}"
        )
    if pooling == "authors":
        if max_tokens not in (None, AUTHORS_TOKENS):
            raise InputError(
                f"pooling 'authors' cuts at {AUTHORS_TOKENS} tokens, not at {max_tokens}",
                remedy="leave the limit out or use pooling 'mean'",
            )
        max_tokens = AUTHORS_TOKENS
    if max_tokens is not None and max_tokens < 1:
        raise InputError(f"a limit of {max_tokens} tokens leaves nothing", remedy="give 1 or more")
    if len(texts) < MIN_TEXTS:
        raise InputError(
            f"{len(texts)} texts are too few for two principal axes",
            remedy=f"give at least {MIN_TEXTS} texts, better a few hundred",
        )
    tokenizer, other = open_tokenizer(base), open_tokenizer(tuned)
    require_same_tokenizer(tokenizer, other)
    ids = _encode(tokenizer, texts, pooling)
    if ids != _encode(other, texts, pooling):
        raise refused_tokenizers("the same text gives different ids")
    ids = [sequence[:max_tokens] for sequence in ids]
    left_to = max(map(len, ids)) if pooling == "authors" else None  # of all texts, in every shard
    made = batches(_widths(ids, left_to), batch_tokens=batch_tokens)
    kept = sorted(index for batch in shard.of_units(made) for index in batch)
    if not kept:
        nothing = np.empty((0, 0, 0), dtype=np.float32)
        return Features(np.array(kept, dtype=np.int64), nothing, nothing)
    pooled: dict[str, Any] = {"pooling": pooling, "pad": pad_id(tokenizer), "left_to": left_to}
    pooled |= {"batch_tokens": batch_tokens, "numbers": [index + 1 for index in kept]}
    chosen = [ids[index] for index in kept]
    opens = sides(base, tuned, dtype=dtype, device_map=device_map)
    base_LND, tuned_LND = (
        _features_of(opened, chosen, side=side, tick=tick, **pooled)
        for opened, side in zip(opens, ("base", "tuned"), strict=True)
    )
    if base_LND.shape != tuned_LND.shape:
        raise InputError(
            f"base has {base_LND.shape[0] - 1} blocks of width {base_LND.shape[2]}, the tuned "
            f"model {tuned_LND.shape[0] - 1} of {tuned_LND.shape[2]}",
            remedy="compare a model with the base that it was tuned from",
        )
    return Features(np.array(kept), base_LND, tuned_LND)


def features(
    model: PreTrainedModel,
    ids: Sequence[Sequence[int]],
    *,
    pooling: Pooling = "mean",
    pad: int = 0,
    left_to: int | None = None,
    batch_tokens: int = 2048,
    side: str = "model",
    numbers: Sequence[int] | None = None,
    tick: Tick = no_tick,
) -> NDArray[np.float32]:
    """Return pooled hidden states (L+1, N, D) of N token sequences; one forward pass per batch.

    Two more passes over 8 tokens locate the layers. With ``authors`` the mean is over ``left_to``
    positions (default: those of the longest sequence), including left padding. Raises
    :class:`InputError` for a text that exceeds the context length or whose states are not finite,
    naming its number in ``numbers`` (by default from 1).
    """
    if not ids:
        raise InputError("no text to measure", remedy="give at least one")
    numbers = range(1, len(ids) + 1) if numbers is None else numbers
    if pooling == "authors":
        left_to = left_to or max(map(len, ids))
    limit = position_limit(model)
    if left_to is not None and limit is not None and limit < left_to:
        raise InputError(
            f"pooling 'authors' pads texts to {left_to} tokens, but the context length is {limit}",
            place=side,
            remedy="use pooling 'mean'",
        )
    remedy = "shorten the text, or truncate all texts with max_tokens (--max-tokens)"
    require_readable(model, ids, side=side, numbers=numbers, remedy=remedy)
    made = batches(_widths(ids, left_to), batch_tokens=batch_tokens)
    taps = find_taps(model, ids[made[0][0]][:TAP_TOKENS])
    pooled_LND: NDArray[np.float32] | None = None
    for done, rows in enumerate(made):
        tick(f"hidden states, {side}", done, len(made))
        batch = padded([ids[i] for i in rows], pad=pad, device=model.device, left_to=left_to)
        weight_BT = _weights(batch["attention_mask"], pooling)
        with torch.inference_mode():
            pooled_LBD = np.stack(
                pooled_layers(model, batch, taps, partial(_pool, weight_BT=weight_BT))
            )
        if pooled_LND is None:
            layers, _, width = pooled_LBD.shape
            pooled_LND = np.empty((layers, len(ids), width), dtype=np.float32)
        pooled_LND[:, rows] = pooled_LBD
    tick(f"hidden states, {side}", len(made), len(made))
    if pooled_LND is None:
        raise AssertionError("texts make batches")
    broken_N = ~np.isfinite(pooled_LND).all(axis=(0, 2))
    if broken_N.any():
        raise InputError(
            f"hidden states of text {numbers[int(broken_N.argmax())]} are not finite ({side})",
            remedy="load the model in float32 or check its weights",
        )
    return pooled_LND


def _features_of(
    opens: Callable[[], Side], ids: Sequence[Sequence[int]], **options: Any
) -> NDArray[np.float32]:
    """Open a model, measure it and free its memory before returning."""
    side = opens()
    try:
        with side.using():
            return features(side.model, ids, **options)
    finally:
        del side
        gc.collect()


def _widths(ids: Sequence[Sequence[int]], left_to: int | None) -> list[int]:
    """Return the number of tokens that each text takes in a batch."""
    return [left_to or len(sequence) for sequence in ids]


def _weights(mask_BT: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """Return each position's weight in its text's feature; rows sum to 1."""
    if pooling == "authors":
        return torch.full_like(mask_BT, 1 / mask_BT.shape[1], dtype=torch.float32)
    if pooling == "last":
        last_B1 = mask_BT.sum(1, keepdim=True) - 1
        return torch.zeros_like(mask_BT, dtype=torch.float32).scatter_(1, last_B1, 1.0)
    return mask_BT.float() / mask_BT.sum(1, keepdim=True)


def _pool(state_BTD: torch.Tensor, weight_BT: torch.Tensor) -> NDArray[np.float32]:
    """Weighted sum over positions in float32 (B, D)."""
    weight_B1T = weight_BT.to(state_BTD.device)[:, None]
    pooled_BD: NDArray[np.float32] = (weight_B1T @ state_BTD.float())[:, 0].cpu().numpy()
    return pooled_BD


def _encode(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], pooling: Pooling
) -> list[list[int]]:
    """Return token ids with the tokenizer's special tokens; refuse texts without other tokens.

    A rendered prompt's start token isn't doubled, except with ``authors``, as in the released
    script.
    """
    carried_N = [pooling != "authors" and carries_start(tokenizer, text) for text in texts]
    ids: list[list[int]] = [[] for _ in texts]
    for carried in set(carried_N):
        rows = [row for row, value in enumerate(carried_N) if value == carried]
        encoded = tokenizer(
            [texts[row] for row in rows],
            add_special_tokens=not carried,
            return_special_tokens_mask=True,
            return_attention_mask=False,
        )
        found = zip(rows, encoded["input_ids"], encoded["special_tokens_mask"], strict=True)
        for row, sequence, special in found:
            ids[row] = [] if all(special) else sequence
    if [] in ids:
        raise InputError(f"text {ids.index([]) + 1} has no tokens", remedy="remove empty texts")
    return ids
