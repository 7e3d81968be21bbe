"""Packs a group's responses into one sequence after their prompt, which is then read only once.

    prompt[:-1] | prompt[-1] y1 ... | prompt[-1] y1 ... | ...

Every segment attends to the shared part and to itself, at the positions it would have alone. The
log-probability of each response token and its gradient are therefore those of unpacked rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

IGNORED = -100
"""The label of a token that is not scored."""
TRIED = 4
"""The number of rows on which packing is tested."""


@dataclass(frozen=True, slots=True)
class Packed:
    """G groups of width W.

    ``mask_G1WW`` is True if a position (row) attends to another (column). ``group_B`` and
    ``start_B`` locate the position that predicts row b's first response token. ``length_B`` is the
    length of row b's response, in tokens.
    """

    ids_GW: torch.Tensor
    mask_G1WW: torch.Tensor
    position_GW: torch.Tensor
    labels_GW: torch.Tensor
    group_B: torch.Tensor
    start_B: torch.Tensor
    length_B: torch.Tensor

    def unpack(self, values_GW: torch.Tensor, width: int) -> torch.Tensor:
        """Return the values of each position for its next token (G, W-1) by response (B, width).

        Values after the end of a response are 0.
        """
        at_W = torch.arange(width, device=values_GW.device)
        inside_BW = at_W[None] < self.length_B[:, None]
        column_BW = torch.where(inside_BW, self.start_B[:, None] + at_W, 0)
        return torch.where(inside_BW, values_GW[self.group_B[:, None], column_BW], 0.0)


def pack(ids_BT: torch.Tensor, mask_BT: torch.Tensor, keep: int) -> Packed:
    """Pack rows of a left-padded prompt and a right-padded response of at most ``keep`` tokens."""
    device = ids_BT.device
    groups: dict[tuple[int, ...], list[int]] = {}
    prompts, responses = [], []
    for row, seen in zip(ids_BT.tolist(), mask_BT.tolist(), strict=True):
        prompt = tuple(t for t, m in zip(row[:-keep], seen[:-keep], strict=True) if m)
        prompts.append(prompt)
        responses.append([t for t, m in zip(row[-keep:], seen[-keep:], strict=True) if m])
        groups.setdefault(prompt, []).append(len(prompts) - 1)
    width = max(
        len(prompt) - 1 + sum(1 + len(responses[b]) for b in members)
        for prompt, members in groups.items()
    )
    shape = (len(groups), width)
    ids, position = (torch.zeros(shape, dtype=torch.long) for _ in range(2))
    labels = torch.full(shape, IGNORED)
    segment = torch.full(shape, -1)
    group_B, start_B = (torch.zeros(len(prompts), dtype=torch.long) for _ in range(2))
    for g, (prompt, members) in enumerate(groups.items()):
        shared = len(prompt) - 1
        ids[g, :shared] = torch.tensor(prompt[:-1], dtype=torch.long)
        position[g, :shared] = torch.arange(shared)
        segment[g, :shared] = 0
        at = shared
        for number, b in enumerate(members, start=1):
            part = slice(at, at + 1 + len(responses[b]))
            ids[g, part] = torch.tensor([prompt[-1], *responses[b]])
            position[g, part] = torch.arange(shared, shared + part.stop - at)
            segment[g, part] = number
            labels[g, at + 1 : part.stop] = ids[g, at + 1 : part.stop]
            group_B[b], start_B[b] = g, at
            at = part.stop
    row, column = segment[:, :, None], segment[:, None, :]
    sees = ((column == 0) | (column == row)) & torch.ones(width, width, dtype=torch.bool).tril()
    lengths = torch.tensor([len(response) for response in responses])
    every = (ids, sees[:, None], position, labels, group_B, start_B, lengths)
    return Packed(*(tensor.to(device) for tensor in every))


def scored(model: Any, batch: Packed) -> Any:
    """Compute log-probabilities and entropies (G, W) of the labels with TRL's fused head."""
    return model(
        input_ids=batch.ids_GW,
        attention_mask=batch.mask_G1WW,
        position_ids=batch.position_GW,
        labels=batch.labels_GW,
        fused_lm_head=True,
    )


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-probability and entropy of every response token in B rows; 0 after the response's end."""

    log_probs_BK: torch.Tensor
    entropy_BK: torch.Tensor | None


