"""Token-distribution shift: responses teacher-forced once through both models.

At every response position, over the full vocabulary and in nats: KL in both directions,
Jensen-Shannon divergence, both entropies, and the emitted token's log-ratio and ranks. Source:
arXiv 2507.00432 (token shift), docs/science.md section 5. The released script's "KL" is the
absolute mean of the log-ratio; here KL is the divergence, and the log-ratio keeps its sign.

The body runs on a batch, the head on 512 positions at a time, so that logits take 512 x V numbers
per model however long the texts are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch

from ..core.errors import InputError
from ..core.labels import Labels
from ..core.position_shifts import PositionShifts
from ..core.records import Tick, no_tick
from ..core.shard import WHOLE, Shard
from ..core.token_shift import TokenShift, measure_tokens
from ..models import ModelSource
from .disk_buffer import spilled
from .divergences import compared
from .heads import Head, drop_body, final_states, find_head
from .model_pairs import (
    Side,
    adapter_on,
    batches,
    open_tokenizer,
    pad_id,
    padded,
    require_readable,
    sides,
)
from .teacher_forcing import Answered, Forced, teacher_forced
from .token_kinds import token_kind

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from .model_pairs import Opened

    Rows = Sequence[Sequence[Forced]]
    Opens = tuple[Callable[[], Side], Callable[[], Side]]

Prefix = Literal["tuned", "base", "shared"]
POSITIONS = 512  # positions per call of the head; smaller chunks re-read its matrix too often


def token_shift(
    base: str | ModelSource | Opened,
    tuned: str | ModelSource | Opened,
    responses: Sequence[Answered],
    *,
    prefix: Prefix = "shared",
    labels: Labels | None = None,
    **options: Any,
) -> TokenShift:
    """Measure how far tuning moved the next-token distributions along ``responses``.

    ``labels`` name the benchmark of every response; means are then also given for each benchmark
    and group. ``options`` and errors are those of :func:`token_positions`.
    """
    positions = token_positions(base, tuned, responses, prefix=prefix, **options)
    return summed_up(base, positions, prefix=prefix, n_responses=len(responses), labels=labels)


def token_positions(
    base: str | ModelSource | Opened,
    tuned: str | ModelSource | Opened,
    responses: Sequence[Answered],
    *,
    prefix: Prefix = "shared",
    batch_tokens: int = 2048,
    dtype: str = "float32",
    device_map: str | None = None,
    sequential: bool = False,
    shard: Shard = WHOLE,
    tick: Tick = no_tick,
) -> PositionShifts:
    """Measure every response position under both models, or those of a ``shard`` of the texts.

    Rows are (prompt, response) or (prompt, response, ids). A string prompt is used verbatim (plus
    the begin token if the tokenizer adds one and the text doesn't start with it). Messages are
    rendered as by an engine, through the base's chat template for prefix ``base``, else the tuned
    model's; if that model has none, through the other's. Prompt and response are tokenised
    separately and joined, so that the boundary is exact; no space is put before the response and no
    end token after it. ``ids`` that decode to the response replace its tokenised text, because a
    model may generate a text with other tokens than the tokenizer gives. ``prefix`` names the model
    that wrote the responses.
    Responses without tokens are skipped. Models given by name are loaded in ``dtype`` (over devices
    by ``device_map``); an adapter of the given base is loaded with it once and switched on and off.
    With ``sequential``, the base is released before the tuned model is loaded; its final hidden
    states, N x d_model numbers of its dtype, are kept on disk and its head in memory. If one side's
    vocabulary is padded further, the common part is compared; ``lost_mass_N`` is the probability
    left out. A shard has whole batches, so that all shards together give exactly the full result.

    Raises :class:`InputError` for different tokenizers, a prompt without tokens, messages that the
    template refuses, if no response has tokens, for a head that can't be reproduced and for logits
    that are not finite.
    """
    if prefix not in get_args(Prefix):
        raise InputError(
            f"unknown prefix {prefix!r}", remedy=f"use one of {', '.join(get_args(Prefix))}"
        )
    tokenizer, other = open_tokenizer(base), open_tokenizer(tuned)
    forced = teacher_forced(tokenizer, other, responses, own_template=prefix == "base")
    made = batches([len(row.ids) for row in forced], batch_tokens=batch_tokens)
    rows = [[forced[i] for i in members] for members in shard.of_units(made)]
    if not rows:
        return PositionShifts.joined([])
    pad = pad_id(tokenizer)
    one = adapter_on(base, tuned) is not None  # already one model in memory
    if sequential and not one:
        if isinstance(base, tuple):
            remedy = "give the base by name, or leave out sequential"
            raise InputError("sequential can't unload a base that was given loaded", remedy=remedy)
        both = _one_after_the_other
    else:
        both = _side_by_side
    opens = sides(base, tuned, dtype=dtype, device_map=device_map)
    with both(opens, rows, pad=pad, tick=tick) as (first, second):
        return PositionShifts.joined(list(_measured(first, second, rows, tick=tick)))


def summed_up(
    base: str | ModelSource | Opened,
    positions: PositionShifts,
    *,
    prefix: Prefix,
    n_responses: int,
    labels: Labels | None = None,
) -> TokenShift:
    """Aggregate the positions of ``n_responses`` responses; the base's tokenizer names tokens."""
    return measure_tokens(
        positions,
        prefix=prefix,
        decode=token_names(base),
        kind=token_kind,
        labels=labels,
        n_skipped=n_responses - len(np.unique(positions.text_N)),
    )


@dataclass(frozen=True, slots=True)
class _SideStates:
    """One model's head, and its input states, a tensor (N, D) per batch."""

    head: Head
    states: Iterator[torch.Tensor]


@contextmanager
def _side_by_side(
    opens: Opens, rows: Rows, *, pad: int, tick: Tick
) -> Iterator[tuple[_SideStates, _SideStates]]:
    del tick
    first, second = (opened() for opened in opens)
    yield (
        _SideStates(_head(first, rows, "base"), _states(first, rows, pad)),
        _SideStates(_head(second, rows, "tuned"), _states(second, rows, pad)),
    )


@contextmanager
def _one_after_the_other(
    opens: Opens, rows: Rows, *, pad: int, tick: Tick
) -> Iterator[tuple[_SideStates, _SideStates]]:
    first = opens[0]()
    head, device = _head(first, rows, "base"), first.model.device
    with spilled(_ticked(_states(first, rows, pad), len(rows), tick), device) as states:
        drop_body(first.model)
        second = opens[1]()
        other = _head(second, rows, "tuned")
        yield _SideStates(head, states), _SideStates(other, _states(second, rows, pad))


def _head(side: Side, rows: Rows, name: str) -> Head:
    """Return the side's head, with its adapter if one is applied."""
    every = [row for batch in rows for row in batch]
    require_readable(
        side.model,
        [row.ids for row in every],
        side=name,
        numbers=[row.text + 1 for row in every],
        remedy="shorten its prompt or response",
    )
    with side.using():
        found = find_head(side.model, rows[0][0].ids, side=name)

    def head(hidden_ND: torch.Tensor) -> torch.Tensor:
        with side.using():
            return found(hidden_ND)

    return head


def _ticked(states: Iterator[torch.Tensor], of: int, tick: Tick) -> Iterator[torch.Tensor]:
    for done, state in enumerate(states):
        tick("base model's states", done, of)
        yield state
    tick("base model's states", of, of)


def _measured(
    base: _SideStates, tuned: _SideStates, rows: Rows, *, tick: Tick
) -> Iterator[PositionShifts]:
    """Compare both heads in chunks of positions; yield one part per chunk."""
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
                found = compared(*logits, token_N[chunk])
            part = {name: values.cpu().numpy() for name, values in found.items()}
            _require_finite(part, text_N[chunk])
            yield PositionShifts(text_N=text_N[chunk], token_N=token_N[chunk].numpy(), **part)
    tick("token distributions", len(rows), len(rows))


def _states(side: Side, rows: Rows, pad: int) -> Iterator[torch.Tensor]:
    for batch in rows:
        with torch.inference_mode(), side.using():
            states_ND = _response_states(side.model, batch, pad)
        yield states_ND


def _response_states(model: PreTrainedModel, rows: Sequence[Forced], pad: int) -> torch.Tensor:
    """Return final hidden states (N, D) at the positions that predict the response tokens."""
    batch = padded([row.ids for row in rows], pad=pad, device=model.device)
    hidden_BTD = final_states(model, batch)
    return torch.cat(
        [
            hidden_TD[len(row.ids) - row.n_response - 1 : len(row.ids) - 1]
            for row, hidden_TD in zip(rows, hidden_BTD, strict=True)
        ]
    )


def _require_finite(part: dict[str, np.ndarray], text_N: np.ndarray) -> None:
    """Refuse NaN. KL and log-ratio may be infinite, if one model gives a token probability 0."""
    broken_N = np.any([np.isnan(values_N) for values_N in part.values()], axis=0)
    if not broken_N.any():
        return
    at = int(broken_N.argmax())
    if not np.isnan(part["entropy_base_N"][at] + part["entropy_tuned_N"][at]):
        raise InputError(
            f"response {text_N[at] + 1} has a token to which both models give probability 0",
            remedy="remove the response",
        )
    raise InputError(
        f"logits of response {text_N[at] + 1} are not finite",
        remedy="load the models in float32 or check their weights",
    )


def token_names(model: str | ModelSource | Opened) -> Callable[[int], str]:
    """Return a function from token id to text, or to the raw piece for part of a character."""
    tokenizer = open_tokenizer(model)

    @cache
    def named(token: int) -> str:
        text: str = tokenizer.decode([token])
        return tokenizer.convert_ids_to_tokens(token) if "\ufffd" in text else text

    return named
