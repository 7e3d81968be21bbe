"""Write ``run.json`` atomically, read it, and check whether a run can resume another one."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from ..core.errors import InputError
from ..core.files import is_file, write_json
from ..documents.read_document import fault_of, read_document
from ..documents.run_manifest import Manifest

MANIFEST_FILE = "run.json"
REMEDY = "evaluate or import again with this version"


def refuse_another(folder: Path, existing: Manifest, asked: Manifest) -> None:
    """Raise :class:`InputError` if ``existing`` in ``folder`` can't be resumed as ``asked``.

    An evaluated run can be extended to more items of the same seed, not reduced to fewer.
    """
    there, wanted = existing.identity(), asked.identity()
    for name, value in there.items():
        if value == wanted[name]:
            continue
        shown = f": it has {value}, requested {wanted[name]}" if name != "decoding" else ""
        raise InputError(
            f"contains a run with a different {name}{shown}",
            place=str(folder),
            remedy="name another folder: --out DIR",
        )
    if asked.limit is not None and (existing.limit is None or existing.limit > asked.limit):
        again = "" if existing.limit is None else f"use --limit {existing.limit} or more, or "
        limits = f"it has {existing.limit}, requested {asked.limit}"
        raise InputError(
            f"contains a run with a different limit: {limits}",
            place=str(folder),
            remedy=f"{again}name another folder: --out DIR",
        )


def contradicts(what: str) -> str:
    """The note for an entry of ``contradictions``; callers put the benchmark's name before it."""
    return f"the samples contradict the reported results ({what}); the samples are used"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace ``run.json`` atomically: a reader sees the old or the new file, never a part."""
    write_json(folder / MANIFEST_FILE, manifest.to_json())


def read_manifest(folder: Path) -> Manifest:
    """Read ``run.json`` from ``folder``.

    Raises :class:`InputError` for a missing folder or file, another schema version, and content
    that is not a manifest.
    """
    path = folder / MANIFEST_FILE
    if not folder.is_dir():
        raise InputError("no such folder", place=str(folder), remedy="name a run folder")
    if not is_file(path):
        raise InputError(
            f"no {MANIFEST_FILE}", place=str(folder), remedy="name a run folder (or import it)"
        )
    manifest = read_document(Manifest, path, remedy=REMEDY)
    try:
        manifest.load_suite()
    except ValidationError as err:
        what = fault_of(err.errors()[0], inside="suite")
        raise InputError(what, place=str(path), remedy=REMEDY) from None
    return manifest