def packed_scores(
    model: Any,
    ids_BT: torch.Tensor,
    mask_BT: torch.Tensor,
    keep: int,
    *,
    rows: int | None = None,
    window: int | None = None,
    entropy: bool = False,
) -> Scores | None:
    """Score the last ``keep`` tokens, with ``rows`` rows per forward pass.

    Returns ``None`` if packed rows would be longer than the model's attention ``window``. Our own
    mask does not model the window, and indices in a packed row do not match token positions.
    """
    size = rows or len(ids_BT)
    parts = [slice(start, start + size) for start in range(0, len(ids_BT), size)]
    batches = [pack(ids_BT[part], mask_BT[part], keep) for part in parts]
    if window is not None and max(batch.ids_GW.shape[1] for batch in batches) > window:
        return None
    found = [(batch, scored(model, batch)) for batch in batches]
    log_probs = [batch.unpack(values.log_probs, keep) for batch, values in found]
    entropies = [batch.unpack(values.entropy, keep) for batch, values in found if entropy]
    return Scores(torch.cat(log_probs), torch.cat(entropies) if entropy else None)


def window_of(config: Any) -> int | None:
    """Return a model's narrowest attention window, in tokens; ``None`` if it has no window.

    Models name it ``sliding_window`` (Mistral, Gemma, Qwen) or ``attention_chunk_size`` (Llama 4).
    """
    given = config.get_text_config().to_dict()
    widths = [given.get(key) for key in ("sliding_window", "attention_chunk_size")]
    return min((width for width in widths if isinstance(width, int)), default=None)


@torch.no_grad()  # type: ignore[untyped-decorator]
def packing_agrees(model: Any, ids_BT: torch.Tensor, mask_BT: torch.Tensor, keep: int) -> bool:
    """Return whether ``model`` gives packed and unpacked rows the same log-probabilities.

    The test runs on the first four rows in float32, where the two differ only by rounding. A model
    that accepts no custom mask (flash attention, recurrent layers) fails or gives other values, and
    its rows are not packed. Differences that only appear on long rows are not found here (see
    :func:`window_of`).
    """
    ids_BT, mask_BT = ids_BT[:TRIED], mask_BT[:TRIED]
    labels_BT = ids_BT.masked_fill(mask_BT == 0, IGNORED)
    labels_BT[:, :-keep] = IGNORED
    batch = pack(ids_BT, mask_BT, keep)
    with torch.autocast(ids_BT.device.type, enabled=False):
        try:
            packed_BK = batch.unpack(scored(model, batch).log_probs, keep)
        except (RuntimeError, ValueError, TypeError):
            return False
        apart = model(
            input_ids=ids_BT, attention_mask=mask_BT, labels=labels_BT, fused_lm_head=True
        ).log_probs[:, -keep:]
    seen_BK = mask_BT[:, -keep:].bool()
    return bool(torch.allclose(packed_BK[seen_BK], apart[seen_BK], rtol=1e-3, atol=1e-3))


def regrouped(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Redistribute the rows of a step so that the rows of one prompt are next to each other.

    Sums over the step do not depend on which part a row is in. Values that are not row tensors are
    left unchanged.
    """
    rows = {
        key: torch.cat([part[key] for part in parts])
        for key, value in parts[0].items()
        if getattr(value, "ndim", 0) > 0
    }
    prompts = [tuple(row) for row in rows["prompt_ids"].tolist()]
    first = {prompt: at for at, prompt in reversed(list(enumerate(prompts)))}
    order = torch.tensor(sorted(range(len(prompts)), key=lambda at: (first[prompts[at]], at)))
    size = len(prompts) // len(parts)
    return [
        part | {key: value[order[at * size : (at + 1) * size]] for key, value in rows.items()}
        for at, part in enumerate(parts)
    ]
