"""Selecting one of several models in a file or folder: ``PATH::MODEL``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .errors import InputError
from .nearest import nearest
from .shown import listed
from .shown import name as shown

MODEL_MARK = "::"
"""Separates the file or folder from the name of a model in it."""
SHOWN = 8
"""Maximum number of models listed in an error message."""


def split_model(path: Path) -> tuple[Path, str | None]:
    """Split ``PATH::MODEL`` into the path and the model's name (``None`` if there is none)."""
    file, marked, model = str(path).partition(MODEL_MARK)
    if not marked or not model or not file or path.exists():
        return path, None
    return Path(file), model


def chosen_model(models: Mapping[str, str], wanted: str | None, path: Path) -> str:
    """The name of the model to read. ``models`` maps names to the places that first mention them.

    ``wanted`` may differ in case, or omit the part before the last "/". Raises :class:`InputError`
    listing the models if there are several and none is wanted, or if the wanted one is missing.
    """
    names = list(models)
    if wanted is None:
        if len(names) == 1:
            return names[0]
        raise InputError(
            f"contains results of {len(names)} models ({listed(names, SHOWN)})",
            place=models[names[1]],
            remedy=f"name one of them: {path}{MODEL_MARK}{shown(names[0])}",
        )
    if wanted in names:
        return wanted
    low = wanted.casefold()
    alike = [name for name in names if name.casefold() == low]
    for same in (alike, [name for name in names if name.casefold().endswith(f"/{low}")]):
        if len(same) == 1:
            return same[0]
    bare = {name.rpartition("/")[2]: name for name in reversed(names)}
    near = [bare.get(name, name) for name in nearest(wanted, [*names, *bare], n=1)]
    remedy = f"did you mean {path}{MODEL_MARK}{shown(near[0])}?" if near else "name one of them"
    what = f"no model {shown(wanted)!r}, only {listed(names, SHOWN)}"
    raise InputError(what, place=str(path), remedy=remedy)
