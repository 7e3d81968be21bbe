"""Documents of older versions made into ones of this version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

VERSION = 1
"""Of every document."""


def _numbered(document: dict[str, Any]) -> dict[str, Any]:
    """Documents had no number before version 1; nothing else was different."""
    return {**document, "schema": 1}


def _hidden(document: dict[str, Any]) -> dict[str, Any]:
    """The number of layers with axes was not written: it is that of layers with a shift."""
    layers = document.get("layers")
    if "n_layers_averaged" not in document and isinstance(layers, list):
        known = [
            layer for layer in layers if isinstance(layer, dict) and layer.get("dm1") is not None
        ]
        document = {**document, "n_layers_averaged": len(known)}
    return _numbered(document)


def _tokens(document: dict[str, Any]) -> dict[str, Any]:
    """Entropies were measured later, for the whole and for every part."""
    missing = dict.fromkeys(("entropy_base", "entropy_tuned"))
    parts = {
        name: {
            key: missing | part if isinstance(part, dict) else part
            for key, part in document[name].items()
        }
        for name in ("groups", "benchmarks")
        if isinstance(document.get(name), dict)
    }
    return _numbered({**missing, **document, **parts})


UNNUMBERED: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "HiddenShift": _hidden,
    "TokenShift": _tokens,
    "WeightShift": _numbered,
    "GateResult": _numbered,
}
"""By the model's name: what makes version 1 of a document without a number.

Comparisons and rankings without one lack what their verdicts rest on; they are refused. A run's
manifest has had a number from the first.
"""
