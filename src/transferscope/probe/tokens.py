"""Token-distribution shift: given responses, teacher-forced once through both models.

At every response position, over the whole vocabulary, in nats: KL both ways, Jensen-Shannon, both
entropies, the emitted token's log-ratio and ranks. Source: arXiv 2507.00432 (token shift),
docs/science.md section 5. The released "KL" is the absolute mean of the log-ratio; here a KL is a
KL, and the log-ratio keeps its sign.

The body runs on a batch; the head then on 128 positions at a time, so that logits take 128 x V
numbers per model however long the texts are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch

from ..core.errors import InputError
from ..core.records import Message, Tick, no_tick
from ..core.shift import PositionShifts, TokenShift, measure_tokens
from ..models import ModelSource
from .forced import Forced, teacher_forced
from .heads import Head, drop_body, final_states, find_head
from .opened import batches, open_model, open_tokenizer, pad_id, padded
from .spilled import spilled
from .words import token_kind

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from .opened import Opened

    Model = str | ModelSource | Opened
    Rows = Sequence[Sequence[Forced]]

Prefix = Literal["tuned", "base", "shared"]
POSITIONS = 128  # the head's chunk: smaller ones leave the matrix product waiting for memory
CACHE_NUMBERS = 1 << 17  # on a CPU, as many float32 as stay in a core's cache between operations


@dataclass(frozen=True, slots=True)
class Divergences:
    """Of N pairs of distributions, float32 (ranks int64); the names say what."""

    kl_tuned_base_N: torch.Tensor
    kl_base_tuned_N: torch.Tensor
    js_N: torch.Tensor
    entropy_base_N: torch.Tensor
    entropy_tuned_N: torch.Tensor
    log_ratio_N: torch.Tensor
    rank_base_N: torch.Tensor
    rank_tuned_N: torch.Tensor


def token_shift(
    base: str | ModelSource | Opened,
    tuned: str | ModelSource | Opened,
    responses: Sequence[tuple[str | Sequence[Message], str]],
    *,
    prefix: Prefix = "shared",
    batch_tokens: int = 2048,
    dtype: str = "float32",
    sequential: bool = False,
    tick: Tick = no_tick,
) -> TokenShift:
    """How far tuning moved the next-token distributions along ``responses``.

    Rows are (prompt, response). A string prompt is taken verbatim (plus the begin token where the
    tokenizer adds one and the text doesn't start with it); messages go through the chat template,
    the base's for prefix ``base``, else the tuned model's, and the other's where that has none.
    Prompt and response are tokenised apart and joined, so that the boundary is exact; nothing is
    added to the response, not even an end token. ``prefix`` says whose responses these are.
    Responses without tokens are skipped and counted. Models given by name are loaded in ``dtype``.
    ``sequential``: the base is gone before the tuned model is loaded; its final hidden states wait
    on the disk, N x d_model numbers of its dtype, and its head in memory. A vocabulary that is
    padded further on one side is compared on the common part; ``lost_mass`` says what that leaves
    out.

    Raises :class:`InputError` for different tokenizers, a prompt without tokens,
    no response with tokens, a head that can't be reproduced, logits that are not finite.
    """
    if prefix not in get_args(Prefix):
        raise InputError(
            f"unknown prefix {prefix!r}", remedy=f"use one of {', '.join(get_args(Prefix))}"
        )
    tokenizer, other = open_tokenizer(base), open_tokenizer(tuned)
    forced = teacher_forced(tokenizer, other, responses, own_template=prefix == "base")
    made = batches([len(row.ids) for row in forced], batch_tokens=batch_tokens)
    rows = [[forced[i] for i in members] for members in made]
    pad = pad_id(tokenizer)
    if sequential:
        sides = _one_after_the_other(base, tuned, rows, pad=pad, dtype=dtype, tick=tick)
    else:
        sides = _side_by_side(base, tuned, rows, pad=pad, dtype=dtype)
    with sides as (first, second):
        parts = list(_measured(first, second, rows, tick=tick))
    positions = PositionShifts(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(PositionShifts)
        }
    )
    return measure_tokens(
        positions,
        prefix=prefix,
        decode=lambda token: _shown(tokenizer, token),
        kind=token_kind,
        n_skipped=len(responses) - len(forced),
    )


def divergences(
    base_NV: torch.Tensor, tuned_NV: torch.Tensor, token_N: torch.Tensor
) -> Divergences:
    """Compare next-token distributions given as logits; ``token_N`` are the emitted ids.

    Normalisers first, then sums over the vocabulary in float32. With d = log p_t - log p_b every
    divergence is summed in a form whose first-order terms cancel per token, not between sums: a
    shift of 1e-6 nats is not lost in rounding, and equal logits give exactly 0. KL(t||b) =
    sum p_t d - (p_t - p_b), and JS = 1/2 sum [(p_t + p_b) u - min(p_t, p_b) |d|] with
    u = log(1 + tanh(|d| / 2)) = log(2 / (1 + exp(-|d|))). A negative rounding rest is set to 0.
    Rank: 1 + number of strictly larger logits. Logits that are not finite give
    values that are not finite.
    """
    dot = torch.linalg.vecdot
    base_NV, tuned_NV, token_N1 = base_NV.float(), tuned_NV.float(), token_N[:, None]
    rank_base_N, rank_tuned_N = _ranks(base_NV, token_N1), _ranks(tuned_NV, token_N1)
    logp_base_NV, logp_tuned_NV = base_NV.log_softmax(1), tuned_NV.log_softmax(1)
    p_base_NV, p_tuned_NV = logp_base_NV.exp(), logp_tuned_NV.exp()
    entropy_base_N = -dot(p_base_NV, logp_base_NV)
    entropy_tuned_N = -dot(p_tuned_NV, logp_tuned_NV)
    d_NV = logp_tuned_NV - logp_base_NV
    log_ratio_N = d_NV.gather(1, token_N1)[:, 0]
    # The masses are both 1 up to rounding of the normalisers; d carries the same error.
    mass_N = (p_tuned_NV - p_base_NV).sum(1)
    kl_tuned_base_N = dot(p_tuned_NV, d_NV) - mass_N
    kl_base_tuned_N = mass_N - dot(p_base_NV, d_NV)
    apart_NV = d_NV.abs_()
    js_N = -0.5 * dot(torch.minimum(p_base_NV, p_tuned_NV), apart_NV)
    u_NV = apart_NV.mul_(0.5).tanh_().log1p_()
    js_N += 0.5 * dot(p_base_NV.add_(p_tuned_NV), u_NV)
    return Divergences(
        kl_tuned_base_N.clamp_min_(0),
        kl_base_tuned_N.clamp_min_(0),
        js_N.clamp_min_(0),
        entropy_base_N,
        entropy_tuned_N,
        log_ratio_N,
        rank_base_N,
        rank_tuned_N,
    )


def _ranks(logits_NV: torch.Tensor, token_N1: torch.Tensor) -> torch.Tensor:
    # Ones are written and added as float32 (exact below 2**24), four times as fast as booleans.
    larger_NV = torch.empty_like(logits_NV)
    torch.gt(logits_NV, logits_NV.gather(1, token_N1), out=larger_NV)
    return 1 + larger_NV.sum(1).long()


@dataclass(frozen=True, slots=True)
class _Side:
    """One model: its head, and the states that its head sees, a tensor (N, D) per batch."""

    head: Head
    states: Iterator[torch.Tensor]


@contextmanager
def _side_by_side(
    base: Model, tuned: Model, rows: Rows, *, pad: int, dtype: str
) -> Iterator[tuple[_Side, _Side]]:
    first, second = open_model(base, dtype=dtype), open_model(tuned, dtype=dtype)
    yield (
        _Side(find_head(first, rows[0][0].ids, side="base"), _states(first, rows, pad)),
        _Side(find_head(second, rows[0][0].ids, side="tuned"), _states(second, rows, pad)),
    )


@contextmanager
def _one_after_the_other(
    base: Model, tuned: Model, rows: Rows, *, pad: int, dtype: str, tick: Tick
) -> Iterator[tuple[_Side, _Side]]:
    if isinstance(base, tuple):
        remedy = "give the base by name, or leave out sequential"
        raise InputError("a loaded base can't be unloaded", remedy=remedy)
    first = open_model(base, dtype=dtype)
    head = find_head(first, rows[0][0].ids, side="base")
    with spilled(_ticked(_states(first, rows, pad), len(rows), tick), first.device) as states:
        drop_body(first)
        second = open_model(tuned, dtype=dtype)
        other = find_head(second, rows[0][0].ids, side="tuned")
        yield _Side(head, states), _Side(other, _states(second, rows, pad))


def _ticked(states: Iterator[torch.Tensor], of: int, tick: Tick) -> Iterator[torch.Tensor]:
    for done, state in enumerate(states):
        tick("base model's states", done, of)
        yield state
    tick("base model's states", of, of)


def _measured(base: _Side, tuned: _Side, rows: Rows, *, tick: Tick) -> Iterator[PositionShifts]:
    """Both heads, chunk by chunk of positions; one part per chunk."""
    for done, (batch, base_ND, tuned_ND) in enumerate(
        zip(rows, base.states, tuned.states, strict=True)
    ):
        tick("token distributions", done, len(rows))
        text_N = np.repeat([row.text for row in batch], [row.n_response for row in batch])
        token_N = torch.tensor([token for row in batch for token in row.ids[-row.n_response :]])
        for start in range(0, len(token_N), POSITIONS):
            chunk = slice(start, start + POSITIONS)
            with torch.inference_mode():
                logits = base.head(base_ND[chunk]), tuned.head(tuned_ND[chunk])
                found = _compared(*logits, token_N[chunk])
            part = {name: values.cpu().numpy() for name, values in found.items()}
            _require_finite(part, text_N[chunk])
            yield PositionShifts(text_N=text_N[chunk], token_N=token_N[chunk].numpy(), **part)
    tick("token distributions", len(rows), len(rows))


def _states(model: PreTrainedModel, rows: Rows, pad: int) -> Iterator[torch.Tensor]:
    for batch in rows:
        with torch.inference_mode():
            states_ND = _response_states(model, batch, pad)
        yield states_ND


def _response_states(model: PreTrainedModel, rows: Sequence[Forced], pad: int) -> torch.Tensor:
    """Final hidden states (N, D) of the positions that predict the rows' response tokens."""
    batch = padded([row.ids for row in rows], pad=pad, device=model.device)
    hidden_BTD = final_states(model, batch)
    return torch.cat(
        [
            hidden_TD[len(row.ids) - row.n_response - 1 : len(row.ids) - 1]
            for row, hidden_TD in zip(rows, hidden_BTD, strict=True)
        ]
    )


def _compared(
    base_NV: torch.Tensor, tuned_NV: torch.Tensor, token_N: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Divergences of one chunk of positions and the mass they leave out, as a mapping by name."""
    tuned_NV = tuned_NV.to(base_NV.device)
    common = min(base_NV.shape[1], tuned_NV.shape[1])
    lost_N = torch.maximum(mass_beyond(base_NV, common), mass_beyond(tuned_NV, common))
    base_NV, tuned_NV = base_NV[:, :common], tuned_NV[:, :common]
    token_N = token_N.to(base_NV.device)
    rows = len(base_NV)
    if base_NV.device.type == "cpu":
        rows = max(1, CACHE_NUMBERS // base_NV.shape[1])
    parts = [
        divergences(*block)
        for block in zip(
            base_NV.split(rows), tuned_NV.split(rows), token_N.split(rows), strict=True
        )
    ]
    found = {
        field.name: torch.cat([getattr(part, field.name) for part in parts])
        for field in fields(Divergences)
    }
    return found | {"lost_mass_N": lost_N}


def mass_beyond(logits_NV: torch.Tensor, common: int) -> torch.Tensor:
    """Probability (N,) of the tokens from ``common`` on; 0 where there are none."""
    if logits_NV.shape[1] == common:
        return torch.zeros(len(logits_NV), device=logits_NV.device)
    return logits_NV.float().softmax(1)[:, common:].sum(1)


def _require_finite(part: dict[str, np.ndarray], text_N: np.ndarray) -> None:
    finite_N = np.all([np.isfinite(values_N) for values_N in part.values()], axis=0)
    if not finite_N.all():
        raise InputError(
            f"logits of response {text_N[finite_N.argmin()] + 1} are not finite",
            remedy="load the models in float32 or check their weights",
        )


def _shown(tokenizer: PreTrainedTokenizerBase, token: int) -> str:
    """A token's text; its raw piece where it is only part of a character."""
    text: str = tokenizer.decode([token])
    return tokenizer.convert_ids_to_tokens(token) if "\ufffd" in text else text
