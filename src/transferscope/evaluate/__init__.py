"""Suite x engine -> run folder. Light at import; lm-eval loads when something is evaluated."""

from .model import evaluate_model
from .run import Planned, evaluate, plan

__all__ = ["Planned", "evaluate", "evaluate_model", "plan"]
