"""GGUF files as models: dequantised once to a folder of safetensors, which is cached.

transformers reads a GGUF file but can't save what it read, so that nothing else could use it. The
folder is an ordinary model: it can be evaluated, probed, trained, and served by vLLM. Its weights
are the file's, dequantised to float32. llama.cpp computes with quantised activations besides, so
its answers from the same file differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..assets import cache_dir
from ..core.errors import InputError
from ..core.files import make_folder, read_head, scratch_folder
from .refusals import reading, require_whole, without_reports

SUFFIX = ".gguf"
MAGIC = "GGUF"
VERSION = "1"
"""Part of the cached folder's name; change it when the conversion changes."""


def gguf_folder(path: Path, content: str) -> Path:
    """Return the folder with the model in the GGUF file ``path``, converting it on first use.

    ``content`` is a digest of the file, by which the folder is found again. Raises
    :class:`InputError` for a file that is not a GGUF file, is incomplete, or has an architecture
    that transformers can't read.
    """
    folder = cache_dir() / f"gguf-{content[:24]}-v{VERSION}"
    if folder.is_dir():
        return folder
    if read_head(path, size=len(MAGIC)) != MAGIC:
        remedy = "name a GGUF file, a model folder or a hub id"
        raise InputError("is not a GGUF file", place=str(path), remedy=remedy)
    with reading(str(path)):
        keep_converted(path, folder)
    return folder


def keep_converted(gguf: Path, folder: Path, *, pad: str | None = None) -> None:
    """Convert ``gguf`` into ``folder`` of the cache, which appears complete or not at all."""
    make_folder(cache_dir())
    with scratch_folder(cache_dir()) as scratch:
        staged = scratch / "model"
        convert(gguf, staged, pad=pad)
        try:
            staged.rename(folder)
        except OSError:
            if not folder.is_dir():  # no parallel process created it: a real failure
                raise


def convert(gguf: Path, destination: Path, *, pad: str | None = None) -> None:
    """Dequantise ``gguf`` into ``destination`` as float32 safetensors with its tokenizer.

    ``pad`` is the padding token, if it must differ from the one in the file.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where: dict[str, Any] = {"gguf_file": gguf.name}
    with without_reports():
        loaded, about = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent), dtype=torch.float32, output_loading_info=True, **where
        )
    require_whole(about, str(gguf))
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), **where)
    # transformers refuses to save a model whose config says "gguf", so a fresh one takes the
    # weights.
    fields = loaded.config.to_dict()
    for key in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        fields.pop(key, None)
    if pad is not None:
        tokenizer.pad_token = pad
        fields["pad_token_id"] = tokenizer.pad_token_id
    fresh = type(loaded)(type(loaded.config).from_dict(fields))
    fresh.load_state_dict(loaded.state_dict())
    if pad is not None:
        fresh.generation_config.pad_token_id = tokenizer.pad_token_id
    fresh.save_pretrained(destination)
    tokenizer.save_pretrained(destination)
