"""Names to weights and tokenizers: known name, folder, adapter, hub id."""

from .encoding import carries_start, encode
from .loading import (
    KNOWN,
    ModelSource,
    find_model,
    fingerprint,
    load_adapted,
    load_model,
    load_tokenizer,
    parameter_count,
)
from .refusals import position_limit, require_ids

__all__ = [
    "KNOWN",
    "ModelSource",
    "carries_start",
    "encode",
    "find_model",
    "fingerprint",
    "load_adapted",
    "load_model",
    "load_tokenizer",
    "parameter_count",
    "position_limit",
    "require_ids",
]
