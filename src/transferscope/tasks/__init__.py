"""Benchmark packs in plain Python. :mod:`.definition` defines what a benchmark is."""

from __future__ import annotations

from .definition import Benchmark, Item, Pack
from .packs import FILE_PACKS, LM_EVAL, PACKS, all_packs, find_benchmark
from .validation import Validation, validate

__all__ = [
    "FILE_PACKS",
    "LM_EVAL",
    "PACKS",
    "Benchmark",
    "Item",
    "Pack",
    "Validation",
    "all_packs",
    "find_benchmark",
    "validate",
]
