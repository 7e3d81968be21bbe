"""Run folders: written safely, resumed, read strictly, paired by (benchmark, id, repeat)."""

from .alignment import PairedBenchmark
from .manifest import SCHEMA, Manifest
from .pairing import Pairing, pair
from .run_folder import Run, read_run
from .unpaired import Estimate, UnpairedBenchmark
from .writer import RunWriter

__all__ = [
    "SCHEMA",
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
