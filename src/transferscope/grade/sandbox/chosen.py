"""The sandbox that this process uses: the first that holds in a trial, found once.

Programs are never run without a sandbox unless :func:`allow_unconfined` was called, which only
``--unsafe-no-sandbox`` does.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field

from ...core.errors import InputError
from .jail import Jail, candidates
from .limits import MEBIBYTE, Limits
from .session import Broken, Ending, NotStarted, Program, session

FLAG = "--unsafe-no-sandbox"
_TRIAL = Limits(cpu=5, wall=20.0, memory=512 * MEBIBYTE, processes=16)
_CHECKS = """
import os
faults = []
if 0 in os.getresuid():
    faults.append("programs run as root")
if {"HOME", "PATH", "USER"} & set(os.environ):
    faults.append("the environment is visible")
if len(open("/proc/net/dev").readlines()) > 3:
    faults.append("the network is visible")
if os.getppid() != 1 or len([name for name in os.listdir("/proc") if name.isdigit()]) > 2:
    faults.append("other processes are visible")
if os.access("/", os.W_OK) or os.access("/usr", os.W_OK):
    faults.append("the system is writable")
if set(os.listdir("/")) & {"home", "mnt", "srv", "var"}:
    faults.append("the file system is visible")
try:
    for _ in range(40):
        if not os.fork():
            import time
            time.sleep(60)
    faults.append("the number of processes has no limit")
except OSError:
    pass
print("; ".join(faults) or "confined")
"""


@dataclass
class _Choice:
    """``held`` is the jail that was found, ``why`` the reason that there is none."""

    unconfined: bool = False
    held: Jail | None = None
    why: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


_choice = _Choice()


def allow_unconfined() -> None:
    """Let this process run programs without a sandbox, under limits only."""
    _choice.unconfined = True


def jail() -> Jail:
    """The sandbox to use. Raises :class:`InputError` with the remedy if none works here."""
    if sys.platform != "linux":
        remedy = "use Linux, or a Linux container or virtual machine"
        raise InputError("model-written programs can only be run on Linux", remedy=remedy)
    if _choice.unconfined:
        return Jail(None)
    with _choice.lock:
        if _choice.held is None and not _choice.why:
            _choice.held, _choice.why = _found()
    if _choice.held is None:
        raise InputError(
            f"no sandbox for model-written programs: {_choice.why}",
            remedy="install bubblewrap (pip install 'transferscope[grade]', or the system's "
            f"package) and allow user namespaces, or accept the risk: {FLAG}",
        )
    return _choice.held


def _found() -> tuple[Jail | None, str]:
    """The first jail that holds, or why none does."""
    whys: list[str] = []
    for each in candidates():
        why = fault(each)
        if not why:
            return each, ""
        whys.append(f"{each.bwrap}: {why}")
    return None, "; ".join(whys) or "bubblewrap is not installed"


def fault(tried: Jail) -> str:
    """Why ``tried`` doesn't confine a program that looks around; empty if it does."""
    try:
        with session(tried, Program(_CHECKS), _TRIAL) as (opened, compiled):
            if compiled.ending is not Ending.READY:
                return f"a trial program can't be run ({compiled.errors[-200:]})"
            ran = opened.run(b"")
    except (NotStarted, Broken) as err:
        return str(err)
    said = ran.output.decode("utf-8", "replace").strip()
    if said == "confined":
        return ""
    return said or f"a trial program fails ({ran.errors.strip()[-200:]})"
