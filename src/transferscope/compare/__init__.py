"""Base and tuned runs to a comparison: plane, index, tests, flips, artefact split."""

from .analysis import compare_runs
from .result import Comparison, TunedResult

__all__ = ["Comparison", "TunedResult", "compare_runs"]
