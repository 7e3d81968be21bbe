"""Sharding of a long probe: by hand on several machines, or on Ray, with the same result.

Texts are batched first, and shard i of n takes every n-th batch. The batches are the same for every
n, so the shards together give exactly what a single run gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar
from zipfile import BadZipFile

import numpy as np

from ..core.errors import InputError
from ..core.files import is_file, make_folder, open_file, write_filled
from ..core.records import Tick, no_tick
from ..core.shard import Shard, all_shards, listed
from ..core.worker_pool import Wants, connected, machines_of, over_workers

Part = TypeVar("Part")
"""A frozen dataclass of arrays with the measurements of one shard."""
_NAME = re.compile(r"shard-([1-9][0-9]{0,3})-of-([1-9][0-9]{0,3})\.npz")


def file_name(shard: Shard) -> str:
    """File name of the finished shard."""
    return f"shard-{shard.number}-of-{shard.of}.npz"


@dataclass(frozen=True, slots=True)
class ShardFolder(Generic[Part]):
    """Folder of finished shards, ``shard-i-of-n.npz``.

    ``part`` is the dataclass of arrays that a file holds; nothing is unpickled. ``settings`` is the
    digest of the probe, models, texts and options that the shards belong to.
    """

    path: Path
    part: type[Part]
    settings: str

    @property
    def _names(self) -> list[str]:
        return [f.name for f in fields(self.part)]  # type: ignore[arg-type]

    def save(self, shard: Shard, found: Part) -> Path:
        """Write one finished shard; if the process is killed meanwhile, no file appears."""
        make_folder(self.path)
        arrays: dict[str, Any] = {name: getattr(found, name) for name in self._names}
        file = self.path / file_name(shard)
        arrays["settings"] = np.array(self.settings)
        write_filled(file, lambda out: np.savez(out, allow_pickle=False, **arrays))
        return file

    def load(self, shard: Shard) -> Part | None:
        """Read a finished shard; ``None`` without one. Raises :class:`InputError` for others'."""
        found = self._read(shard, self._names)
        return None if found is None else self.part(**found)

    def complete(self, *, resumed: int | None = None) -> list[Part] | None:
        """Return all parts if every shard of some n is finished; ``None`` if none is.

        Raises :class:`InputError` if only some of n are finished, because measuring everything
        again is hardly intended. ``resumed`` is an n whose missing shards are about to be measured.
        """
        if not self.path.is_dir():
            return None
        there: dict[int, set[int]] = {}
        for file in self.path.iterdir():
            match = _NAME.fullmatch(file.name)
            if match and int(match[1]) <= int(match[2]):
                there.setdefault(int(match[2]), set()).add(int(match[1]))
        for of, numbers in sorted(there.items()):
            if len(numbers) == of:
                return [part for s in all_shards(of) if (part := self.load(s)) is not None]
        for of, numbers in sorted(there.items()):
            if of != resumed:
                self._read(Shard(min(numbers), of), ())  # refuses shards of another probe
                raise self._incomplete(of, numbers)
        return None

    def _incomplete(self, of: int, numbers: set[int]) -> InputError:
        lacking = [str(shard) for shard in all_shards(of) if shard.number not in numbers]
        return InputError(
            f"{len(numbers)} of {of} shards are finished, missing: {listed(lacking)}",
            place=str(self.path),
            remedy=f"run each missing shard (--shard {lacking[0]}) or all of them on Ray "
            f"(--ray {of}); for a new probe, choose another --out",
        )

    def _read(self, shard: Shard, names: Sequence[str]) -> dict[str, Any] | None:
        """Read arrays of a shard's file, ``settings`` first: another probe has other arrays."""
        file = self.path / file_name(shard)
        if not is_file(file):
            return None
        try:
            with (
                open_file(file, remedy="remove the file") as raw,
                np.load(raw, allow_pickle=False) as held,
            ):
                settings = str(held["settings"])
                mine = settings == self.settings
                arrays = {name: held[name] for name in names} if mine else {}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as err:
            what = f"can't be read: {' '.join(str(err).split())[:120]}"
            raise InputError(what, place=str(file), remedy="remove the file") from None
        if not mine:
            what = "is a shard of another probe, or of other models, texts or settings"
            raise InputError(what, place=str(file), remedy="choose another --out")
        return arrays


def over_ray(
    measure: Callable[[Shard], Part],
    of: int,
    *,
    gpus: int | None = None,
    folder: ShardFolder[Part] | None = None,
    tick: Tick = no_tick,
) -> list[Part]:
    """Measure the shards missing from ``folder`` on Ray workers; return all parts in order.

    Joins the cluster named by ``RAY_ADDRESS`` or ``ray.init``, else starts one on this machine. A
    worker requests ``gpus`` GPUs, by default one if the cluster has any, and without a GPU its
    share of the cores. Ray hides all other GPUs from the worker, and models are placed on the
    visible ones.

    Raises :class:`MissingExtra` without Ray, :class:`InputError` if no machine has that many GPUs,
    and whatever ``measure`` and :func:`~transferscope.core.worker_pool.over_workers` raise.
    """
    ray = connected(needed_for="probing over Ray workers")
    wants = task_resources(machines_of(ray), of, gpus)
    parts: dict[Shard, Part] = {}
    for shard in all_shards(of):
        if folder is not None and (held := folder.load(shard)) is not None:
            parts[shard] = held

    def keep(shard: Shard, part: Part) -> None:
        parts[shard] = part
        if folder is not None:
            folder.save(shard, part)
        tick("shards", len(parts), of)

    tick("shards", len(parts), of)
    missing = [shard for shard in all_shards(of) if shard not in parts]
    over_workers(ray, measure, missing, wants=wants, done=keep)
    return [parts[shard] for shard in all_shards(of)]


def task_resources(machines: Sequence[Mapping[str, float]], of: int, gpus: int | None) -> Wants:
    """Return what each of ``of`` workers requests from Ray.

    ``machines`` lists each machine's ``CPU`` and ``GPU`` counts. A worker runs on one machine and
    would wait forever if none had what it requests. Raises :class:`InputError` for more GPUs than
    any machine has.
    """
    cores_M, gpus_M = ([int(each.get(kind, 0)) for each in machines] for kind in ("CPU", "GPU"))
    most = max(gpus_M, default=0)
    if gpus is not None and gpus > most:
        what = f"no machine in the cluster has {gpus} GPUs; the largest has {most}"
        remedy = "request fewer, or leave the option out"
        raise InputError(what, place="--gpus-per-shard", remedy=remedy)
    if wanted := min(1, most) if gpus is None else gpus:
        return Wants(cpus=1, gpus=wanted)
    return Wants(cpus=max(1, min(sum(cores_M) // of, max(cores_M, default=1))))
