"""What a PEFT adapter's file holds besides its factors, and how all of it comes onto the base.

An adapter that was trained with more tokens than its base has brings embeddings of its own: PEFT
writes them over the base's without giving it the rows. It drops weights that find no place.
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
OWN_BASE = "set base_model_name_or_path to the base that it was trained on"


def plain_name(name: str) -> str:
    """A saved tensor's name in the base: without PEFT's prefix and wrappers."""
    plain = name.removeprefix(PREFIX)
    for wrapper in WRAPPERS:
        plain = plain.replace(f"{wrapper}.", ".").removesuffix(wrapper)
    return plain


def brings_weights(folder: str) -> bool:
    """Whether the adapter's file holds weights of the base, not only what its method adds.

    Then switching it off doesn't give the base back: embeddings of more tokens and biases are
    written over the base's. So it is where nothing can be told (a pickled file). Raises
    :class:`InputError` for a broken file.
    """
    from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING

    kind = str(read_json(Path(folder) / ADAPTER_CONFIG).get("peft_type"))
    added = PEFT_TYPE_TO_PREFIX_MAPPING.get(kind)
    if added is None:  # learned prompts leave all weights alone
        return False
    with reading(folder, folder):
        names = _saved_shapes(folder)
    return not names or any(added not in name for name in names)


def fit_vocabulary(base: PreTrainedModel, folder: str) -> None:
    """Give ``base`` as many tokens as the embeddings have that the adapter brings.

    Every new row must come with the adapter. Raises :class:`InputError` where the head's don't.
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
            f"the adapter brings embeddings of {wanted} tokens, but no output layer of so many",
            place=folder,
            remedy="save it again with save_embedding_layers=True",
        )
    base.resize_token_embeddings(wanted, mean_resizing=False)  # the new rows are overwritten


@contextmanager
def fitting_adapter(base: PreTrainedModel, folder: str) -> Iterator[None]:
    """Inside, an adapter is loaded onto ``base``; refused unless all of it finds its place."""
    unexpected: list[list[str]] = []
    # PEFT reports missing keys as a warning and hands the unexpected ones to nobody; the base's
    # part of the load sees the list that torch goes on filling until the load is over.
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
            f"could not load the adapter: nothing is known of {err}",
            place=folder,
            remedy="check adapter_config.json against the installed peft",
        ) from None
    except RuntimeError as err:
        lines = [line.strip() for line in str(err).splitlines()]
        wrong = [line for line in lines if line.startswith("size mismatch")]
        if not wrong:
            raise
        raise InputError(
            f"adapter weights have another shape than the base takes ({len(wrong)} in all, first "
            f"{wrong[0].partition(': copying')[0].removeprefix('size mismatch for ')})",
            place=folder,
            remedy=OWN_BASE,
        ) from None
    finally:
        handle.remove()
    saved = _saved_shapes(folder)
    if left := [key for keys in unexpected[-1:] for key in keys if not _is_second_copy(key, saved)]:
        raise InputError(
            f"adapter weights find no place in the base ({len(left)} in all, first {left[0]})",
            place=folder,
            remedy=OWN_BASE,
        )


def _is_second_copy(key: str, saved: Mapping[str, object]) -> bool:
    """PEFT saves an embedding of ``modules_to_save`` twice, and loads the one without wrapper."""
    return ".modules_to_save." in key and key.replace(".modules_to_save.", ".") in saved


def _saved_shapes(folder: str) -> dict[str, list[int]]:
    """Shapes of the tensors in the adapter's file by name; none where it is not safetensors."""
    from safetensors import safe_open

    path = Path(folder) / ADAPTER
    if not path.is_file():
        return {}
    with safe_open(path, framework="np") as file:
        return {name: list(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
