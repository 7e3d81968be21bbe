"""The paper's published results as data, and the cohort's index recomputed from them."""

from .checks import CohortChecks, cohort_checks, cohort_plane, weight_share
from .cohort import PublishedModel, Recomputed, published_models, read_table, recompute

__all__ = [
    "CohortChecks",
    "PublishedModel",
    "Recomputed",
    "cohort_checks",
    "cohort_plane",
    "published_models",
    "read_table",
    "recompute",
    "weight_share",
]
