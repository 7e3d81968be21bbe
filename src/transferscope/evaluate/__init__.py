"""Suite x engine -> run folder. Light at import; lm-eval loads when something is evaluated."""

from .run import Planned, evaluate, plan

__all__ = ["Planned", "evaluate", "plan"]
