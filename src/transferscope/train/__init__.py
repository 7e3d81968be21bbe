"""Controlled training arms of one base: the same queries, another source of responses each."""

from .config import DEMO, ArmConfig
from .queries import Query, make_queries

__all__ = ["ARMS", "DEMO", "ArmConfig", "Query", "is_complete", "make_queries", "train_arm"]
