"""Transfer and loss over the steps of a training run.

:class:`TransferCallback` measures during training inside any Trainer of transformers or TRL;
:func:`trace` measures the checkpoints of a finished run.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Row": "trace_rows",
    "TransferCallback": "callback",
    "find_checkpoints": "checkpoint_traces",
    "read_rows": "trace_rows",
    "trace": "checkpoint_traces",
}
__all__ = ["Row", "TransferCallback", "find_checkpoints", "read_rows", "trace"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
