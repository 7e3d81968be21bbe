"""``run.json`` on disk: written atomically, read as the document it is, held against another."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from ..core.errors import InputError
from ..core.files import is_file, write_json
from ..documents.read_document import fault_of, read_document
from ..documents.run_manifest import Manifest

MANIFEST_FILE = "run.json"
REMEDY = "evaluate or import again with this version"


def refuse_another(folder: Path, mine: Manifest, asked: Manifest) -> None:
    """Raise :class:`InputError` where a run that is ``mine`` can't be gone on with as ``asked``.

    An evaluated run takes more items of the same seed, not fewer.
    """
    there, wanted = mine.identity(), asked.identity()
    for name, value in there.items():
        if value == wanted[name]:
            continue
        shown = f": {value} there, {wanted[name]} asked for" if name != "decoding" else ""
        raise InputError(
            f"holds a run with another {name}{shown}",
            place=str(folder),
            remedy="name another folder: --out DIR",
        )
    if asked.limit is not None and (mine.limit is None or mine.limit > asked.limit):
        again = "" if mine.limit is None else f"ask for --limit {mine.limit} or more, or "
        raise InputError(
            f"holds a run with another limit: {mine.limit} there, {asked.limit} asked for",
            place=str(folder),
            remedy=f"{again}name another folder: --out DIR",
        )


def contradicts(what: str) -> str:
    """The sentence on a benchmark's entry in ``contradictions``; its name stands before it."""
    return f"the samples contradict the results beside them ({what}); the samples are used"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace ``run.json`` atomically: a reader sees the old or the new one, never a part."""
    write_json(folder / MANIFEST_FILE, manifest.to_json())


def read_manifest(folder: Path) -> Manifest:
    """``run.json`` of ``folder``.

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
