"""Tensors of a model's files, one at a time: no model is built, nothing is unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from ..core.errors import InputError
from ..core.files import read_json
from ..models import ModelSource

ONE, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER, ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"
REMEDY = "save the model with safetensors (save_pretrained does)"
_PREFIX = "base_model.model."


@dataclass(frozen=True, slots=True)
class Tensors:
    """Where every tensor of a model stands: name to file and the name there."""

    files: Mapping[str, tuple[Path, str]]

    def read(self, name: str) -> torch.Tensor:
        """One tensor in float32. Raises :class:`InputError` for a broken file."""
        return _read(*self.files[name])


def tensors_of(source: ModelSource) -> Tensors:
    """The tensors of ``source.weights``, shards by their index.

    Raises :class:`InputError` for a folder without safetensors and an index that names files
    outside of it.
    """
    folder = _folder(source.weights)
    if (folder / INDEX).is_file():
        listed = read_json(folder / INDEX).get("weight_map")
        if not isinstance(listed, dict) or not all(
            isinstance(file, str) and Path(file).name == file for file in listed.values()
        ):
            raise InputError("no weight_map of file names", place=str(folder / INDEX))
        return Tensors({name: (folder / file, name) for name, file in listed.items()})
    if not (folder / ONE).is_file():
        what = f"neither {ONE} nor {INDEX}: pickled weights are not loaded"
        raise InputError(what, place=str(folder), remedy=REMEDY)
    return Tensors({name: (folder / ONE, name) for name in _names(folder / ONE)})


@dataclass(frozen=True, slots=True)
class Adapter:
    """A PEFT LoRA adapter: its factors by the name of the weight they change, and whole tensors."""

    factors: Mapping[str, tuple[Path, str, str, float]]
    whole: Tensors
    transposed: bool

    def delta(self, name: str) -> torch.Tensor:
        """The product that is added to weight ``name``, float32."""
        path, a_name, b_name, scaling = self.factors[name]
        a, b = _read(path, a_name), _read(path, b_name)
        product = scaling * (b @ a)
        flip = "lora_embedding" in a_name or self.transposed
        return product.T if flip else product


def adapter_of(folder: Path) -> Adapter:
    """The adapter at ``folder``.

    Raises :class:`InputError` for another kind than LoRA, and for DoRA, whose change is no product.
    """
    config = read_json(folder / ADAPTER_CONFIG)
    place = str(folder / ADAPTER_CONFIG)
    if config.get("peft_type") != "LORA" or config.get("use_dora"):
        kind = "DORA" if config.get("use_dora") else config.get("peft_type")
        remedy = "merge it into its base (merge_and_unload) and compare the models"
        raise InputError(f"an adapter of kind {kind!r} is no product", place=place, remedy=remedy)
    path = folder / ADAPTER
    if not path.is_file():
        raise InputError(f"no {ADAPTER}", place=str(folder), remedy=REMEDY)
    pairs: dict[str, dict[str, str]] = {}
    whole: dict[str, tuple[Path, str]] = {}
    for name in _names(path):
        for part, letter in (("lora_A", "a"), ("lora_embedding_A", "a")):
            if f".{part}" in name:
                pairs.setdefault(_target(name, part), {})[letter] = name
        for part in ("lora_B", "lora_embedding_B"):
            if f".{part}" in name:
                pairs.setdefault(_target(name, part), {})["b"] = name
        if ".lora_" not in name:
            whole[name.removeprefix(_PREFIX).replace(".modules_to_save.default", "")] = path, name
    if broken := [name for name, pair in pairs.items() if len(pair) != 2]:
        raise InputError(f"{broken[0]} has one of two factors", place=str(path))
    factors = {
        name: (path, pair["a"], pair["b"], _scaling(config, name, _read(path, pair["a"]).shape[0]))
        for name, pair in pairs.items()
    }
    return Adapter(factors, Tensors(whole), bool(config.get("fan_in_fan_out")))


def _target(name: str, part: str) -> str:
    return name.removeprefix(_PREFIX).partition(f".{part}")[0] + ".weight"


def _scaling(config: Mapping[str, Any], name: str, rank: int) -> float:
    """lora_alpha / r, or over its root with rslora; patterns name modules by their ends."""
    alpha = config.get("lora_alpha", rank)
    module = name.removesuffix(".weight")
    for pattern, value in (config.get("alpha_pattern") or {}).items():
        if module == pattern or module.endswith(f".{pattern}"):
            alpha = value
    return float(alpha) / (rank**0.5 if config.get("use_rslora") else rank)


def _folder(weights: str) -> Path:
    path = Path(weights)
    if path.is_dir():
        return path
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(weights, allow_patterns=["*.safetensors", "*.json"]))
    except Exception as err:
        what = f"can't be read: {' '.join(str(err).split())[:200]}"
        raise InputError(what, place=weights, remedy="name a model folder") from None


def _names(path: Path) -> list[str]:
    with _opened(path) as file:
        return list(file.keys())


def _read(path: Path, name: str) -> torch.Tensor:
    with _opened(path) as file:
        try:
            tensor: torch.Tensor = file.get_tensor(name)
        except SafetensorError as err:
            raise InputError(f"no tensor {name!r} ({err})", place=str(path)) from None
    return tensor.float()


def _opened(path: Path) -> Any:
    try:
        return safe_open(str(path), framework="pt")
    except (OSError, SafetensorError) as err:
        raise InputError(f"can't be read: {err}", place=str(path), remedy=REMEDY) from None
