"""Run folders: written safely, resumed, read strictly, paired by (benchmark, id, repeat)."""

from .folder import SCHEMA, Manifest, Run, RunWriter, read_run
from .pairing import PairedBenchmark, Pairing, pair

__all__ = [
    "SCHEMA",
    "Manifest",
    "PairedBenchmark",
    "Pairing",
    "Run",
    "RunWriter",
    "pair",
    "read_run",
]
