"""Suite x engine -> run folder. Light at import; lm-eval loads when something is evaluated."""

from .ask_benchmark import Planned
from .backends import engine_options
from .evaluate_model import check_model, evaluate_model, open_engine
from .run import evaluate, plan

__all__ = [
    "Planned",
    "check_model",
    "engine_options",
    "evaluate",
    "evaluate_model",
    "open_engine",
    "plan",
]
