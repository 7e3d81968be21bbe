"""What both probes share: opening models, refusing different tokenizers, batches of equal length.

Wherever a model is asked for, a name, a :class:`ModelSource` or an already loaded pair
(model, tokenizer) will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from ..core.errors import InputError
from ..models import ModelSource, load_model, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Opened = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def open_tokenizer(model: str | ModelSource | Opened) -> PreTrainedTokenizerBase:
    """The model's tokenizer, without loading weights."""
    return model[1] if isinstance(model, tuple) else load_tokenizer(model)


def open_model(model: str | ModelSource | Opened, *, dtype: str) -> PreTrainedModel:
    """The model in evaluation mode; a loaded one is used as it is, in its own dtype."""
    return model[0].eval() if isinstance(model, tuple) else load_model(model, dtype=dtype)


def require_same_tokenizer(base: PreTrainedTokenizerBase, tuned: PreTrainedTokenizerBase) -> None:
    """Raise :class:`InputError` with the reason unless both map every token to the same id."""
    base_ids, tuned_ids = base.get_vocab(), tuned.get_vocab()
    if base_ids == tuned_ids:
        return
    if set(base_ids) != set(tuned_ids):
        reason = (
            f"{len(set(base_ids) - set(tuned_ids))} tokens only in the base's, "
            f"{len(set(tuned_ids) - set(base_ids))} only in the tuned model's"
        )
    else:
        moved = [token for token in base_ids if base_ids[token] != tuned_ids[token]]
        token = min(moved, key=lambda token: base_ids[token])
        reason = f"token {token!r} is {base_ids[token]} in one and {tuned_ids[token]} in the other"
    raise refused_tokenizers(reason)


def refused_tokenizers(reason: str) -> InputError:
    """The error that says why two tokenizers can't be compared."""
    return InputError(
        f"base and tuned model have different tokenizers ({reason})",
        remedy="compare models that were tuned from one base with its tokenizer",
    )


def batches(lengths: Sequence[int], *, batch_tokens: int) -> list[list[int]]:
    """Indices in batches, longest first, each at most ``batch_tokens`` tokens with its padding.

    A sequence longer than the budget is a batch of its own. Longest first shows at once whether
    the memory suffices.
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
    """``input_ids`` and ``attention_mask`` (B, T), padded on the right.

    ``left_to`` pads on the left to that width instead. On the right a causal model's states of
    real tokens, and their positions, don't depend on the padding.
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
    """The padding token, else the end token, else 0."""
    for token_id in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if token_id is not None:
            return int(token_id)
    return 0
