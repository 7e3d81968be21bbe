"""Settings of the vLLM engine, validated strictly before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..core.errors import InputError
from .server import PLACE

_SWITCH = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class VLLMOptions:
    """Settings of vLLM; ``None`` leaves vLLM's own default.

    ``tensor_parallel_size`` GPUs share the model. ``gpu_memory_utilization`` is the share of each
    GPU's memory to use (0..1). ``max_model_len`` limits prompt and answer, in tokens.
    ``enforce_eager`` skips compilation, which costs minutes at the first start.
    """

    tensor_parallel_size: int | None = None
    gpu_memory_utilization: float | None = None
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    enforce_eager: bool | None = None

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> VLLMOptions:
        """Parse ``key=value`` pairs. Raises :class:`InputError` for unknown keys and values."""
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(given) - set(known)):
            what = f"engine vllm has no option {unknown[0]!r}"
            raise InputError(what, place=PLACE, remedy=f"use {', '.join(known)}")
        return cls(**{name: _READERS[name](name, text) for name, text in given.items()})

    def chosen(self) -> dict[str, Any]:
        """The settings that differ from vLLM's defaults, as arguments of ``vllm.LLM``."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


def _wrong(name: str, remedy: str) -> InputError:
    return InputError("can't be used", place=f"{PLACE} {name}", remedy=remedy)


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:10]) < 10**9):
        raise _wrong(name, "use a whole number above 0")
    return int(text)


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 < share <= 1.0:
        raise _wrong(name, "use a number above 0, at most 1")
    return share


def _switch(name: str, text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise _wrong(name, "use yes or no")
    return _SWITCH[text.lower()]


_READERS: dict[str, Callable[[str, str], Any]] = {
    "tensor_parallel_size": _count,
    "gpu_memory_utilization": _share,
    "max_model_len": _count,
    "max_num_seqs": _count,
    "enforce_eager": _switch,
}
