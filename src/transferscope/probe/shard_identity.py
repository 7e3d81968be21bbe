"""Content-based identity of the models that a finished shard was measured on.

Names are not enough: a folder keeps its name when its weights are overwritten, and two machines may
mount the same disk under different paths.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..assets import sha256_of
from ..models import find_model, fingerprint

READ = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
    "*.tiktoken",
    "chat_template*",
    "additional_chat_templates/*",
)
"""Files from which transformers builds a tokenizer and its chat template."""
GENERATION = "generation_config.json"


def identity(model: str) -> list[Any]:
    """Return the identity of a model's weights and tokenizer by content; a hub id by its name.

    Raises :class:`InputError` for an unknown model.
    """
    source = find_model(model)
    return [fingerprint(source), _contents(source.tokenizer_path, *READ)]


def writer_identity(model: str) -> list[Any]:
    """Return :func:`identity` plus the generation config, which names the end tokens."""
    return [*identity(model), _contents(find_model(model).weights, GENERATION)]


def _contents(folder: str, *patterns: str) -> Any:
    path = Path(folder)
    if not path.is_dir():
        return folder
    files = sorted({file for pattern in patterns for file in path.glob(pattern) if file.is_file()})
    return [[file.relative_to(path).as_posix(), sha256_of(file)] for file in files]
