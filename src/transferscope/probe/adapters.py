"""Weight changes that a PEFT LoRA adapter makes to its base, read from the adapter's files alone.

Tensor names follow PEFT 0.18 to 0.21. Every name starts with ``base_model.model.``. A wrapped
module whose full weight was saved as well (embeddings and heads by default) contains
``.base_layer``. A fully trained module contains ``.modules_to_save``, and its copy from before
training ``.original_module``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..core.errors import InputError
from ..core.files import read_json
from ..models import plain_name
from ..models.adapting import ADAPTER, ADAPTER_CONFIG
from .tensors import REMEDY, Tensors, names_in, read_tensor

MERGE = "merge it into its base (merge_and_unload) and compare the models"
DEFAULT_ALPHA = 8
"""PEFT's default for configs that don't set ``lora_alpha``."""
FACTORS = {
    ".lora_A.weight": "a",
    ".lora_B.weight": "b",
    ".lora_embedding_A": "a",
    ".lora_embedding_B": "b",
}
NO_PRODUCT = ("use_dora", "lora_bias", "trainable_token_indices", "target_parameters")
"""LoRA settings under which the change is not, or not only, a product of two factors."""
LONGEST = 128
"""Most characters in a pattern or a module's name."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter: factors by the name of the weight they change, and tensors saved in full."""

    factors: Mapping[str, tuple[Path, str, str, float]]
    whole: Tensors
    transposed: bool
    place: str

    @property
    def names(self) -> list[str]:
        """Names of all base weights that the adapter changes."""
        return list(dict.fromkeys([*self.whole.files, *self.factors]))

    def product(self, name: str, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the left and right factor of the change to weight ``name``, in float32.

        Raises :class:`InputError` if their product doesn't have ``shape``.
        """
        path, a_name, b_name, scaling = self.factors[name]
        a, b = read_tensor(path, a_name), read_tensor(path, b_name)
        fits = a.ndim == b.ndim == 2 and a.shape[0] == b.shape[1]
        flip = "lora_embedding" in a_name or self.transposed
        left, right = (scaling * a.T, b.T) if flip else (scaling * b, a)
        if not fits or (left.shape[0], right.shape[1]) != shape:
            what = f"factors {tuple(a.shape)} and {tuple(b.shape)} of {name} don't give {shape}"
            raise InputError(what, place=str(path), remedy="name the adapter's own base")
        return left, right


def adapter_of(folder: Path) -> Adapter:
    """Open the adapter in ``folder``.

    Raises :class:`InputError` for adapters other than LoRA, and for LoRA whose change is not a
    product of two factors (DoRA, new token embeddings, biases beside the factors).
    """
    config, place = read_json(folder / ADAPTER_CONFIG), str(folder / ADAPTER_CONFIG)
    if config.get("peft_type") != "LORA":
        what = f"peft_type {config.get('peft_type')!r} is not supported, only LORA"
        raise InputError(what, place=place, remedy=MERGE)
    if settings := [name for name in NO_PRODUCT if config.get(name)]:
        what = f"{settings[0]} is not supported: the change isn't a product of two factors"
        raise InputError(what, place=place, remedy=MERGE)
    path = folder / ADAPTER
    if not path.is_file():
        raise InputError(f"has no {ADAPTER}", place=str(folder), remedy=REMEDY)
    pairs: dict[str, dict[str, str]] = {}
    whole: dict[str, tuple[Path, str]] = {}
    for name in names_in(path):
        ending = next((ending for ending in FACTORS if name.endswith(ending)), None)
        if ending is not None:
            target = plain_name(name.removesuffix(ending)) + ".weight"
            pairs.setdefault(target, {})[FACTORS[ending]] = name
        elif ".lora_" in name or ".token_adapter." in name:
            what = f"{name} is not a LoRA factor"
            raise InputError(what, place=str(path), remedy=MERGE)
        elif ".original_module." not in name:
            whole[plain_name(name)] = path, name
    if broken := [name for name, pair in pairs.items() if len(pair) != 2]:
        what = f"{broken[0]} has only one of its two factors"
        raise InputError(what, place=str(path), remedy="save or copy the adapter again")
    factors = {
        name: (path, pair["a"], pair["b"], _scaling(config, name, path, pair["a"], place=place))
        for name, pair in pairs.items()
    }
    return Adapter(factors, Tensors(whole), bool(config.get("fan_in_fan_out")), str(folder))


def _scaling(config: Mapping[str, Any], name: str, path: Path, factor: str, *, place: str) -> float:
    """Return lora_alpha / r, or lora_alpha / sqrt(r) with rslora; r is read from the factor."""
    rank = len(read_tensor(path, factor))
    patterns = config.get("alpha_pattern") or {}
    if not isinstance(patterns, dict):
        raise InputError("'alpha_pattern' is not a JSON object", place=place, remedy=MERGE)
    alpha = config.get("lora_alpha", DEFAULT_ALPHA)
    module = name.removesuffix(".weight")
    for pattern, value in patterns.items():
        if matches(pattern, module, place=place):
            alpha = value
            break
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not math.isfinite(alpha):
        what = f"{str(alpha)[:40]!r} is not a valid lora_alpha"
        raise InputError(what, place=place, remedy=MERGE)
    return float(alpha) / ((rank**0.5 if config.get("use_rslora") else rank) or 1)


def matches(pattern: str, module: str, *, place: str) -> bool:
    """Whether PEFT applies ``pattern`` to ``module``: a regular expression for the name's end.

    The file is untrusted, and a pattern can be built to run for years. Only short patterns with at
    most three repetitions and two groups, none of them repeated, are tried. Raises
    :class:`InputError` for others.
    """
    repeats = len(re.findall(r"[*+?{]", pattern))
    tame = (
        max(len(pattern), len(module)) <= LONGEST
        and repeats <= 3
        and pattern.count("(") <= 2
        and not re.search(r"\)[*+?{]|\(\?|\\[0-9]", pattern)
    )
    try:
        if tame:
            return re.match(rf"(.*\.)?({pattern})$", module) is not None
    except (re.error, RecursionError, OverflowError):
        pass
    what = f"can't evaluate the pattern {pattern[:60]!r} for {module[:60]}"
    raise InputError(what, place=place, remedy=MERGE)
