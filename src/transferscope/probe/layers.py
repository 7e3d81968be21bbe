"""Hidden states of every layer, pooled one layer at a time during the forward pass.

``output_hidden_states=True`` keeps all L+1 layers of a batch in memory until the pass ends. Here
forward hooks pool each layer and release it. Which module produces which layer differs between
architectures (scaled embeddings, final norms, blocks that are used twice). A short pass in which
transformers lists its hidden states shows it, by tensor identity, and the result is checked on the
same tokens. If that fails, transformers' own list is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    Batch = Mapping[str, torch.Tensor]

Pool = Callable[[torch.Tensor], NDArray[np.float32]]
"""Maps the states of a batch (B, T, D) to features (B, D)."""


@dataclass(frozen=True, slots=True)
class Tap:
    """Where a layer's states can be read: the input or output of a module's ``call`` (from 0).

    ``given`` is true for the input.
    """

    module: torch.nn.Module
    call: int
    given: bool


def find_taps(model: PreTrainedModel, ids: Iterable[int]) -> tuple[Tap, ...] | None:
    """Return a tap for each of the L+1 hidden states; ``None`` if some have none."""
    body = model.base_model
    ids_1T = torch.tensor([list(ids)], device=model.device)
    batch = {"input_ids": ids_1T, "attention_mask": torch.ones_like(ids_1T)}
    seen: dict[int, tuple[Tap, torch.Tensor]] = {}  # a tensor held keeps its id unique

    def note(tap: Tap, state: torch.Tensor) -> None:
        seen.setdefault(id(state), (tap, state))

    with torch.inference_mode():
        with _watched(body.modules(), note):
            states = _listed(body, batch)
        taps = tuple(seen[id(state)][0] for state in states if id(state) in seen)
        if len(taps) < len(states):
            return None
        expected = [_as_it_is(state) for state in states]
        found = pooled_layers(model, batch, taps, _as_it_is)
    equal = (np.array_equal(*pair, equal_nan=True) for pair in zip(expected, found, strict=True))
    return taps if all(equal) else None


def pooled_layers(
    model: PreTrainedModel, batch: Batch, taps: tuple[Tap, ...] | None, pool: Pool
) -> list[NDArray[np.float32]]:
    """Apply ``pool`` to every layer's states, layer 0 first, in one forward pass of the body."""
    body = model.base_model
    if taps is None:
        return [pool(state_BTD) for state_BTD in _listed(body, batch)]
    layers_of: dict[Tap, list[int]] = {}
    for layer, tap in enumerate(taps):
        layers_of.setdefault(tap, []).append(layer)
    pooled: dict[int, NDArray[np.float32]] = {}

    def take(tap: Tap, state_BTD: torch.Tensor) -> None:
        if tap in layers_of:
            pooled.update(dict.fromkeys(layers_of[tap], pool(state_BTD)))

    with _watched({tap.module for tap in taps}, take):
        body(**batch, output_hidden_states=False, use_cache=False)
    if len(pooled) < len(taps):  # this batch took another path through the model
        return pooled_layers(model, batch, None, pool)
    return [pooled[layer] for layer in range(len(taps))]


def _listed(body: torch.nn.Module, batch: Batch) -> tuple[torch.Tensor, ...]:
    states: tuple[torch.Tensor, ...] = body(
        **batch, output_hidden_states=True, use_cache=False
    ).hidden_states
    return states


@contextmanager
def _watched(
    modules: Iterable[torch.nn.Module], see: Callable[[Tap, torch.Tensor], None]
) -> Iterator[None]:
    """Call ``see`` with the first input tensor and the first output tensor of each module."""
    calls: Counter[torch.nn.Module] = Counter()

    def before(module: torch.nn.Module, args: Any, kwargs: Any) -> None:
        calls[module] += 1
        state = args[0] if args else kwargs.get("hidden_states")
        if isinstance(state, torch.Tensor):
            see(Tap(module, calls[module] - 1, given=True), state)

    def after(module: torch.nn.Module, _args: Any, output: Any) -> None:
        if isinstance(output, Mapping):  # transformers' outputs
            output = next(iter(output.values()), None)
        elif isinstance(output, tuple) and output:
            output = output[0]
        if isinstance(output, torch.Tensor):
            see(Tap(module, calls[module] - 1, given=False), output)

    handles = []
    for module in modules:
        handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
        handles.append(module.register_forward_hook(after))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _as_it_is(state_BTD: torch.Tensor) -> NDArray[np.float32]:
    states: NDArray[np.float32] = state_BTD.float().cpu().numpy()
    return states
