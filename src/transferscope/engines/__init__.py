"""Engines: one interface over transformers, servers and a fake; names are imported lazily."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fake import FakeEngine
    from .hf import HFEngine
    from .openai import OpenAIEngine
    from .protocol import Engine
    from .server import ServerOptions
    from .vllm import VLLMEngine
    from .vllm_options import VLLMOptions

__all__ = [
    "Engine",
    "FakeEngine",
    "HFEngine",
    "OpenAIEngine",
    "ServerOptions",
    "VLLMEngine",
    "VLLMOptions",
]

_HOME = {
    "Engine": "protocol",
    "FakeEngine": "fake",
    "HFEngine": "hf",
    "OpenAIEngine": "openai",
    "ServerOptions": "server",
    "VLLMEngine": "vllm",
    "VLLMOptions": "vllm_options",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
