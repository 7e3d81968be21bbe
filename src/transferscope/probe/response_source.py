"""The model that wrote a run folder's responses, found by the manifest's weight fingerprint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.records import ModelRef
from ..models import find_model, fingerprint
from ..runs import read_run

if TYPE_CHECKING:
    from .tokens import Prefix


def writer_of(path: Path) -> ModelRef | None:
    """Return the model of a run folder; ``None`` for a file, which doesn't name one."""
    return read_run(path).manifest.model if path.is_dir() else None


def prefix_of(
    writer: ModelRef | None, base: str, tuned: str, *, said: Prefix | None = None
) -> Prefix:
    """Return which model wrote the responses: as ``said``, else by the writer's weights.

    The result is ``shared`` if nothing was said and the writer is neither model or unknown: a file,
    or a run whose manifest has no fingerprint (imported, or answered by a server). Any responses
    may be declared ``shared``.

    Raises :class:`InputError` if ``said`` names a model whose weights did not write the responses.
    """
    if writer is None or writer.fingerprint is None or said == "shared":
        return said or "shared"
    marks: dict[Prefix, str] = {
        "base": fingerprint(find_model(base)),
        "tuned": fingerprint(find_model(tuned)),
    }
    wrote = [side for side, mark in marks.items() if mark == writer.fingerprint]
    if said is not None and said not in wrote:
        whose = f"the {wrote[0]} model" if wrote else "neither of the two models"
        raise InputError(
            f"the {said} model did not write these responses: {writer.name} did, whose weights are "
            f"those of {whose}",
            place="--prefix",
            remedy="leave the option out, or name a run of that model",
        )
    return said or (wrote[0] if wrote else "shared")
