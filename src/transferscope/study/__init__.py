"""A controlled study: arms of one base under equal conditions, measured, held against claims."""

from .config import StudyConfig, demo_study, load_study, parse_study, shipped_adapters
from .pace import paced
from .plan import check_study, plan_study
from .stages import report_so_far, run_study

__all__ = [
    "StudyConfig",
    "check_study",
    "demo_study",
    "load_study",
    "paced",
    "parse_study",
    "plan_study",
    "report_so_far",
    "run_study",
    "shipped_adapters",
]
