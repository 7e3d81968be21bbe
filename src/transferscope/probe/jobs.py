"""Probe jobs: the full probe, one shard of it, or all shards on Ray, with finished shards kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ..core.errors import InputError
from ..core.files import check_folder, refusing
from ..core.hidden_shift import Features, HiddenShift, measure_parts
from ..core.position_shifts import PositionShifts
from ..core.records import Tick, digest, no_tick
from ..core.shard import WHOLE, Shard, all_shards, listed
from ..core.token_shift import TokenShift
from ..models import AUTO, settled
from .hidden import hidden_features
from .shard_identity import identity
from .shards import ShardFolder, file_name, over_ray
from .texts import Responses, Texts
from .tokens import Prefix, summed_up, token_positions


class _Joined(Protocol):
    """A dataclass of arrays whose parts can be concatenated."""

    @classmethod
    def joined(cls, parts: Any) -> Any:
        """Combine the parts into one."""


Part = TypeVar("Part", bound=_Joined)


@dataclass(frozen=True, slots=True)
class Split:
    """How to run a probe.

    ``out`` is the folder for finished shards, ``shard`` the one shard to run, ``ray`` the number of
    shards to run on Ray, and ``gpus_per_shard`` the GPUs per Ray task (default: 1 if a GPU is
    available).

    Raises :class:`InputError` for options that exclude each other.
    """

    out: Path | None = None
    shard: Shard | None = None
    ray: int | None = None
    gpus_per_shard: int | None = None

    def __post_init__(self) -> None:
        if self.shard is not None and self.out is None:
            raise InputError("--shard needs a folder for its result", remedy="add --out DIR")
        if self.shard is not None and self.ray is not None:
            raise InputError("--shard and --ray exclude each other", remedy="leave one out")
        if self.gpus_per_shard is not None and self.ray is None:
            raise InputError("--gpus-per-shard only applies with --ray", remedy="add --ray N")
        if self.folder is not None:
            _require_writable(self.folder)

    @property
    def folder(self) -> Path | None:
        """Folder of the finished shards."""
        return None if self.out is None else self.out / "shards"

    def missing(self) -> list[str]:
        """Return the shards, as in ``"2/8"``, that are not finished yet."""
        if self.shard is None or self.folder is None:
            return []
        there = {file.name for file in self.folder.iterdir()} if self.folder.is_dir() else set()
        return [str(s) for s in all_shards(self.shard.of) if file_name(s) not in there]

    def left(self) -> str:
        """Say which shards are still missing."""
        missing = self.missing()
        return f"still to do: {listed(missing)}" if missing else "all shards are finished"


def _require_writable(out: Path) -> None:
    """Raise :class:`InputError` if ``out`` isn't writable, before hours of work; create nothing."""
    check_folder(out, remedy="name a folder: --out DIR")
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    with (
        refusing(out, "can't be written to", remedy="name another --out"),
        tempfile.TemporaryFile(dir=there),
    ):
        pass


def probe_hidden(
    base: str, tuned: str, texts: Texts, split: Split, *, tick: Tick = no_tick, **options: Any
) -> HiddenShift | None:
    """Run :func:`~.hidden.hidden_shift` in shards; return ``None`` after one of several shards."""
    options = _with_dtype(options)
    measure = partial(hidden_features, base, tuned, texts.rows, **options)
    settings = partial(_settings, "hidden", base, tuned, texts.rows, options)
    found = _Job(Features, measure, settings).run(split, tick=tick)
    if found is None:
        return None
    return replace(measure_parts(found, texts.labels), n_skipped=texts.n_skipped)


def probe_tokens(
    base: str,
    tuned: str,
    responses: Responses,
    split: Split,
    *,
    prefix: Prefix = "shared",
    tick: Tick = no_tick,
    **options: Any,
) -> tuple[PositionShifts, TokenShift] | None:
    """Run :func:`~.tokens.token_shift` in shards; return its positions and aggregates.

    Returns ``None`` after one of several shards.
    """
    rows, options = responses.rows, _with_dtype(options)
    measure = partial(token_positions, base, tuned, rows, prefix=prefix, **options)
    settings = partial(_settings, "tokens", base, tuned, rows, prefix, options)
    found = _Job(PositionShifts, measure, settings).run(split, tick=tick)
    if found is None:
        return None
    shift = summed_up(base, found, prefix=prefix, n_responses=len(rows), labels=responses.labels)
    return found, shift


def _with_dtype(options: dict[str, Any]) -> dict[str, Any]:
    """Resolve ``auto`` for this machine: shards only fit together if their dtype is the same."""
    if options.get("dtype") != AUTO:
        return options
    return options | {"dtype": settled(AUTO, device_map=options.get("device_map"))}


def _settings(probe: str, base: str, tuned: str, *rest: Any) -> str:
    return digest([probe, identity(base), identity(tuned), *rest])


@dataclass(frozen=True, slots=True)
class _Job(Generic[Part]):
    part: type[Part]
    measure: Callable[..., Part]
    settings: Callable[[], str]

    def run(self, split: Split, *, tick: Tick) -> Part | None:
        folder = None
        if split.folder is not None:
            folder = ShardFolder(split.folder, self.part, self.settings())
        if split.shard is not None and folder is not None:
            if folder.load(split.shard) is None:
                folder.save(split.shard, self.measure(shard=split.shard, tick=tick))
            if split.shard.of > 1:
                return None
        parts = folder.complete(resumed=split.ray) if folder is not None else None
        if parts is None and split.ray is not None:
            options: dict[str, Any] = {"gpus": split.gpus_per_shard, "folder": folder, "tick": tick}
            parts = over_ray(_Task(self.measure), split.ray, **options)
        if parts is None:
            parts = [self.measure(shard=WHOLE, tick=tick)]
            if folder is not None:
                folder.save(WHOLE, parts[0])
        found: Part = self.part.joined(parts)
        return found


@dataclass(frozen=True, slots=True)
class _Task(Generic[Part]):
    """The measurement sent to a Ray worker, without progress reports: it has no terminal."""

    measure: Callable[..., Part]

    def __call__(self, shard: Shard) -> Part:
        return self.measure(shard=shard)
