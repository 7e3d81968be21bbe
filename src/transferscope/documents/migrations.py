"""Migrates documents of older versions to the current version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

VERSION = 1
"""Current version of every document."""


def _numbered(document: dict[str, Any]) -> dict[str, Any]:
    """Add the version: documents had none before version 1, and nothing else changed."""
    return {**document, "schema": 1}


def _hidden(document: dict[str, Any]) -> dict[str, Any]:
    """Add the number of layers with axes, which equals the number of layers with a shift."""
    layers = document.get("layers")
    if "n_layers_averaged" not in document and isinstance(layers, list):
        known = [
            layer for layer in layers if isinstance(layer, dict) and layer.get("dm1") is not None
        ]
        document = {**document, "n_layers_averaged": len(known)}
    return _numbered(document)


def _tokens(document: dict[str, Any]) -> dict[str, Any]:
    """Add the entropies, which old versions did not measure, to the whole and to every part."""
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
"""Migrations to version 1 of documents without a version, by the model's name.

Comparisons and rankings without a version are refused, because they lack what their verdicts need.
A run's manifest has always had a version.
"""
