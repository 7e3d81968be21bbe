"""Checks whether a folder belongs to this arm, even if the folder or its input files have moved.

A configuration names files: queries, a teacher's responses, the start. Their paths change with the
working directory, the spelling of ``--out`` and the mount point, and the content under one path may
change too. The check therefore compares content, and falls back to paths only if there is no
content to compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..assets import sha256_of
from ..core.errors import InputError
from ..core.files import read_json
from ..models import find_model, fingerprint, local_path, machine_dtype
from .arm_config import PRECISIONS, ArmConfig

REMEDY = "name another folder, or remove this one"


def inputs_of(config: ArmConfig) -> dict[str, str]:
    """Return the content hash of every setting in ``config`` that names an existing file or folder.

    The options after a file of queries (``?level=3-5``) are part of its hash.
    """
    found = {}
    for setting, value in (("queries_from", config.queries_from), ("teacher", config.teacher)):
        name, mark, options = value.partition("?")
        if Path(name).is_file():
            found[setting] = f"{sha256_of(Path(name))}{mark}{options}"
    folder = local_path(config.model)
    # The weights of an already measured start may have been deleted: then only its path can be
    # compared.
    if any(folder.glob("*.safetensors")) or any(folder.glob("*.bin")):
        found["model"] = fingerprint(find_model(config.model))
    return found


def with_recorded_precision(config: ArmConfig, *records: Path) -> ArmConfig:
    """Return ``config`` with the precision in the first of ``records``, or else this machine's.

    This only replaces ``auto``. An arm that was started on another machine resumes in the precision
    it was started with.
    """
    if config.precision != "auto":
        return config
    for path in records:
        if path.is_file():
            theirs = read_json(path, remedy="remove this folder and train again").get("config")
            found = theirs.get("precision") if isinstance(theirs, dict) else None
            if found in PRECISIONS.values():
                return config.model_copy(update={"precision": found})
    return config.model_copy(update={"precision": PRECISIONS[machine_dtype()]})


def refuse_another(path: Path, record: Mapping[str, Any]) -> None:
    """Raise :class:`InputError` if ``path`` exists and is the record of another arm.

    A record that an older version wrote has no hashes. Its paths must then be equal.
    """
    if not path.exists():
        return
    there = read_json(path, remedy="remove this folder and train again")
    theirs, inputs = there.get("config"), there.get("inputs")
    config = dict(theirs) if isinstance(theirs, dict) else {}
    for setting, content in record["inputs"].items():
        before = inputs.get(setting) if isinstance(inputs, dict) else None
        if before is None:
            continue
        if before != content and config.get(setting) == record["config"][setting]:
            what = f"{setting} {config[setting]} has changed since this arm was started"
            raise InputError(what, place=str(path), remedy=REMEDY)
        if before == content:
            config[setting] = record["config"][setting]
    if there.get("schema") != record["schema"] or config != record["config"]:
        what = "this folder belongs to an arm with another configuration"
        raise InputError(what, place=str(path), remedy=REMEDY)
