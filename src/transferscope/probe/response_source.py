"""Whose responses a run folder holds: its manifest names the model and its fingerprint."""

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
    """The model of a run folder; ``None`` for a file, which doesn't say."""
    return read_run(path).manifest.model if path.is_dir() else None


def prefix_of(
    writer: ModelRef | None, base: str, tuned: str, *, said: Prefix | None = None
) -> Prefix:
    """The prefix of responses that ``writer`` wrote: what was ``said``, else what its weights say.

    ``shared`` where nothing was said and the writer is neither model or unknown: a file, or a run
    whose manifest has no fingerprint (imported, or answered by a server). Responses may be called
    ``shared`` whoever wrote them.

    Raises :class:`InputError` where one of the models is ``said`` and the weights are not its own.
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
            f"the responses are not the {said} model's: {writer.name} wrote them, by its weights "
            f"{whose}",
            place="--prefix",
            remedy="leave it out, or name a run of that model",
        )
    return said or (wrote[0] if wrote else "shared")
