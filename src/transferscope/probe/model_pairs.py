"""Helpers of the hidden and token probes: opening model pairs, comparing tokenizers, batching.

A model may be given as a name, a :class:`ModelSource` or a loaded (model, tokenizer) pair.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..core.errors import InputError
from ..models import (
    ModelSource,
    brings_weights,
    find_model,
    load_adapted,
    load_model,
    load_tokenizer,
    position_limit,
    require_ids,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Opened = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def open_tokenizer(model: str | ModelSource | Opened) -> PreTrainedTokenizerBase:
    """Return the model's tokenizer without loading weights."""
    return model[1] if isinstance(model, tuple) else load_tokenizer(model)


def open_model(
    model: str | ModelSource | Opened, *, dtype: str, device_map: str | None = None
) -> PreTrainedModel:
    """Return the model in evaluation mode, placed as by :func:`~transferscope.models.load_model`.

    A loaded model keeps its device and dtype. For a loaded PEFT model, this is the inner model with
    the adapter in its layers.
    """
    if isinstance(model, tuple):
        return _inner(model[0].eval())
    return load_model(model, dtype=dtype, device_map=device_map)


@dataclass(frozen=True, slots=True)
class Side:
    """A loaded model, to be called inside ``using()`` only."""

    model: PreTrainedModel
    using: Callable[[], AbstractContextManager[Any]] = nullcontext


def sides(
    base: str | ModelSource | Opened,
    tuned: str | ModelSource | Opened,
    *,
    dtype: str,
    device_map: str | None = None,
) -> tuple[Callable[[], Side], Callable[[], Side]]:
    """Return functions that open base and tuned model.

    An adapter and its own base are ONE loaded model, unless the adapter replaces weights of the
    base, which disabling it would not restore.

    If base and tuned are the same loaded PEFT model, or the base is its inner model, the base is
    that model with the adapter switched off.
    """
    if isinstance(tuned, tuple) and isinstance(base, tuple):
        model: Any = tuned[0].eval()
        inner = _inner(model)
        if inner is not model and (base[0] is model or base[0] is inner):
            return (lambda: Side(inner, model.disable_adapter)), (lambda: Side(inner))
    if (adapter := adapter_on(base, tuned)) is not None:
        adapted = cache(lambda: load_adapted(adapter, dtype=dtype, device_map=device_map))
        return (
            lambda: Side(_inner(adapted()), adapted().disable_adapter),
            lambda: Side(_inner(adapted())),
        )
    options: dict[str, Any] = {"dtype": dtype, "device_map": device_map}
    return (
        lambda: Side(open_model(base, **options)),
        lambda: Side(open_model(tuned, **options)),
    )


def _inner(model: Any) -> PreTrainedModel:
    """Return the inner model of a PEFT model, and any other model unchanged."""
    peft = sys.modules.get("peft")  # slow to import, and who has a PEFT model has imported it
    if peft is None or not isinstance(model, peft.PeftModel):
        return model
    if model.active_peft_config.is_prompt_learning:
        raise InputError(
            "a prompt-learning adapter has no weights in the layers",
            remedy="use a LoRA adapter or a merged model",
        )
    return model.get_base_model()


def adapter_on(
    base: str | ModelSource | Opened, tuned: str | ModelSource | Opened
) -> ModelSource | None:
    """Return the tuned model's source if it is an adapter that switches off to exactly the base.

    Otherwise return ``None``. Raises :class:`InputError` for a broken adapter file.
    """
    if isinstance(base, tuple) or isinstance(tuned, tuple):
        return None
    first, second = (find_model(m) if isinstance(m, str) else m for m in (base, tuned))
    if second.adapter is None or first.adapter is not None or _place(first) != _place(second):
        return None
    return None if brings_weights(second.adapter) else second


def _place(source: ModelSource) -> str:
    """Return where the weights are, independent of the folder's spelling; a hub id unchanged."""
    path = Path(source.weights)
    return str(path.resolve()) if path.is_dir() else source.weights


def require_same_tokenizer(base: PreTrainedTokenizerBase, tuned: PreTrainedTokenizerBase) -> None:
    """Raise :class:`InputError` with the reason unless every token of the base keeps its id.

    Tuning may have added tokens; the caller must check that they don't change a text's ids.
    """
    base_ids, tuned_ids = base.get_vocab(), tuned.get_vocab()
    if missing := len(set(base_ids) - set(tuned_ids)):
        added = len(set(tuned_ids) - set(base_ids))
        raise refused_tokenizers(
            f"{missing} tokens occur only in the base's, {added} only in the tuned model's"
        )
    moved = [token for token in base_ids if base_ids[token] != tuned_ids[token]]
    if moved:
        token = min(moved, key=lambda token: base_ids[token])
        raise refused_tokenizers(
            f"token {token!r} is {base_ids[token]} in the base's, {tuned_ids[token]} in the other"
        )


def refused_tokenizers(reason: str) -> InputError:
    """Return the error that says why two tokenizers can't be compared."""
    return InputError(
        f"base and tuned model have different tokenizers ({reason})",
        remedy="compare a model with the base that it was tuned from",
    )


def require_readable(
    model: PreTrainedModel,
    ids: Sequence[Sequence[int]],
    *,
    side: str,
    numbers: Sequence[int],
    remedy: str,
) -> None:
    """Refuse unknown token ids and texts that exceed the context length.

    ``numbers`` are the numbers of the texts in error messages.
    """
    require_ids(model, ids, name=side)
    limit = position_limit(model)
    for number, sequence in zip(numbers, ids, strict=True):
        if limit is not None and len(sequence) > limit:
            raise InputError(
                f"text {number} has {len(sequence)} tokens; the model's context length is {limit}",
                place=side,
                remedy=remedy,
            )


def batches(lengths: Sequence[int], *, batch_tokens: int) -> list[list[int]]:
    """Group indices into batches of at most ``batch_tokens`` tokens with padding, longest first.

    A sequence longer than the budget is its own batch. With the longest first, a lack of memory
    shows at once.
    """
    made: list[list[int]] = []
    widest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not made or (len(made[-1]) + 1) * widest > batch_tokens:
            made.append([])
            widest = lengths[index]
        made[-1].append(index)
    return made


def padded(
    ids: Sequence[Sequence[int]], *, pad: int, device: Any, left_to: int | None = None
) -> dict[str, torch.Tensor]:
    """Return ``input_ids`` and ``attention_mask`` (B, T), padded on the right.

    ``left_to`` pads on the left to that width instead. With right padding, a causal model's states
    and positions of real tokens don't depend on the padding.
    """
    width = left_to or max(map(len, ids))
    ids_BT = torch.full((len(ids), width), pad, dtype=torch.long)
    mask_BT = torch.zeros_like(ids_BT)
    for row, sequence in enumerate(ids):
        real = slice(width - len(sequence), width) if left_to else slice(0, len(sequence))
        ids_BT[row, real] = torch.tensor(sequence)
        mask_BT[row, real] = 1
    return {"input_ids": ids_BT.to(device), "attention_mask": mask_BT.to(device)}


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the id of the padding token, else of the end token, else 0."""
    for token_id in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if token_id is not None:
            return int(token_id)
    return 0
