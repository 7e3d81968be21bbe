"""The packs of benchmarks: the built-in ones, and those of installed plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import InputError
from ..core.nearest import did_you_mean
from ..core.plugins import plugins
from .definition import Benchmark, Pack
from .mini import BENCHMARKS as MINI
from .paper import PRESETS

LM_EVAL = "lm-eval"
"""The pack whose benchmarks are tasks of the installed lm-eval (``lm-eval:TASK,TASK``)."""
PACKS: Mapping[str, Pack] = {"mini": MINI, **PRESETS}
"""The built-in packs, by name."""


FILE_PACKS = frozenset(PRESETS)
"""The packs whose items are read from files and are therefore finite."""


def all_packs() -> Mapping[str, Pack]:
    """All packs by name; a plugin can't replace a built-in pack.

    Raises :class:`InputError` for a plugin that is not a mapping of names to benchmarks.
    """
    taken = (*PACKS, LM_EVAL)
    found = {name: pack for name, pack in plugins("benchmarks").items() if name not in taken}
    for name, pack in found.items():
        if not _is_pack(pack):
            remedy = "its entry point must be a mapping of names to transferscope.tasks.Benchmark"
            raise InputError("not a pack of benchmarks", place=f"plugin {name!r}", remedy=remedy)
    return {**PACKS, **found}


def find_benchmark(pack: str, name: str, packs: Mapping[str, Pack], *, place: str) -> Benchmark:
    """The benchmark ``name`` of ``pack``.

    Raises :class:`InputError` (naming ``place``) for an unknown pack or benchmark.
    """
    if pack not in packs:
        remedy = f"use one of {', '.join(sorted((*packs, LM_EVAL)))}"
        raise InputError(f"unknown pack {pack!r}", place=place, remedy=remedy)
    if name not in packs[pack]:
        what = f"pack {pack} has no benchmark {name!r}"
        raise InputError(what, place=place, remedy=did_you_mean(name, packs[pack]))
    return packs[pack][name]


def _is_pack(pack: Any) -> bool:
    if not isinstance(pack, Mapping):
        return False
    pairs = pack.items()
    return all(isinstance(name, str) and isinstance(b, Benchmark) for name, b in pairs)
