"""Loading of a model's weights and tokenizer by name.

A name is resolved in this order: a known name (``smollm2-135m``), a GGUF file, a local folder (a
full model or a PEFT adapter, whose base is loaded first), a hub id. Remote code is never
executed.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..assets import sha256_of
from ..core.errors import InputError
from ..core.files import is_file, open_file, read_json, read_text
from ..core.records import digest
from .adapting import ADAPTER_CONFIG, fit_vocabulary, fitting_adapter
from .embedded import NAME, smollm2_folder
from .gguf import SUFFIX, gguf_folder
from .precision import settled
from .refusals import first_line, reading, require_device, require_whole, without_reports

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

KNOWN: dict[str, Callable[[], Path]] = {NAME: smollm2_folder}


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Location of a model's files. ``adapter`` is a PEFT folder on top of ``weights``."""

    name: str
    weights: str
    adapter: str | None = None

    @property
    def tokenizer_path(self) -> str:
        """The adapter folder if it carries a tokenizer, else the base's folder or hub id."""
        if self.adapter and (Path(self.adapter) / "tokenizer_config.json").is_file():
            return self.adapter
        return self.weights


def find_model(name: str) -> ModelSource:
    """Resolve a known name, GGUF file, folder, adapter folder or hub id without loading weights.

    A GGUF file is converted when it is first named. Raises :class:`InputError` if the name is none
    of these or its config is not a JSON object.
    """
    if name in KNOWN:
        return ModelSource(name, str(KNOWN[name]()))
    path = local_path(name)
    if path.suffix.lower() == SUFFIX and is_file(path):
        return ModelSource(name, str(gguf_folder(path, _content(path))))
    if path.is_dir():
        if (path / ADAPTER_CONFIG).is_file():
            config = read_json(path / ADAPTER_CONFIG)
            base = config.get("base_model_name_or_path")
            if not isinstance(base, str) or not base:
                raise InputError(
                    "names no base model",
                    place=str(path / ADAPTER_CONFIG),
                    remedy="set base_model_name_or_path",
                )
            if base not in KNOWN and (local_path(base) / ADAPTER_CONFIG).is_file():
                raise InputError(  # not followed: it may be this same folder
                    f"names an adapter as its base model: {base}",
                    place=str(path / ADAPTER_CONFIG),
                    remedy="merge that adapter into its own base first",
                )
            return ModelSource(name, find_model(base).weights, adapter=str(path))
        if (path / "config.json").is_file():
            read_json(path / "config.json", remedy="copy or download it again")
            return ModelSource(name, str(path))
        if any(path.glob("model_world_size_*")):
            raise InputError(
                "holds pickled FSDP shards, which are never loaded",
                place=name,
                remedy="merge them first: python -m verl.model_merger merge --backend fsdp "
                f"--local_dir {name} --target_dir {name}-merged",
            )
        raise InputError(
            "has no config.json and no adapter_config.json",
            place=name,
            remedy="name a model folder or an adapter folder",
        )
    if name.count("/") == 1 and not name.startswith((".", "/", "~")) and not path.exists():
        return ModelSource(name, name)
    raise InputError(
        f"unknown model {name!r}",
        remedy=f"use {', '.join(KNOWN)}, a model or adapter folder, a .gguf file, or a hub id "
        "(owner/name)",
    )


def local_path(name: str) -> Path:
    """Return the path that a model's name would have on disk, with ``~`` expanded.

    Raises :class:`InputError` for a name that can't be a path.
    """
    remedy = "name a model or adapter folder, or a hub id (owner/name)"
    if not name.strip():
        raise InputError("the model's name is empty", place="model", remedy=remedy)
    try:
        path = Path(name).expanduser()
        path.is_dir()
    except (RuntimeError, OSError) as err:  # no such user; a name that is too long
        what = f"is not a model name: {first_line(err)}"
        raise InputError(what, place=name[:80], remedy=remedy) from None
    return path


def load_model(
    source: ModelSource | str,
    *,
    dtype: str = "float32",
    device_map: str | None = None,
    placed: bool = True,
) -> PreTrainedModel:
    """Load a model in evaluation mode, with a PEFT adapter merged into its base.

    ``dtype`` may be ``auto``. The weights go where ``device_map`` says, by default to the GPU if
    there is one. With ``placed=False`` they stay on the CPU: a trainer knows each process's GPU.

    Raises :class:`InputError` if the weights can't be read or are incomplete, or if the hub can't
    be reached.
    """
    source = find_model(source) if isinstance(source, str) else source
    if source.adapter is not None:
        adapted = load_adapted(source, dtype=dtype, device_map=device_map, placed=placed)
        return adapted.merge_and_unload().eval()
    with reading(source.name, source.weights):
        return _base_of(source, dtype=dtype, device_map=device_map, placed=placed).eval()


