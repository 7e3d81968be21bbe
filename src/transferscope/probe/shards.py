"""A long probe in shards: on several machines by hand, or over Ray, with the same result.

Texts are put into batches first, and shard i of n takes every n-th batch: whatever n is, every
batch is the same, so that the shards together give what one run gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar
from zipfile import BadZipFile

import numpy as np

from ..core.errors import InputError, MissingExtra
from ..core.files import is_file, make_folder, open_file, write_filled
from ..core.records import Tick, no_tick

Part = TypeVar("Part")
"""A frozen dataclass of arrays: what one shard measured."""
T = TypeVar("T")
SHOWN = 8
"""Missing shards that a line lists."""
_NAME = re.compile(r"shard-([1-9][0-9]{0,3})-of-([1-9][0-9]{0,3})\.npz")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard ``number`` (from 1) of ``of``."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """``"2/8"``. Raises :class:`InputError` for anything else."""
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text.strip())
        number, of = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= of:
            remedy = "give i/n with 1 <= i <= n <= 9999, like 2/8"
            raise InputError(f"no shard {text!r}", remedy=remedy)
        return cls(number, of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def file_name(self) -> str:
        """Of the finished shard."""
        return f"shard-{self.number}-of-{self.of}.npz"

    def of_batches(self, batches: Sequence[T]) -> list[T]:
        """This shard's batches."""
        return list(batches[self.number - 1 :: self.of])


WHOLE = Shard(1, 1)


def all_shards(of: int) -> list[Shard]:
    """Shards 1 to ``of``."""
    return [Shard(number, of) for number in range(1, of + 1)]


def listed(shards: Sequence[str]) -> str:
    """The first few shards' names, and how many more there are."""
    more = len(shards) - SHOWN
    return ", ".join(shards[:SHOWN]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class ShardFolder(Generic[Part]):
    """Finished shards as ``shard-i-of-n.npz``; ``settings`` says what they belong to.

    ``part`` is the dataclass of arrays. Nothing is unpickled.
    """

    path: Path
    part: type[Part]
    settings: str

    @property
    def _names(self) -> list[str]:
        return [f.name for f in fields(self.part)]  # type: ignore[arg-type]

    def save(self, shard: Shard, found: Part) -> Path:
        """Write one finished shard; killed on the way, there is none."""
        make_folder(self.path)
        arrays: dict[str, Any] = {name: getattr(found, name) for name in self._names}
        file = self.path / shard.file_name
        arrays["settings"] = np.array(self.settings)
        write_filled(file, lambda out: np.savez(out, allow_pickle=False, **arrays))
        return file

    def load(self, shard: Shard) -> Part | None:
        """One finished shard, or ``None``. Raises :class:`InputError` for another probe's."""
        found = self._read(shard, self._names)
        return None if found is None else self.part(**found)

    def complete(self, *, resumed: int | None = None) -> list[Part] | None:
        """All parts where the shards of some n are all there, ``None`` where none are.

        Raises :class:`InputError` where some of n are missing: measuring everything anew beside
        them is hardly meant. ``resumed`` is an n whose missing shards are about to be measured.
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
                self._read(Shard(min(numbers), of), ())  # another probe's?
                raise self._incomplete(of, numbers)
        return None

    def _incomplete(self, of: int, numbers: set[int]) -> InputError:
        lacking = [str(shard) for shard in all_shards(of) if shard.number not in numbers]
        return InputError(
            f"{len(numbers)} of {of} shards are there, missing: {listed(lacking)}",
            place=str(self.path),
            remedy=f"run each (--shard {lacking[0]}), or all over Ray (--ray {of}); for a new "
            "probe name another --out",
        )

    def _read(self, shard: Shard, names: Sequence[str]) -> dict[str, Any] | None:
        """Arrays of a shard's file; ``settings`` first, since another probe's arrays differ."""
        file = self.path / shard.file_name
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
            raise InputError(what, place=str(file), remedy="name another --out")
        return arrays


def over_ray(
    measure: Callable[[Shard], Part],
    of: int,
    *,
    gpus: int | None = None,
    folder: ShardFolder[Part] | None = None,
    tick: Tick = no_tick,
) -> list[Part]:
    """Measure all shards as Ray tasks, those that ``folder`` has left out; parts in order.

    Joins the cluster that ``RAY_ADDRESS`` or ``ray.init`` named, else starts one on this machine.
    A task asks for ``gpus`` GPUs, by default for one where the cluster has any; without a GPU for
    its share of the cores. Ray shows it no other GPU, and models go onto those that are shown.

    Raises :class:`MissingExtra` without Ray, :class:`InputError` where no machine has so many GPUs,
    and what ``measure`` raises.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtra("ray", needed_for="probing over Ray workers") from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False, logging_level="ERROR")
    wants = task_resources([node["Resources"] for node in ray.nodes() if node["Alive"]], of, gpus)
    parts: dict[Shard, Part] = {}
    for shard in all_shards(of):
        if folder is not None and (held := folder.load(shard)) is not None:
            parts[shard] = held
    task, work = ray.remote(**wants)(_measured), ray.put(measure)
    pending = {task.remote(work, shard): shard for shard in all_shards(of) if shard not in parts}
    try:
        while pending:
            tick("shards", len(parts), of)
            ready, _ = ray.wait(list(pending))
            for reference in ready:
                shard = pending.pop(reference)
                parts[shard] = _result(ray, reference)
                if folder is not None:
                    folder.save(shard, parts[shard])
    finally:
        for reference in pending:
            ray.cancel(reference)
    tick("shards", of, of)
    return [parts[shard] for shard in all_shards(of)]


def task_resources(
    machines: Sequence[Mapping[str, float]], of: int, gpus: int | None
) -> dict[str, int]:
    """What one of ``of`` tasks asks Ray for; ``machines`` are each one's ``CPU`` and ``GPU``.

    A task runs on one machine, and waits for ever where none has what it asks for. Raises
    :class:`InputError` for more GPUs than any machine has.
    """
    cores_M, gpus_M = ([int(each.get(kind, 0)) for each in machines] for kind in ("CPU", "GPU"))
    most = max(gpus_M, default=0)
    if gpus is not None and gpus > most:
        what = f"no machine of the cluster has {gpus} GPUs, the largest {most}"
        raise InputError(what, place="--gpus-per-shard", remedy="ask for fewer, or leave it out")
    if wanted := min(1, most) if gpus is None else gpus:
        return {"num_cpus": 1, "num_gpus": wanted}
    return {"num_cpus": max(1, min(sum(cores_M) // of, max(cores_M, default=1)))}


def _measured(measure: Callable[[Shard], Part], shard: Shard) -> Part:
    return measure(shard)


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as err:
        if isinstance(err.cause, InputError):
            raise err.cause from None
        raise
