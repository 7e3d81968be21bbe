"""Parts that other machines have finished, kept in the run folder until all of them are there.

A part is one shard of one benchmark. ``.shards/BENCHMARK.2-of-8`` is a run folder with its answers.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import InputError
from ..core.files import make_folder, scratch_folder
from ..core.shard import Shard
from ..documents.run_manifest import Manifest
from ..runs import RunWriter, read_run
from ..runs.writer import SHARDS_FOLDER
from .benchmark_job import Asked, Job

_NAME = re.compile(r"(.+)\.([1-9][0-9]{0,3})-of-([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class PartStore:
    """The parts kept in the run folder ``out``."""

    out: Path

    @property
    def _folder(self) -> Path:
        return self.out / SHARDS_FOLDER

    def shards_of(self, benchmark: str) -> int | None:
        """The number of shards of a benchmark's parts that are kept; ``None`` if there is none."""
        found = map(_NAME.fullmatch, self._names())
        numbers = {int(match[3]) for match in found if match and match[1] == benchmark}
        return max(numbers, default=None)

    def load(self, job: Job, shard: Shard, manifest: Manifest) -> tuple[Manifest, Asked] | None:
        """A kept part with the answers that ``job`` (a share) lacks; ``None`` without one.

        A part of another evaluation than ``manifest`` is removed.
        """
        path = self._path(job, shard)
        if not path.is_dir():
            return None
        with suppress(InputError):
            run = read_run(path)
            there, wanted = run.manifest, replace(manifest, shard=str(shard))
            if manifest.template is None:  # known only once a model is loaded
                wanted = replace(wanted, template=there.template)
            name = job.item.benchmark
            ids = {o.id for o in run.outcomes} | {failure.id for failure in run.failures}
            same = there.identity() == wanted.identity() and there.limit == manifest.limit
            if same and ids == job.lacking:
                asked = Asked(list(run.outcomes), [*run.responses(name).values()], [*run.failures])
                return replace(there, shard=None, complete={}, status="running"), asked
        shutil.rmtree(path)
        return None

    def save(self, job: Job, shard: Shard, manifest: Manifest, asked: Asked) -> None:
        """Keep a part; if the process is killed meanwhile, no part appears."""
        make_folder(self._folder)
        with scratch_folder(self._folder) as scratch:
            run = scratch / "run"
            with RunWriter.open(run, replace(manifest, shard=str(shard))) as writer:
                name = job.item.benchmark
                writer.write_benchmark(name, asked.outcomes, asked.responses, asked.failures)
            run.replace(self._path(job, shard))

    def drop(self) -> None:
        """Remove all parts."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, job: Job, shard: Shard) -> Path:
        return self._folder / f"{job.item.benchmark}.{shard.number}-of-{shard.of}"

    def _names(self) -> Sequence[str]:
        return [path.name for path in self._folder.glob("*")]
