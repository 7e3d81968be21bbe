"""Evaluate an engine's model on a suite into a run folder. lm-eval is loaded only for its tasks."""

from .backends import engine_options
from .benchmark_job import Planned
from .evaluate_model import check_model, evaluate_model, open_engine
from .run import default_limit, evaluate, plan

__all__ = [
    "Planned",
    "check_model",
    "default_limit",
    "engine_options",
    "evaluate",
    "evaluate_model",
    "open_engine",
    "plan",
]
