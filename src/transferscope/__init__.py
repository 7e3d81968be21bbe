"""transferscope: what did the tuning carry over to everything else, and what did it cost?

The public names load their modules on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Comparison": "compare",
    "FakeEngine": "engines",
    "HFEngine": "engines",
    "InputError": "core.errors",
    "Run": "runs",
    "Suite": "core.suite",
    "compare_runs": "compare",
    "gate": "compare.gate",
    "evaluate_model": "evaluate",
    "hidden_shift": "probe.hidden",
    "import_results": "runs.importers",
    "load_suite": "core.suite",
    "rank": "compare.rank",
    "read_run": "runs",
    "score": "grade.score",
    "TransferCallback": "track",
    "token_shift": "probe.tokens",
    "trace": "track",
}

__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604 - names are loaded lazily below


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'transferscope' has no attribute {name!r}")
    return getattr(import_module(f"transferscope.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
