"""Run folders: safe writing, resuming, strict reading, and pairing by (benchmark, id, repeat)."""

from ..documents.run_manifest import Manifest
from .pairing import PairedBenchmark, Pairing, pair
from .run_folder import Run, read_run
from .unpaired import Estimate, UnpairedBenchmark
from .writer import RunWriter

__all__ = [
    "Estimate",
    "Manifest",
    "PairedBenchmark",
    "Pairing",
    "Run",
    "RunWriter",
    "UnpairedBenchmark",
    "pair",
    "read_run",
]
