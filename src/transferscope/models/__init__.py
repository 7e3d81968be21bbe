"""Loading of weights and tokenizers by known name, folder, adapter folder or hub id."""

from .adapting import brings_weights, plain_name
from .encoding import carries_start, encode
from .loading import (
    KNOWN,
    ModelSource,
    find_model,
    fingerprint,
    load_adapted,
    load_model,
    load_tokenizer,
    local_path,
    parameter_count,
    with_adapter,
)
from .precision import AUTO, DTYPES, Dtype, machine_dtype, settled
from .refusals import position_limit, reading, require_ids

__all__ = [
    "AUTO",
    "DTYPES",
    "KNOWN",
    "Dtype",
    "ModelSource",
    "brings_weights",
    "carries_start",
    "encode",
    "find_model",
    "fingerprint",
    "load_adapted",
    "load_model",
    "load_tokenizer",
    "local_path",
    "machine_dtype",
    "parameter_count",
    "plain_name",
    "position_limit",
    "reading",
    "require_ids",
    "settled",
    "with_adapter",
]
