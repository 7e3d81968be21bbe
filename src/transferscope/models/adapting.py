"""Checks that every weight in a PEFT adapter's file is loaded onto the base.

An adapter trained with more tokens than its base has carries its own embeddings. PEFT writes them
over the base's without first resizing it, and silently drops weights that match no parameter.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.files import read_json
from .refusals import reading

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADAPTER, ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"
PREFIX = "base_model.model."
WRAPPERS = (".base_layer", ".modules_to_save.default", ".modules_to_save")
OWN_BASE = "set base_model_name_or_path to the base that the adapter was trained on"


def plain_name(name: str) -> str:
    """Return a saved tensor's name in the base, without PEFT's prefix and wrappers."""
    plain = name.removeprefix(PREFIX)
    for wrapper in WRAPPERS:
        plain = plain.replace(f"{wrapper}.", ".").removesuffix(wrapper)
    return plain


def brings_weights(folder: str) -> bool:
    """Whether the adapter's file replaces weights of the base, besides what its method adds.

    If so, disabling the adapter doesn't restore the base: enlarged embeddings and biases are
    written over the base's own. A file that can't be inspected (a pickled one) counts as replacing
    weights. Raises :class:`InputError` for a broken file.
    """
    from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING

    kind = str(read_json(Path(folder) / ADAPTER_CONFIG).get("peft_type"))
    added = PEFT_TYPE_TO_PREFIX_MAPPING.get(kind)
    if added is None:  # prompt-learning methods change no weights
        return False
    with reading(folder, folder):
        names = _saved_shapes(folder)
    return not names or any(added not in name for name in names)


def fit_vocabulary(base: PreTrainedModel, folder: str) -> None:
    """Resize ``base`` to the vocabulary of the embeddings in the adapter's file, if it has any.

    The adapter must supply every new row. Raises :class:`InputError` if it lacks those of an
    untied output layer.
    """
    embedding, head = base.get_input_embeddings(), base.get_output_embeddings()
    names = {id(module): f"{name}.weight" for name, module in base.named_modules()}
    rows = {plain_name(name): shape[0] for name, shape in _saved_shapes(folder).items() if shape}
    wanted = rows.get(names[id(embedding)])
    if wanted is None or wanted == len(embedding.weight):
        return
    tied = head is None or head.weight is embedding.weight
    if not tied and rows.get(names[id(head)]) != wanted:
        raise InputError(
            f"the adapter has embeddings for {wanted} tokens but no output layer of that size",
            place=folder,
            remedy="save the adapter again with save_embedding_layers=True",
        )
    base.resize_token_embeddings(wanted, mean_resizing=False)  # the new rows are overwritten


@contextmanager
def fitting_adapter(base: PreTrainedModel, folder: str) -> Iterator[None]:
    """Refuse an adapter loaded onto ``base`` inside this context unless all its weights fit.

    Raises :class:`InputError` for missing, unexpected or misshapen weights.
    """
    unexpected: list[list[str]] = []
    # PEFT reports missing keys as a warning and doesn't report unexpected ones at all. The base's
    # hook gets the list of unexpected keys, which torch keeps filling until the load ends.
    handle = base.register_load_state_dict_post_hook(
        lambda _module, keys: unexpected.append(keys.unexpected_keys)
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", ".*Found missing adapter keys", category=UserWarning)
            yield
    except UserWarning as err:
        keys = str(err).partition("[")[2].rstrip("].").replace("'", "").split(", ")
        raise InputError(
            f"the adapter lacks weights for this base ({len(keys)} in all, first {keys[0]})",
            place=folder,
            remedy=OWN_BASE,
        ) from None
    except KeyError as err:
        raise InputError(
            f"could not load the adapter: unknown name {err}",
            place=folder,
            remedy="check adapter_config.json against the installed version of peft",
        ) from None
    except RuntimeError as err:
        lines = [line.strip() for line in str(err).splitlines()]
        wrong = [line for line in lines if line.startswith("size mismatch")]
        if not wrong:
            raise
        raise InputError(
            f"adapter weights don't have the base's shapes ({len(wrong)} in all, first "
            f"{wrong[0].partition(': copying')[0].removeprefix('size mismatch for ')})",
            place=folder,
            remedy=OWN_BASE,
        ) from None
    finally:
        handle.remove()
    saved = _saved_shapes(folder)
    if left := [key for keys in unexpected[-1:] for key in keys if not _is_second_copy(key, saved)]:
        raise InputError(
            f"adapter weights match nothing in the base ({len(left)} in all, first {left[0]})",
            place=folder,
            remedy=OWN_BASE,
        )


def _is_second_copy(key: str, saved: Mapping[str, object]) -> bool:
    """Whether ``key`` duplicates an embedding that is also saved without its wrapper.

    PEFT saves an embedding in ``modules_to_save`` twice and loads the copy without the wrapper.
    """
    return ".modules_to_save." in key and key.replace(".modules_to_save.", ".") in saved


def _saved_shapes(folder: str) -> dict[str, list[int]]:
    """Return tensor shapes by name; empty if the adapter has no safetensors file."""
    from safetensors import safe_open

    path = Path(folder) / ADAPTER
    if not path.is_file():
        return {}
    with safe_open(path, framework="np") as file:
        return {name: list(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
