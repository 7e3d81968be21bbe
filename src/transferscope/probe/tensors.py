"""Reading of a model's tensors from its files, a few rows at a time.

No model is built and nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from ..core.errors import InputError
from ..core.files import read_json
from ..models import ModelSource

ONE, INDEX = "model.safetensors", "model.safetensors.index.json"
REMEDY = "save the model with safetensors (save_pretrained does)"
FLOATS = ("F16", "BF16", "F32", "F64")
"""Types of weights. Integers and 8-bit floats are codes that only mean something with a scale."""
DEQUANTISE = "dequantise first: load the model in float32 or bfloat16 and call save_pretrained"


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor on disk. ``tensor[3:5]`` reads these rows in float32; a scalar has one row."""

    path: Path
    name: str
    shape: tuple[int, ...]

    def __getitem__(self, rows: slice) -> torch.Tensor:
        """Read rows; the file is closed right afterwards, so that its pages can be evicted."""
        with _opened(self.path) as file:
            held = file.get_slice(self.name)
            found: torch.Tensor = held[rows] if held.get_shape() else file.get_tensor(self.name)
            return found.reshape(-1, *self.shape[1:]).float()


@dataclass(frozen=True, slots=True)
class Tensors:
    """Location of every tensor of a model: name to file and name in that file."""

    files: Mapping[str, tuple[Path, str]]

    def stored(self, name: str) -> Stored:
        """Return one tensor without reading its values.

        Raises :class:`InputError` if the file lacks it, or if it is empty or quantised.
        """
        path, key = self.files[name]
        with _opened(path) as file, _having(path, key):
            shape = tuple(_weights(file, path, key).get_shape()) or (1,)
        if 0 in shape:
            what = f"{key} of shape {shape} is empty"
            raise InputError(what, place=str(path), remedy="save the model again without it")
        return Stored(path, key, shape)


def tensors_of(source: ModelSource) -> Tensors:
    """Locate the tensors of ``source.weights``; shards are found by their index file.

    Raises :class:`InputError` for a folder without safetensors, an index that names files outside
    the folder, and a quantised model.
    """
    folder = _folder(source.weights)
    config = folder / "config.json"
    if config.is_file() and read_json(config).get("quantization_config"):
        what = "has a quantization_config: the files hold codes, not weights"
        raise InputError(what, place=str(config), remedy=DEQUANTISE)
    if (folder / INDEX).is_file():
        listed = read_json(folder / INDEX).get("weight_map")
        if not isinstance(listed, dict) or not all(
            isinstance(file, str) and Path(file).name == file for file in listed.values()
        ):
            what = "has no weight_map from tensors to file names"
            raise InputError(what, place=str(folder / INDEX), remedy="copy or download it again")
        if absent := sorted({file for file in listed.values() if not (folder / file).is_file()}):
            what = f"names {absent[0]}, which is missing"
            raise InputError(what, place=str(folder / INDEX), remedy="copy the complete model")
        return Tensors({name: (folder / file, name) for name, file in listed.items()})
    if not (folder / ONE).is_file():
        what = f"has neither {ONE} nor {INDEX}; pickled weights are never loaded"
        raise InputError(what, place=str(folder), remedy=REMEDY)
    return Tensors({name: (folder / ONE, name) for name in names_in(folder / ONE)})


def _folder(weights: str) -> Path:
    path = Path(weights)
    if path.is_dir():
        return path
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(weights, allow_patterns=["*.safetensors", "*.json"]))
    except Exception as err:  # the hub's client raises a dozen kinds
        what = f"can't be read: {' '.join(str(err).split())[:200]}"
        raise InputError(what, place=weights, remedy="name a model folder") from None


def names_in(path: Path) -> list[str]:
    """List a safetensors file's tensor names. Raises :class:`InputError` for a broken file."""
    with _opened(path) as file:
        return list(file.keys())


def read_tensor(path: Path, name: str) -> torch.Tensor:
    """Read one tensor of a safetensors file in float32.

    Raises :class:`InputError` if the file lacks it or it is quantised.
    """
    with _opened(path) as file, _having(path, name):
        _weights(file, path, name)
        tensor: torch.Tensor = file.get_tensor(name)
        return tensor.float()


def _weights(file: Any, path: Path, name: str) -> Any:
    """Return a tensor's slice in an open file; its type must be one of :data:`FLOATS`."""
    held = file.get_slice(name)
    if (dtype := held.get_dtype()) not in FLOATS:
        what = f"{name} is stored as {dtype}; only {', '.join(FLOATS)} hold plain weights"
        raise InputError(what, place=str(path), remedy=DEQUANTISE)
    return held


@contextmanager
def _having(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except SafetensorError as err:
        what, remedy = f"has no tensor {name!r} ({err})", "copy the complete model"
        raise InputError(what, place=str(path), remedy=remedy) from None


def _opened(path: Path) -> Any:
    try:
        return safe_open(str(path), framework="pt")
    except (OSError, SafetensorError) as err:
        raise InputError(f"can't be read: {err}", place=str(path), remedy=REMEDY) from None
