"""Which format results are in: a format is one module here and one line in :data:`IMPORTERS`."""

from __future__ import annotations

from importlib import import_module
from itertools import islice
from pathlib import Path

from ...core.errors import InputError
from ...core.files import check_file, files_below, read_json, refuse_damaged
from ...core.mistaken import plain_files, refuse_mistaken
from ...core.modelnames import chosen_model, split_model
from ...core.plugins import plugins
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_suffix
from ..manifest import MANIFEST_FILE
from .checked import checked
from .foreign_run import Importer, Results

_ENDINGS = (".json", ".jsonl", ".csv", ".parquet", ".gz", ".eval")
LOOKED_AT = 1000
"""Files of a folder that are looked at to say why no format reads it."""
IMPORTERS = {
    "lm-eval": "lmeval",
    "lighteval": "lighteval",
    "evalscope": "evalscope",
    "opencompass": "opencompass",
    "helm": "helm",
    "evalplus": "evalplus",
    "qwen-math": "qwenmath",
    "inspect": "inspect_log",
    "eee": "eee",
    "jsonl": "jsonl",
    "json": "json_rows",
    "parquet": "parquet_rows",
    "csv": "score_table",
}
"""Format name to the module here that has its ``IMPORTER``, in the order they are tried."""


def read_results(path: Path, taxonomy: Taxonomy, format_: str = "auto") -> tuple[str, Results]:
    """The format's name, and the results at ``path`` (of one model: ``PATH::MODEL``).

    Raises :class:`InputError` for what can't be read, and for a model that isn't there.
    """
    file, model = split_model(path)
    name, importer = find_importer(file, format_)
    if (read_model := importer.read_model) is not None:
        return name, checked(lambda: read_model(file, taxonomy, model), file)
    results = checked(lambda: importer.read(file, taxonomy), file)
    if model is not None:
        chosen_model({results.model.name: str(file)}, model, file)
    return name, results


def find_importer(path: Path, format_: str = "auto") -> tuple[str, Importer]:
    """The importer for ``path`` and its name; "auto" asks each of them whether it reads it.

    Raises :class:`InputError` for an unknown format, a missing path and one that nobody reads.
    """
    if format_ != "auto":
        if format_ not in IMPORTERS:
            if format_ in (outside := plugins("importers")):
                return format_, outside[format_]
            known = ", ".join(["auto", *IMPORTERS, *outside])
            raise InputError(f"unknown format {format_!r}", remedy=f"use one of {known}")
        return format_, _load(format_)
    check_file(path, remedy="name results to import", folders=True)
    for name in IMPORTERS:
        if (importer := _load(name)).accepts(path):
            return name, importer
    for name, importer in plugins("importers").items():
        if importer.accepts(path):
            return name, importer
    inside = files_below(path, lambda name: name.endswith(_ENDINGS)) if path.is_dir() else [path]
    for file in islice(inside, LOOKED_AT):
        refuse_damaged(file)
        if bare_suffix(file) == ".json":
            read_json(file)
    refuse_mistaken(path)
    raise InputError(
        f"no {MANIFEST_FILE}, and no results in a format that is known",
        place=str(path),
        remedy=plain_files(path) or "name a run folder, or results of another harness",
    )


def _load(name: str) -> Importer:
    importer: Importer = import_module(f".{IMPORTERS[name]}", __package__).IMPORTER
    return importer
