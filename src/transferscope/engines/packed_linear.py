"""Linear layers whose weights are stored in oneDNN's blocked layout.

torch converts a weight to this layout for every product. For the few rows of a decoding step, the
conversion costs as much as the product. With the layout stored once, 9 rows take half of the time
in float32 and in bfloat16, and 60 rows 0.6 to 0.85 of it (AVX512 and AVX512-BF16, 2026-11-28). The
products are bit-identical in bfloat16; in float32 they are summed in another order.

The operators are those that torch's own compiler uses for frozen weights. If a build lacks them or
can't handle a layer, the layer stays as it is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

ROWS = 32
"""Number of rows that the layout is chosen for; it works for any number."""
_DTYPES = (torch.float32, torch.bfloat16)


class PackedLinear(nn.Module):  # type: ignore[misc]
    """A linear layer with its weight in oneDNN's layout, for inference on a CPU."""

    def __init__(self, linear: nn.Linear, *, keep: bool) -> None:
        """``keep``: the plain weight also stays a parameter, for modules that share or read it."""
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        if keep:  # before ``packed``: from then on reading ``weight`` would unpack it
            self.weight = linear.weight
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), ROWS)
        self.bias = linear.bias

    def __getattr__(self, name: str) -> Any:
        """Return the plain weight, unpacked if only the packed one is stored."""
        if name == "weight" and "weight" not in self.__dict__["_parameters"]:
            return self.packed.to_dense()
        return super().__getattr__(name)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Map (..., in) to (..., out). Raises :class:`TypeError` for another dtype."""
        if given.dtype != self.packed.dtype:  # a plain layer would refuse this, too
            raise TypeError(f"a layer of {self.packed.dtype} was given {given.dtype}")
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            given, self.packed, self.bias, "none", [], ""
        )
        return found


def pack_linears(model: Any) -> int:
    """Pack the weights of ``model``'s linear layers on the CPU; return the number of layers.

    From then on the model is for inference only. Layers of another class, device or dtype are left
    alone. The output head also keeps its plain weight, which the embeddings may share.
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
    """Whether hooks (accelerate's, for instance) may move the layer's weight around."""
    return bool(layer._forward_hooks or layer._forward_pre_hooks or hasattr(layer, "_hf_hook"))


def _can_pack() -> bool:
    """Whether this build of torch has the operators and they work."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        tried = PackedLinear(nn.Linear(3, 2), keep=False)(torch.ones(1, 3))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
    return tuple(tried.shape) == (1, 2)
