"""A controlled study: train arms on one base under equal conditions, measure them, test claims."""

from .pace import paced
from .plan import check_study, plan_study
from .stages import report_so_far, run_study
from .study_config import StudyConfig, demo_study, load_study, parse_study, shipped_adapters

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
