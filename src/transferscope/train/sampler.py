"""A copy of the policy for sampling, with adapters merged, in the precision of the arithmetic.

Under autocast the float32 weights would be cast again for every token, and an adapter would cost
two more matrix products per layer and token. The copy therefore holds plain weights, which are
refreshed on request.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn


class SamplingCopy:
    """A frozen copy, ``model``, of the plain model inside ``policy``, which may have adapters."""

    def __init__(self, policy: Any, dtype: torch.dtype) -> None:
        self.model = _plain(copy.deepcopy(policy))
        # Parameters only: module.to() would round the rotary frequencies as well.
        for parameter in self.model.parameters():
            parameter.data = parameter.data.to(dtype)
            parameter.requires_grad_(False)

    def renew(self, policy: Any) -> None:
        """Copy the policy's current weights, with its adapters merged."""
        mine = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, value in _merged(policy):
                mine[name].copy_(value)


def _plain(policy: Any) -> nn.Module:
    plain: nn.Module = policy.unload() if hasattr(policy, "peft_config") else policy
    return plain


def _merged(policy: Any) -> Any:
    """Yield every parameter of the plain model by name, with the active adapter's product added.

    Only one merged matrix exists at a time in addition to the weights.
    """
    if not hasattr(policy, "peft_config"):
        yield from policy.named_parameters()
        return
    inner = policy.get_base_model()
    adapted = {
        name: module
        for name, module in inner.named_modules()
        if hasattr(module, "get_delta_weight")
    }
    for name, parameter in inner.named_parameters():
        owner, _, leaf = name.rpartition(".base_layer.")
        if owner in adapted and leaf == "weight":
            delta = adapted[owner].get_delta_weight(adapted[owner].active_adapters[0])
            yield f"{owner}.{leaf}", parameter + delta
        elif "lora_" not in name:
            yield name.replace(".base_layer.", "."), parameter
