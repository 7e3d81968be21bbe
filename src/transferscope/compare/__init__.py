"""Compares tuned runs with their base: plane, index, tests, flips, artefact split."""

from ..documents.comparison import Comparison, TunedResult
from .analysis import compare_runs

__all__ = ["Comparison", "TunedResult", "compare_runs"]
