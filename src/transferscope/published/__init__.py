"""The paper's figures as data, and the cohort recomputed from them."""

from .cohort import PublishedModel, Recomputed, published_models, read_table, recompute

__all__ = ["PublishedModel", "Recomputed", "published_models", "read_table", "recompute"]
