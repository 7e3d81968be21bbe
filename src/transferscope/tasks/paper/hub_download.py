"""Download a source from the hub into the data folder, at its revision.

Only data files are fetched, by ``huggingface_hub``: no code of a data set runs. Its environment
variables apply (``HF_TOKEN``, ``HF_ENDPOINT``, ``HF_HUB_OFFLINE``). A file appears in the folder
complete or not at all; a download that was interrupted is continued.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core.errors import InputError, MissingExtra
from ...core.files import make_folder, refusing, write_atomically
from ...core.rowfiles import read_rows
from .data_sources import Source

PARTS = ".downloading"
"""Folder within the data folder for files that are not complete."""
FOLDER_REMEDY = "name another folder: --data DIR"


class Unreachable(InputError):
    """The hub can't be reached, so no other file can be downloaded either."""


def download(source: Source, folder: Path) -> Path:
    """Download ``source`` into ``folder`` and return its file there.

    Raises :class:`InputError` with the remedy if the hub refuses the file or the folder can't be
    written, :class:`Unreachable` without a connection, and :class:`MissingExtra` without
    ``huggingface_hub`` or, for some sources, pyarrow.
    """
    make_folder(folder, remedy=FOLDER_REMEDY)
    parts = folder / PARTS / source.target
    target = folder / source.target
    with refusing(target, "can't be written", remedy=FOLDER_REMEDY):
        fetched = [_fetched(source, name, parts) for name in source.files]
        if len(fetched) == 1 and fetched[0].suffix == target.suffix:
            fetched[0].replace(target)
        else:
            write_atomically(target, _json_lines(fetched))
        shutil.rmtree(parts)
        if not any(parts.parent.iterdir()):
            parts.parent.rmdir()
    return target


def download_all(
    sources: Sequence[Source], folder: Path, *, tell: Callable[[Path], object]
) -> Mapping[str, str]:
    """Download every source and ``tell`` each file; return the targets that failed, and why.

    After :class:`Unreachable`, no other file is tried.
    """
    refused: dict[str, str] = {}
    for at, source in enumerate(sources):
        try:
            tell(download(source, folder))
        except Unreachable as err:
            return refused | {left.target: str(err) for left in sources[at:]}
        except InputError as err:
            refused[source.target] = str(err)
    return refused


def _fetched(source: Source, name: str, parts: Path) -> Path:
    try:
        from huggingface_hub import hf_hub_download
    except ImportError:
        raise MissingExtra("eval", needed_for="downloading data from the hub") from None
    with _refusals(source), _quiet():
        return Path(
            hf_hub_download(
                source.dataset,
                name,
                repo_type="dataset",
                revision=source.revision,
                local_dir=parts,
            )
        )


@contextmanager
def _refusals(source: Source) -> Iterator[None]:
    """Turn the hub's errors into one line that says what to do."""
    from huggingface_hub import errors

    place = source.page
    try:
        yield
    except errors.GatedRepoError as err:
        remedy = "accept the terms on that page with your account, then set HF_TOKEN to its token"
        raise InputError(
            "access to the data set is restricted", place=place, remedy=remedy
        ) from err
    except (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.RemoteEntryNotFoundError,
    ) as err:
        what = f"the hub has no such file at revision {source.revision[:20]}"
        remedy = f"look there for {', '.join(source.files)}, and report the change"
        raise InputError(what, place=place, remedy=remedy) from err
    except Exception as err:  # the HTTP library's own, which differs between the hub's versions
        answer = next(
            (e for e in (err, err.__cause__) if isinstance(e, errors.HfHubHTTPError)), None
        )
        if answer is not None:
            what = f"the hub refuses the file: {_first_line(answer)}"
            remedy = "try again later, or set HF_TOKEN"
            raise InputError(what, place=place, remedy=remedy) from err
        if isinstance(err, OSError) and err.filename is not None:
            raise  # a file of this machine
        remedy = "set HF_ENDPOINT to a mirror, or run this elsewhere with --data DIR and copy DIR"
        raise Unreachable("the hub can't be reached", place=place, remedy=remedy) from err


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the hub's warnings about every attempt."""
    from huggingface_hub.utils import logging as hub_logging

    level = hub_logging.get_verbosity()
    hub_logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        hub_logging.set_verbosity(level)


def _first_line(err: BaseException) -> str:
    return next(iter(str(err).strip().splitlines()), type(err).__name__)[:200]


def _json_lines(files: Iterable[Path]) -> Iterator[str]:
    """The rows of all files, one JSON object per line."""
    for file in files:
        for _, row in read_rows(file, remedy="download it again"):
            yield json.dumps({name: _plain(row[name]) for name in row}, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """``value``; an image, which JSON can't hold, is replaced by whether there is one."""
    if isinstance(value, dict) and "bytes" in value:
        return value["bytes"] is not None or bool(value.get("path"))
    return value
