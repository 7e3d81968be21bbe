"""What a worker of an evaluation needs of its machine: GPUs, cores, memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..core.worker_pool import Wants
from ..models import find_model

BESIDE_BYTES = 2**31
"""Memory of a worker beside the weights: libraries, and the keys and values of a batch."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """How to spread an evaluation: ``address`` of the Ray cluster (``local``: this machine).

    ``shards`` is the number of parts of every benchmark; ``gpus`` and ``cpus`` are those of one
    worker. ``None`` leaves the choice to this package.
    """

    address: str
    shards: int | None = None
    gpus: int | None = None
    cpus: int | None = None

    def __post_init__(self) -> None:
        counts = (("--shards", self.shards, 1), ("--cpus-per-worker", self.cpus, 1))
        for option, value, least in (*counts, ("--gpus-per-worker", self.gpus, 0)):
            if value is not None and not least <= value <= 9999:
                raise InputError(f"must be a number from {least} to 9999", place=option)

    def wants(
        self, machines: Sequence[Mapping[str, float]], engine: str, models: Sequence[str]
    ) -> Wants:
        """What each worker requests.

        Engine ``hf`` gets one GPU if the cluster has any. A worker without a GPU gets all cores of
        a machine, because one model uses them all; if machines differ, those of the smallest.
        Memory is estimated from the weights' files. Raises :class:`InputError` for more GPUs than
        any machine has.
        """
        cores = [int(each["CPU"]) for each in machines if each.get("CPU", 0.0) >= 1.0]
        most = max((int(each.get("GPU", 0.0)) for each in machines), default=0)
        if self.gpus is not None and self.gpus > most:
            what = f"no machine in the cluster has {self.gpus} GPUs; the largest has {most}"
            remedy = "request fewer, or leave the option out"
            raise InputError(what, place="--gpus-per-worker", remedy=remedy)
        loads = engine != "openai"
        gpus = self.gpus if self.gpus is not None else min(1, most) if loads else 0
        cpus = self.cpus or (1 if gpus else min(cores, default=1))
        memory = 0
        if loads:  # without a GPU, weights stored in 16 bits may be computed in 32
            largest = max(map(weight_bytes, models), default=0)
            memory = BESIDE_BYTES + largest * (1 if gpus else 2)
        return Wants(cpus, gpus, memory)


def weight_bytes(model: str) -> int:
    """Bytes of the model's weight files; 0 for a hub id."""
    folder = Path(find_model(model).weights)
    files = [*folder.glob("*.safetensors"), *folder.glob("*.bin")] if folder.is_dir() else []
    return sum(file.stat().st_size for file in files)
