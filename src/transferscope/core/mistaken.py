"""Recognise files and folders without results that users name by mistake, and suggest others.

A training run leaves many files next to its results; none of those listed here contains answers.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from .damage import HEAD as DAMAGE_HEAD
from .damage import Damage, damage_of
from .errors import InputError
from .opening import read_start
from .shown import name as shown
from .unpacking import bare_suffix

_UNPACK = "unpack it first"
_NAMES = {
    "trainer_state.json": "the Trainer's loss log",
    "all_results.json": "the Trainer's own metrics",
    "train_results.json": "the Trainer's own metrics",
    "trainer_log.jsonl": "the Trainer's loss log",
    "training_args.bin": "a training run's settings",
    "training_args.json": "a training run's settings",
    "tokenizer.json": "a tokenizer",
    "tokenizer_config.json": "a tokenizer's settings",
    "special_tokens_map.json": "part of a tokenizer",
    "added_tokens.json": "part of a tokenizer",
    "vocab.json": "part of a tokenizer",
    "merges.txt": "part of a tokenizer",
    "chat_template.jinja": "a chat template",
    "chat_template.json": "a chat template",
    "config.json": "a model's configuration",
    "generation_config.json": "a model's generation settings",
    "preprocessor_config.json": "a processor's settings",
    "adapter_config.json": "an adapter's configuration",
    "quantize_config.json": "a model's settings",
    "args.json": "a run's settings",
    "model.safetensors.index.json": "an index of a model's weight files",
    "pytorch_model.bin.index.json": "an index of a model's weight files",
    "dataset_info.json": "a description of a dataset",
    "wandb-summary.json": "a summary of a Weights & Biases run",
    "wandb-metadata.json": "a description of a Weights & Biases run",
    "optimizer.pt": "an optimizer's state",
    "scheduler.pt": "a learning-rate scheduler's state",
    "readme.md": "a model card or README",
}
_TRAINED = frozenset(
    name for name, what in _NAMES.items() if what.startswith(("the Trainer", "a training"))
)
_ENDINGS = {
    ".safetensors": "a model's weights",
    ".bin": "model weights or another pickle file",
    ".pt": "pickled weights or training state",
    ".pth": "pickled weights or training state",
    ".ckpt": "a training checkpoint",
    ".gguf": "a model's weights",
    ".onnx": "a model's weights",
    ".pkl": "a pickle file",
    ".pickle": "a pickle file",
    ".npz": "a NumPy array file",
    ".npy": "a NumPy array file",
    ".log": "a log file",
    ".out": "a log file",
    ".err": "a log file",
}
_OTHER = {
    ".xlsx": ("an Excel workbook", "save the sheet as CSV"),
    ".xls": ("an Excel workbook", "save the sheet as CSV"),
    ".ods": ("a spreadsheet", "save the sheet as CSV"),
    ".arrow": ("an Arrow file", "write it as JSON lines or parquet"),
    ".feather": ("an Arrow file", "write it as JSON lines or parquet"),
    ".zip": ("an archive", _UNPACK),
    ".tar": ("an archive", _UNPACK),
    ".tgz": ("an archive", _UNPACK),
    ".7z": ("an archive", _UNPACK),
    ".rar": ("an archive", _UNPACK),
    ".xz": ("an xz archive", _UNPACK),
    ".bz2": ("a bzip2 archive", _UNPACK),
    ".zst": ("a Zstandard archive", _UNPACK),
    ".toml": ("a settings file", "name a file or folder of results"),
    ".yaml": ("a settings file", "name a file or folder of results"),
    ".yml": ("a settings file", "name a file or folder of results"),
}
_MARKS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"log_history", "global_step"}), "the Trainer's loss log"),
    (frozenset({"best_model_checkpoint", "global_step"}), "the Trainer's loss log"),
    (frozenset({"added_tokens", "model"}), "a tokenizer"),
    (frozenset({"tokenizer_class"}), "a tokenizer's settings"),
    (frozenset({"architectures", "model_type"}), "a model's configuration"),
    (frozenset({"peft_type"}), "an adapter's configuration"),
    (frozenset({"metadata", "weight_map"}), "an index of a model's weight files"),
    (frozenset({"eval_loss"}), "the Trainer's own metrics"),
    (frozenset({"train_runtime"}), "the Trainer's own metrics"),
    (frozenset({"eval_runtime"}), "the Trainer's own metrics"),
    (frozenset({"predict_runtime"}), "the Trainer's own metrics"),
    (frozenset({"_step", "_runtime"}), "a summary of a Weights & Biases run"),
)
"""Keys that identify a document whatever its file name."""
_ROWS = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
"""Suffixes of plain files that may contain answers or scores."""
_PEEK = 2**20
"""Bytes of a .json file that are read to recognise it."""


def mistaken(path: Path) -> Damage | None:
    """What ``path`` is, and the remedy, if it is a well-known kind of file without results.

    A file is recognised by its name, first bytes or keys; a folder by the files in it. ``None`` for
    all others.
    """
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        return None
    start = read_start(path, _PEEK if bare_suffix(path) == ".json" else DAMAGE_HEAD)
    if damage := damage_of(start[:DAMAGE_HEAD].decode("utf-8-sig", "replace")):
        return damage
    name, ending = path.name.lower(), path.suffix.lower()
    if ending in _OTHER:
        return _known(*_OTHER[ending])
    if start[:4] == b"PK\x03\x04" and ending != ".eval":
        return _known("an archive or workbook", "unpack it, or save its sheet as CSV")
    what = _NAMES.get(name) or _ENDINGS.get(ending)
    if name.startswith("events.out.tfevents"):
        what = "a TensorBoard log"
    if what is None and bare_suffix(path) == ".json" and (keys := _keys(start)):
        what = next((said for marks, said in _MARKS if marks <= keys), None)
    return None if what is None else _known(what, _evaluate(path.parent))


def refuse_mistaken(path: Path) -> None:
    """Raise :class:`InputError` if ``path`` is a well-known kind of file without results."""
    if found := mistaken(path):
        raise InputError(found.what, place=str(path), remedy=found.remedy)


def _known(what: str, instead: str) -> Damage:
    return Damage(f"is {what}, not results", instead)


def _folder(path: Path) -> Damage | None:
    low = {name.lower() for name in _names_in(path)}
    what = ""
    if "adapter_config.json" in low:
        what = "an adapter folder"
    elif "config.json" in low or any(name.endswith((".gguf", ".safetensors")) for name in low):
        what = "a model folder"
    elif any(name.startswith("checkpoint-") for name in low):
        what = "a folder of checkpoints"
    elif low & _TRAINED:
        what = "a training run's folder"
    elif any(name.endswith(".arrow") for name in low):
        return _known("a dataset folder", "write it as JSON lines: dataset.to_json(FILE)")
    elif low & {"wandb-summary.json", "wandb-metadata.json"} or path.name == "wandb":
        return _known("a Weights & Biases folder", "name the results of an evaluation")
    model = path / "CHECKPOINT" if what == "a folder of checkpoints" else path
    return _known(what, plain_files(path) or _evaluate(model)) if what else None


def plain_files(folder: Path) -> str:
    """The remedy for a folder with plain files of answers or scores: it names some of them.

    Empty if there are none.
    """
    names = sorted(_names_in(folder))
    rows = [name for name in names if bare_suffix(Path(name)) in _ROWS and name not in _NAMES]
    named = ", ".join(str(folder / shown(name)) for name in rows[:3])
    return f"name one of its files: {named}" if named else ""


def _names_in(folder: Path) -> list[str]:
    try:
        return [one.name for one in folder.iterdir()]
    except OSError:  # not a folder, or unreadable
        return []


def _evaluate(model: Path) -> str:
    folder = shlex.quote(str(model))
    return f"evaluate the model: transferscope eval {folder} --suite mini --out RUN"


def _keys(start: bytes) -> set[str]:
    """Top-level keys of a JSON object. If it is longer than the part that was read, the keys with
    the smallest indentation."""
    try:
        document: Any = json.loads(start)
    except (ValueError, RecursionError):
        found = re.findall(rb'^ {1,2}"(\w{1,40})":', start, re.MULTILINE)
        return {key.decode() for key in found}
    return set(document) if isinstance(document, dict) else set()
