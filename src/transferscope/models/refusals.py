"""Refusals of unusable models that a library would load, each with a one-line error.

transformers initialises weights that a checkpoint lacks at random and only logs it. ``adapting.py``
covers the adapter faults that PEFT doesn't report.
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
"""Values of a device map other than the name of one device."""


@contextmanager
def reading(name: str, *folders: str | None) -> Iterator[None]:
    """Turn errors raised while a model's files are read into :class:`InputError`.

    ``name`` is the model's name; ``folders`` are searched for a broken weight file.
    """
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as err:
        raise InputError(
            f"is not a complete safetensors file: {first_line(err)}",
            place=_broken_file(folders) or name,
            remedy="copy or download it again",
        ) from None
    except FileNotFoundError as err:
        raise InputError(
            f"could not load: {first_line(err)}",
            place=name,
            remedy="copy or download the missing file, or correct the index file that names it",
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
            remedy="check that the weights match config.json and that there is enough memory",
        ) from None
    except TransferscopeError:
        raise
    except Exception as err:  # config.json or tokenizer.json holds something no library foresaw
        raise InputError(
            f"could not load: {type(err).__name__}: {' '.join(str(err).split())[:200]}",
            place=name,
            remedy="copy or download the model's configuration and tokenizer again",
        ) from None


def require_whole(loaded: Mapping[str, Any], name: str) -> None:
    """Refuse a model some of whose weights were initialised at random.

    ``loaded`` is transformers' loading info. It doesn't list weights that are tied to another one
    or computed. Raises :class:`InputError` for missing weights and wrong shapes.
    """
    if missing := sorted(loaded["missing_keys"]):
        raise InputError(
            f"the checkpoint lacks weights ({len(missing)} in all, first {missing[0]})",
            place=name,
            remedy="save or copy the complete model again",
        )
    if mismatched := sorted(loaded["mismatched_keys"]):
        key, saved, expected = mismatched[0]
        raise InputError(
            f"weights don't have the shapes that config.json implies ({len(mismatched)} in all, "
            f"first {key}: {tuple(saved)} instead of {tuple(expected)})",
            place=name,
            remedy="use the config.json that was saved with the weights",
        )


def require_device(device_map: str, *, place: str = "--device-map") -> None:
    """Refuse a device map that names a device missing on this machine."""
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
            f"this machine has no device {device_map!r}",
            place=place,
            remedy=f"use {', '.join(['auto', *here])}, or leave the option out",
        )


def require_ids(model: PreTrainedModel, ids: Sequence[Sequence[int]], *, name: str) -> None:
    """Refuse token ids outside the model's embedding: the tokenizer is from another model."""
    rows = model.get_input_embeddings().weight.shape[0]
    largest = max((max(row, default=0) for row in ids), default=0)
    if largest >= rows:
        raise InputError(
            f"the tokenizer produces id {largest}, but the model has only {rows} tokens",
            place=name,
            remedy="use the tokenizer that belongs to the model",
        )


def position_limit(model: PreTrainedModel) -> int | None:
    """Return the model's context length in tokens; ``None`` if it has no limit (recurrent)."""
    limit: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return limit


@contextmanager
def without_reports() -> Iterator[None]:
    """Silence transformers' progress bar and key table: our own messages take one line each."""
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
    """Return the first line of an error's text (at most 200 characters), or its type's name."""
    text = str(err).strip()
    return text.splitlines()[0][:200] if text else type(err).__name__


def _broken_file(folders: Sequence[str | None]) -> str | None:
    """Return the first weight file in ``folders`` whose header can't be read."""
    from safetensors import SafetensorError, safe_open

    for folder in folders:
        for path in sorted(Path(folder).glob("*.safetensors")) if folder else ():
            try:
                with safe_open(path, framework="np"):
                    pass
            except SafetensorError:
                return str(path)
    return None
