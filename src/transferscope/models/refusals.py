"""What makes a model unusable although a library would load it, each told in one line.

transformers gives random numbers to weights that a checkpoint lacks, and only logs it. What PEFT
doesn't tell of adapters stands in ``adapting.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError, TransferscopeError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SPREADS = ("auto", "balanced", "balanced_low_0", "sequential")
"""What a device map may say besides the name of one device."""


@contextmanager
def reading(name: str, *folders: str | None) -> Iterator[None]:
    """Inside, what goes wrong with a model's files is an :class:`InputError`.

    ``name`` is the model's, ``folders`` where its weight files are looked for.
    """
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as err:
        raise InputError(
            f"is no whole safetensors file: {first_line(err)}",
            place=_broken_file(folders) or name,
            remedy="copy or download it again",
        ) from None
    except FileNotFoundError as err:
        raise InputError(
            f"could not load: {first_line(err)}",
            place=name,
            remedy="copy or download the missing file, or correct the index that names it",
        ) from None
    except (OSError, ValueError) as err:
        raise InputError(
            f"could not load: {first_line(err)}",
            place=name,
            remedy="check the name and the network (a hub id needs the hub), or use a local folder",
        ) from None
    except RuntimeError as err:
        raise InputError(
            f"could not load: {first_line(err)}",
            place=name,
            remedy="check the weights against config.json, and that the memory suffices",
        ) from None
    except TransferscopeError:
        raise
    except Exception as err:  # config.json or tokenizer.json holds what no library foresaw
        raise InputError(
            f"could not load: {type(err).__name__}: {' '.join(str(err).split())[:200]}",
            place=name,
            remedy="copy or download its configuration and its tokenizer again",
        ) from None


def require_whole(loaded: Mapping[str, Any], name: str) -> None:
    """Refuse a model of whose weights ``loaded`` (transformers' loading info) says some are random.

    What is tied to another weight, or computed, is not in that list.
    """
    if missing := sorted(loaded["missing_keys"]):
        raise InputError(
            f"the checkpoint lacks weights ({len(missing)} in all, first {missing[0]})",
            place=name,
            remedy="save or copy the whole model again",
        )
    if mismatched := sorted(loaded["mismatched_keys"]):
        key, saved, expected = mismatched[0]
        raise InputError(
            f"weights have another shape than config.json says ({len(mismatched)} in all, first "
            f"{key}: {tuple(saved)} in place of {tuple(expected)})",
            place=name,
            remedy="use the config.json that was saved with the weights",
        )


def require_device(device_map: str, *, place: str = "--device-map") -> None:
    """Refuse a device map that names a device which this machine doesn't have."""
    if device_map in SPREADS:
        return
    import torch

    try:
        usable = torch.empty(0, device=device_map).device.type != "meta"  # meta holds no numbers
    except (RuntimeError, AssertionError, NotImplementedError):
        usable = False
    if not usable:
        here = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
        raise InputError(
            f"there is no device {device_map!r} here",
            place=place,
            remedy=f"use {', '.join(['auto', *here])}, or leave it out",
        )


def require_ids(model: PreTrainedModel, ids: Sequence[Sequence[int]], *, name: str) -> None:
    """Refuse token ids beyond the model's embedding: the tokenizer is another model's."""
    rows = model.get_input_embeddings().weight.shape[0]
    largest = max((max(row, default=0) for row in ids), default=0)
    if largest >= rows:
        raise InputError(
            f"the tokenizer gives id {largest}, but the model has only {rows} tokens",
            place=name,
            remedy="use the tokenizer that belongs to the model",
        )


def position_limit(model: PreTrainedModel) -> int | None:
    """How many tokens the model reads at once; ``None`` where it states no length (recurrent)."""
    limit: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return limit


@contextmanager
def without_reports() -> Iterator[None]:
    """Neither transformers' bar over tensors nor its table of keys: ours say both in one line."""
    from transformers.utils import logging as theirs

    shown = theirs.is_progress_bar_enabled()
    logger = logging.getLogger("transformers.modeling_utils")

    def no_report(record: logging.LogRecord) -> bool:
        return "LOAD REPORT" not in record.getMessage()

    theirs.disable_progress_bar()
    logger.addFilter(no_report)
    try:
        yield
    finally:
        logger.removeFilter(no_report)
        if shown:
            theirs.enable_progress_bar()


def first_line(err: Exception) -> str:
    """The first line of an error's text, or its type's name."""
    text = str(err).strip()
    return text.splitlines()[0][:200] if text else type(err).__name__


def _broken_file(folders: Sequence[str | None]) -> str | None:
    """The first weight file in ``folders`` whose header can't be read."""
    from safetensors import SafetensorError, safe_open

    for folder in folders:
        for path in sorted(Path(folder).glob("*.safetensors")) if folder else ():
            try:
                with safe_open(path, framework="np"):
                    pass
            except SafetensorError:
                return str(path)
    return None
