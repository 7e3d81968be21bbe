"""What a finished part of a probe belongs to: models by their content, not by their names.

A folder's name stays when its weights are overwritten, and differs between machines that see one
disk under two names.
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
"""Files from which transformers makes a tokenizer and its chat template."""
GENERATION = "generation_config.json"


def identity(model: str) -> list[Any]:
    """Weights and tokenizer of a model by content; a hub id is named by itself.

    Raises :class:`InputError` for an unknown model.
    """
    source = find_model(model)
    return [fingerprint(source), _contents(source.tokenizer_path, *READ)]


def writer_identity(model: str) -> list[Any]:
    """:func:`identity` and the end tokens that the model's generation config names."""
    return [*identity(model), _contents(find_model(model).weights, GENERATION)]


def _contents(folder: str, *patterns: str) -> Any:
    path = Path(folder)
    if not path.is_dir():
        return folder
    files = sorted({file for pattern in patterns for file in path.glob(pattern) if file.is_file()})
    return [[file.relative_to(path).as_posix(), sha256_of(file)] for file in files]
