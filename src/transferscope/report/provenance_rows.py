"""Provenance as tables: first what differs between the runs, then what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .escaping import name, visible
from .figures import MANY
from .views import Grid


@dataclass(frozen=True, slots=True)
class Provenance:
    """``whole`` is about the comparison, ``differing`` and ``shared`` are about its runs."""

    whole: Grid
    differing: Grid
    shared: Grid


def provenance_rows(provenance: Mapping[str, Any]) -> Provenance:
    """Return the tables for ``provenance``, which has single values and one mapping per run.

    Each run is a column, or a row if there are too many runs for columns.
    """
    whole = tuple(
        (name(key), visible(_plain(value), 300))
        for key, value in provenance.items()
        if not isinstance(value, Mapping)
    )
    runs = {k: _flat(v) for k, v in provenance.items() if isinstance(v, Mapping)}
    keys = list(dict.fromkeys(key for run in runs.values() for key in run))
    found = {key: [run.get(key, "") for run in runs.values()] for key in keys}
    differing = {key: values for key, values in found.items() if len({*values}) > 1}
    shared = tuple((name(k), values[0]) for k, values in found.items() if k not in differing)
    rows = tuple((name(key), *values) for key, values in differing.items())
    table = Grid(("", *map(name, runs)), rows)
    if len(runs) > MANY:
        columns = zip(*differing.values(), strict=True)
        turned = tuple((name(run), *cells) for run, cells in zip(runs, columns, strict=False))
        table = Grid(("run", *map(name, differing)), turned)
    return Provenance(Grid(("", "value"), whole), table, Grid(("", "value"), shared))


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    for key, item in value.items():
        path = f"{prefix}{key}"
        if isinstance(item, Mapping):
            out |= _flat(item, f"{path}.")
        else:
            out[path] = visible(_plain(item), 300)
    return out


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return str(value)