def load_adapted(
    source: ModelSource,
    *,
    dtype: str = "float32",
    device_map: str | None = None,
    placed: bool = True,
) -> PeftModel:
    """Load a base with its adapter unmerged; ``disable_adapter()`` switches the adapter off.

    If the adapter carries embeddings, the base is resized to their vocabulary (see
    :func:`~.adapting.brings_weights`). Placement and errors are those of :func:`load_model`; also
    raises :class:`InputError` for an adapter that doesn't fit its base.
    """
    with reading(source.name, source.weights, str(source.adapter)):
        model = _base_of(source, dtype=dtype, device_map=device_map, placed=placed)
    return with_adapter(model, source)


def with_adapter(model: PreTrainedModel, source: ModelSource) -> PeftModel:
    """``model``, the loaded base of ``source``, with the adapter's layers put into it.

    ``unload()`` takes them out again. Raises :class:`InputError` for an adapter that doesn't fit.
    """
    from peft import PeftModel

    folder = str(source.adapter)
    with reading(source.name, source.weights, folder), warnings.catch_warnings():
        # PEFT 0.21 asks transformers 5.24 for an attribute by its old name.
        warnings.filterwarnings(
            "ignore", "`is_gradient_checkpointing` is deprecated", category=FutureWarning
        )
        fit_vocabulary(model, folder)
        with fitting_adapter(model, folder):
            # By default PEFT loads the factors onto a GPU if there is one.
            adapted = PeftModel.from_pretrained(model, folder, torch_device=str(model.device))
        return adapted.eval()


def _base_of(
    source: ModelSource, *, dtype: str, device_map: str | None, placed: bool
) -> PreTrainedModel:
    import torch
    from transformers import AutoModelForCausalLM

    chosen = getattr(torch, settled(dtype, device_map=device_map))
    options: dict[str, Any] = {"dtype": chosen, "trust_remote_code": False}
    if device_map is not None:
        require_device(device_map)
        options["device_map"] = device_map
    with without_reports():
        # Mismatched sizes are refused below, where the message can name the first of them.
        model, loaded = AutoModelForCausalLM.from_pretrained(
            source.weights, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    require_whole(loaded, source.weights)
    if placed and device_map is None and torch.cuda.is_available():
        return model.to("cuda")
    return model


def load_tokenizer(source: ModelSource | str) -> PreTrainedTokenizerBase:
    """Load the model's tokenizer; the end token serves as padding only if it defines no other."""
    from transformers import AutoTokenizer

    source = find_model(source) if isinstance(source, str) else source
    with reading(source.name):
        tokenizer = AutoTokenizer.from_pretrained(source.tokenizer_path, trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def parameter_count(name: str) -> int | None:
    """Count a model's parameters from its files' headers; ``None`` without local safetensors."""
    from safetensors import safe_open

    weights = find_model(name).weights
    count = 0
    for path in sorted(Path(weights).glob("*.safetensors")):
        with reading(name, weights), safe_open(path, framework="np") as held:
            count += sum(math.prod(held.get_slice(key).get_shape()) for key in held.keys())  # noqa: SIM118
    return count or None


def fingerprint(source: ModelSource) -> str:
    """Return a digest that identifies the weights: weight files (name, size, content) and configs.

    Files up to 1 GiB are read in full. Larger files are sampled, 4 KiB in every 4 MiB (0.1 %, so
    that a 140 GB checkpoint takes seconds): a change to any matrix above 4 MiB is detected. A hub
    id is identified by its name alone.
    """
    parts: list[Any] = []
    for folder in (source.weights, source.adapter):
        if folder is None:
            continue
        if not Path(folder).is_dir():
            parts.append(folder)
            continue
        for path in sorted(Path(folder).iterdir()):
            if path.suffix in {".safetensors", ".bin"}:
                parts.append([path.name, path.stat().st_size, _content(path)])
            elif path.name in ("config.json", ADAPTER_CONFIG):
                parts.append([path.name, read_text(path, remedy="repair it")])
    return digest(parts)


def _content(
    path: Path, *, whole: int = 1 << 30, stride: int = 1 << 22, block: int = 1 << 12
) -> str:
    """Return the sha256 of a file; above ``whole`` bytes, of one block per stride."""
    size = path.stat().st_size
    if size <= whole:
        return sha256_of(path)
    sampled = hashlib.sha256()
    with open_file(path, remedy="replace it with a regular file") as file:
        for start in range(0, size, stride):
            file.seek(start)
            sampled.update(file.read(block))
    return sampled.hexdigest()
