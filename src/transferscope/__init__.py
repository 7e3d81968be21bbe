"""transferscope: what did the tuning carry over to everything else, and what did it cost?

::

    import transferscope as ts

    comparison = ts.compare("results/base", "results/tuned")
    comparison["tuned"].verdict

:mod:`transferscope.api` documents the functions. Names are loaded on first use, so that importing
the package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import ResultsWarning as ResultsWarning
    from .api import audit as audit
    from .api import compare as compare
    from .api import evaluate as evaluate
    from .api import gate as gate
    from .api import index as index
    from .api import load as load
    from .api import plan as plan
    from .api import probe_hidden as probe_hidden
    from .api import probe_tokens as probe_tokens
    from .api import probe_weights as probe_weights
    from .api import published as published
    from .api import rank as rank
    from .api import score as score
    from .api import study as study
    from .compare import compare_runs as compare_runs
    from .core.errors import InputError as InputError
    from .core.suite import Suite as Suite
    from .core.suite import load_suite as load_suite
    from .documents.comparison import Comparison as Comparison
    from .engines import FakeEngine as FakeEngine
    from .engines import HFEngine as HFEngine
    from .evaluate import evaluate_model as evaluate_model
    from .notebook import ComparisonView as ComparisonView
    from .probe.hidden import hidden_shift as hidden_shift
    from .probe.tokens import token_shift as token_shift
    from .runs import Run as Run
    from .runs import read_run as read_run
    from .runs.importers import import_results as import_results
    from .track import TransferCallback as TransferCallback
    from .track import trace as trace

__version__ = "0.1.0"

_API = (
    "audit",
    "compare",
    "evaluate",
    "gate",
    "index",
    "load",
    "plan",
    "probe_hidden",
    "probe_tokens",
    "probe_weights",
    "published",
    "rank",
    "score",
    "study",
)
"""Functions of :mod:`transferscope.api`."""
_HOME = {
    **dict.fromkeys((*_API, "ResultsWarning"), "api"),
    "Comparison": "documents.comparison",
    "ComparisonView": "notebook",
    "FakeEngine": "engines",
    "HFEngine": "engines",
    "InputError": "core.errors",
    "Run": "runs",
    "Suite": "core.suite",
    "compare_runs": "compare",
    "evaluate_model": "evaluate",
    "hidden_shift": "probe.hidden",
    "import_results": "runs.importers",
    "load_suite": "core.suite",
    "read_run": "runs",
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


class _CallablePackage(ModuleType):
    """A package with the name of an API function, such as ``transferscope.compare``.

    Python binds a package to its parent when it is imported, over the function of the same name.
    Calling the package calls the function, so that ``ts.compare(...)`` works before and after.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(import_module("transferscope.api"), name)(*args, **kwargs)


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        if name in _API and isinstance(value, ModuleType):
            value.__class__ = _CallablePackage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
