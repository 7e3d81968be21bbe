"""The paper's published results as data, and the cohort's index recomputed from them."""

from .checks import CohortChecks, cohort_checks, cohort_plane, weight_share
from .cohort import PublishedModel, Recomputed, published_models, read_table, recompute
from .faults import FaultyColumn, ReleasedFault, ScoreBelowGuessing, faulty_columns

__all__ = [
    "CohortChecks",
    "FaultyColumn",
    "PublishedModel",
    "Recomputed",
    "ReleasedFault",
    "ScoreBelowGuessing",
    "cohort_checks",
    "cohort_plane",
    "faulty_columns",
    "published_models",
    "read_table",
    "recompute",
    "weight_share",
]
